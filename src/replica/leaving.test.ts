// A replica that is told to end (leaving.ts, decisions/0023).

import { describe, expect, test } from 'vitest'
import type { ReplicaId } from '../base/brand.ts'
import { micros, millis } from '../base/instant.ts'
import type { Duration } from '../base/instant.ts'
import { label, phone, request } from '../call/testing/phone.ts'
import { limits } from './limits.ts'
import { Bench, nextHop, sip } from './testing/bench.ts'

const caller = phone('caller', '127.36.0.2', 5062)
const callee = phone('callee', nextHop.host, nextHop.port)

const invite = (callId: string): string =>
  request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, { callId, branch: `z9hG4bK-${callId}` })

const labels = (bench: Bench): readonly string[] => bench.takeSent().map(({ data, by }) => `${by} ${label(data)}`)

/** It is told to end, and all that follows at this instant happens. */
function drain(bench: Bench, id: ReplicaId): void {
  bench.step(id, { kind: 'drain' })
  bench.settle()
}

function others(bench: Bench, id: ReplicaId): readonly ReplicaId[] {
  return bench.ids.filter((other) => other !== id)
}

describe('leaving', () => {
  test('a follower leaves serving at once, closes its sockets after that, and then has nothing left to do', () => {
    const bench = new Bench().begin()
    const [id] = bench.followers() as [ReplicaId]
    drain(bench, id)
    expect(bench.serving()).toEqual(others(bench, id))
    expect([bench.sipCloses, bench.ended]).toEqual([[id], []])
    bench.step(id, { kind: 'sip-closed' })
    bench.settle()
    expect(bench.ended).toEqual([id])
  })

  test('the leader hands over first, and nobody waits for an election timeout', () => {
    const bench = new Bench().begin()
    const id = bench.leader()
    drain(bench, id)
    expect(bench.leader()).not.toBe(id)
    expect(bench.serving()).toEqual(others(bench, id))
    expect(bench.sipCloses).toEqual([id])
  })

  test('health says so at once, and the status too', () => {
    const bench = new Bench().begin()
    const [id] = bench.followers() as [ReplicaId]
    bench.step(id, { kind: 'drain' })
    expect(bench.ask(id, { kind: 'health' })).toMatchObject({ status: 503, body: { reason: /draining/ } })
    expect(bench.ask(id, { kind: 'status' }).body).toMatchObject({ draining: true })
  })

  test('its calls are taken over by the same entry, and it passes on what still reaches its sockets', () => {
    const bench = new Bench().begin()
    const [id] = bench.followers() as [ReplicaId]
    const [first, second] = bench.callIds(id, 2) as [string, string]
    bench.sip(id, caller.flow, invite(first))
    const forwarded = bench.takeSent().find(({ data }) => data.startsWith('INVITE'))
    drain(bench, id)
    bench.sip(id, callee.flow, (forwarded?.data ?? '').replace(/^INVITE \S+ SIP\/2.0/, 'SIP/2.0 180 Ringing'))
    bench.sip(id, caller.flow, invite(second))
    const left = labels(bench)
    expect(left.filter((text) => text.startsWith(`${id} `))).toEqual([])
    expect(left.map((text) => text.slice(2))).toEqual(expect.arrayContaining(['180 INVITE', '100 INVITE', 'INVITE']))
  })

  test('what it passed on is waited for, until it is handled', () => {
    const bench = new Bench().begin()
    const [id, owner] = bench.followers() as [ReplicaId, ReplicaId]
    drain(bench, id)
    const [callId] = bench.callIds(owner, 1) as [string]
    bench.loses = (frame) => frame.kind === 'pass'
    bench.sip(id, caller.flow, invite(callId))
    bench.step(id, { kind: 'sip-closed' })
    bench.settle()
    expect(bench.ended).toEqual([])
    bench.loses = () => false
    bench.link(id, owner, 'closed')
    bench.link(id, owner, 'up')
    bench.settle()
    expect(bench.ended).toEqual([id])
    expect(bench.metric(owner, 'calls_early')).toBe(1)
  })

  test('settle: ... and no longer than this', () => {
    const bench = new Bench().begin()
    const [id, owner] = bench.followers() as [ReplicaId, ReplicaId]
    drain(bench, id)
    bench.loses = (frame) => frame.kind === 'pass'
    bench.sip(id, caller.flow, invite((bench.callIds(owner, 1) as [string])[0]))
    bench.step(id, { kind: 'sip-closed' })
    bench.pass((limits.settle - 1) as Duration)
    expect(bench.ended).toEqual([])
    bench.pass(micros(1))
    expect(bench.ended).toEqual([id])
  })

  test('leave: without a quorum it waits for this long, and then ends all the same', () => {
    const bench = new Bench().begin()
    const leader = bench.leader()
    const [id, other] = bench.followers() as [ReplicaId, ReplicaId]
    bench.kill(leader)
    bench.stop(other)
    drain(bench, id)
    bench.pass((limits.leave - 1) as Duration)
    expect(bench.ended).toEqual([])
    bench.pass(micros(1))
    expect(bench.ended).toEqual([id])
    // Its sockets go with it: with none, it would answer the calls that it owns with 500.
    expect(bench.sipCloses).toEqual([])
    expect(bench.lines.filter(({ code }) => code === 'leaves-serving')).toHaveLength(1)
  })

  test('with nobody else up it waits for nothing', () => {
    const bench = new Bench().begin()
    const id = bench.leader()
    for (const other of others(bench, id)) bench.kill(other)
    drain(bench, id)
    bench.settle()
    expect(bench.ended).toEqual([id])
  })

  test('while it waits for its streams it is not admitted again, and a new leader knows that too', () => {
    const bench = new Bench().begin()
    const leader = bench.leader()
    const [id] = bench.followers() as [ReplicaId]
    drain(bench, id)
    bench.pass((3 * limits.admission) as Duration)
    expect(bench.serving()).not.toContain(id)
    bench.kill(leader)
    bench.pass((3 * limits.admission) as Duration)
    expect(bench.serving()).toEqual(others(bench, id).filter((other) => other !== leader))
  })

  test('its next life is admitted as any other', () => {
    const bench = new Bench().begin()
    const id = bench.leader()
    drain(bench, id)
    bench.kill(id)
    bench.restart(id)
    bench.pass((limits.admission + limits.heartbeat * 2) as Duration)
    expect(bench.serving()).toEqual(bench.ids)
  })

  test('two at once: the third takes all, and leadership goes to neither of them', () => {
    const bench = new Bench().begin()
    const leader = bench.leader()
    const [second, third] = bench.followers() as [ReplicaId, ReplicaId]
    bench.step(second, { kind: 'drain' })
    bench.settle()
    bench.step(leader, { kind: 'drain' })
    bench.settle()
    expect(bench.leader()).toBe(third)
    expect(bench.serving()).toEqual([third])
  })

  test('all at once: the last one that serves stays until the others are gone', () => {
    const bench = new Bench().begin()
    for (const id of bench.ids) bench.step(id, { kind: 'drain' })
    bench.settle()
    bench.pass(millis(500))
    expect(bench.serving()).toHaveLength(1)
    const [last] = bench.serving() as [ReplicaId]
    for (const id of others(bench, last)) {
      bench.step(id, { kind: 'sip-closed' })
      bench.settle()
      bench.kill(id)
    }
    bench.step(last, { kind: 'sip-closed' })
    bench.settle()
    expect(bench.ended).toContain(last)
  })

  test('a handover that is lost is made again', () => {
    const bench = new Bench().begin()
    const id = bench.leader()
    let lost = 0
    bench.loses = (frame) =>
      frame.kind === 'raft' && frame.messages.some(({ kind }) => kind === 'timeout-now') && lost++ === 0
    drain(bench, id)
    expect([lost, bench.leader()]).toEqual([1, id])
    bench.pass(millis(2_000))
    expect(bench.leader()).not.toBe(id)
    expect(bench.sipCloses).toEqual([id])
  })
})
