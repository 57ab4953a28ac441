// design.md 10: "disk full: the leader steps down and says so". Real replicas in memory, with disks that take nothing.

import { describe, expect, test } from 'vitest'
import type { ReplicaId } from '../base/brand.ts'
import { seconds } from '../base/instant.ts'
import { label, phone, request } from '../call/testing/phone.ts'
import { Bench, sip } from './testing/bench.ts'

const caller = phone('caller', '127.36.0.2', 5062)

const invite = (callId: string): string =>
  request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, { callId, branch: `z9hG4bK-${callId}` })

/** What comes of a new call at that replica, and where it is owned. */
function place(bench: Bench, at: ReplicaId, owner: ReplicaId, name: string): readonly string[] {
  const [callId] = bench.callIds(owner, 1, name) as [string]
  bench.sip(at, caller.flow, invite(callId))
  bench.pass(seconds(1))
  const own = bench.takeSent().filter(({ data }) => data.includes(`Call-ID: ${callId}\r\n`))
  return [...new Set(own.map(({ data }) => label(data)))].toSorted()
}

const health = (bench: Bench, id: ReplicaId): unknown => bench.ask(id, { kind: 'health' })

describe('a disk that takes nothing', () => {
  test('the leader steps down, says so, and another leads; calls go on through the others', () => {
    const bench = new Bench().begin()
    const full = bench.leader()
    bench.fillDisk(full)
    const term = bench.replica(full).raft.term
    expect(bench.replica(full).raft.isLeader).toBe(false)
    expect(bench.lines.at(-1)).toMatchObject({
      by: full,
      level: 'error',
      code: 'disk-full',
      message: `the log's disk is full: this replica gives up leading term ${term}, new calls get 503`,
    })
    expect(health(bench, full)).toMatchObject({ status: 503 })
    bench.pass(seconds(3))
    const leader = bench.leader()
    expect(leader).not.toBe(full)
    expect(bench.serving(leader)).not.toContain(full)
    expect(place(bench, leader, leader, 'after')).toEqual(['100 INVITE', 'INVITE'])
    // It can't catch up, and still gets its share of datagrams: the leader judges them.
    expect(place(bench, full, leader, 'leader')).toEqual(['100 INVITE', 'INVITE'])
    const third = bench.ids.find((id) => id !== full && id !== leader) as ReplicaId
    expect(place(bench, full, third, 'third')).toEqual(['100 INVITE', 'INVITE'])
    bench.sip(full, caller.flow, request(caller, 'OPTIONS', `sip:${sip.host}:${sip.port}`, { callId: 'to-the-set' }))
    expect(bench.takeSent().map(({ data }) => label(data))).toContain('200 OPTIONS')
    expect(bench.metric(full, 'inputs_kept')).toBe(0)
  })

  test('it does not lead again while its disk is full, whoever dies; once there is room it serves again', () => {
    const bench = new Bench().begin()
    const full = bench.leader()
    bench.fillDisk(full)
    bench.pass(seconds(3))
    const next = bench.leader()
    bench.stop(next)
    bench.pass(seconds(5))
    expect(bench.replica(full).raft.isLeader).toBe(false)
    bench.resume(next)
    bench.freeDisk(full)
    expect(bench.lines.at(-1)).toMatchObject({ by: full, level: 'info', code: 'disk-room' })
    bench.pass(seconds(10))
    expect(bench.serving()).toEqual(bench.ids)
    expect(health(bench, full)).toMatchObject({ status: 200 })
  })

  test('a follower goes on owning its calls: the log is on the disks of the others', () => {
    const bench = new Bench().begin()
    const [full, other] = bench.followers() as [ReplicaId, ReplicaId]
    const [callId] = bench.callIds(full, 1) as [string]
    bench.sip(other, caller.flow, invite(callId))
    expect(bench.takeSent().map(({ data }) => label(data))).toContain('INVITE')
    const leader = bench.leader()
    bench.fillDisk(full)
    expect(bench.lines.at(-1)).toMatchObject({ code: 'disk-full', by: full })
    bench.pass(seconds(2))
    expect([bench.leader(), bench.serving(leader)]).toEqual([leader, bench.ids])
    expect(bench.ask(other, { kind: 'calls', local: true }).body).toMatchObject([{ callId, owner: bench.lifeOf(full) }])
    expect(place(bench, other, full, 'new')).toEqual(['503 INVITE'])
    expect(place(bench, full, other, 'elsewhere')).toEqual(['100 INVITE', 'INVITE'])
  })

  test('all disks are full, as on one machine: nobody leads or decides; with room all is well again', () => {
    const bench = new Bench().begin()
    for (const id of bench.ids) bench.fillDisk(id)
    bench.pass(seconds(5))
    for (const id of bench.ids) {
      expect(bench.replica(id).raft.isLeader).toBe(false)
      expect(health(bench, id)).toMatchObject({ status: 503 })
    }
    bench.sip(bench.ids[0] as ReplicaId, caller.flow, invite('patient'))
    bench.pass(seconds(5))
    expect(bench.takeSent()).toEqual([])
    for (const id of bench.ids) bench.freeDisk(id)
    bench.pass(seconds(10))
    expect(bench.serving()).toEqual(bench.ids)
    // It was kept meanwhile: nobody had to repeat it.
    expect(bench.takeSent().map(({ data }) => label(data))).toContain('INVITE')
  })

  test('the limit alone stops new calls, and nobody steps down', () => {
    const bench = new Bench().begin()
    const leader = bench.leader()
    bench.step(leader, { kind: 'disk', reason: 'limit', full: true })
    bench.pass(seconds(2))
    expect(bench.leader()).toBe(leader)
    expect(place(bench, leader, leader, 'refused')).toEqual(['503 INVITE'])
    // One reason goes, the other stays.
    bench.step(leader, { kind: 'disk', reason: 'no-space', full: true })
    bench.step(leader, { kind: 'disk', reason: 'no-space', full: false })
    expect(health(bench, leader)).toMatchObject({ status: 503 })
    bench.step(leader, { kind: 'disk', reason: 'limit', full: false })
    bench.pass(seconds(5))
    const owner = bench.ids.find((id) => id === leader) as ReplicaId
    expect(place(bench, bench.leader(), owner, 'taken')).toEqual(['100 INVITE', 'INVITE'])
  })
})
