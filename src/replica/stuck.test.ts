// A replica that answers its leader, and is too slow for long to know what it may say (docs/decisions/0010): read barriers take
// longer than they count. What phones send to it is the leader's to judge, and what it owns is others'.

import { describe, expect, test } from 'vitest'
import type { ReplicaId } from '../base/brand.ts'
import { millis, plus, seconds } from '../base/instant.ts'
import { label, phone, request } from '../call/testing/phone.ts'
import { limits } from './limits.ts'
import { Bench, sip } from './testing/bench.ts'

const caller = phone('caller', '127.36.0.2', 5062)

const invite = (callId: string): string =>
  request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, { callId, branch: `z9hG4bK-${callId}` })

/** A follower whose questions for barriers are lost from now on; it has slept, so that it asks. */
function stuck(): { readonly bench: Bench; readonly slow: ReplicaId; readonly other: ReplicaId } {
  const bench = new Bench().begin()
  const [slow, other] = bench.followers() as [ReplicaId, ReplicaId]
  bench.loses = (frame, from) =>
    from === slow && frame.kind === 'raft' && frame.messages.some(({ kind }) => kind === 'read-index')
  bench.stop(slow)
  bench.now = plus(bench.now, millis(400))
  bench.resume(slow)
  return { bench, slow, other }
}

/** What left for that call. */
const labels = (bench: Bench, callId: string): readonly string[] => {
  const own = bench.takeSent().filter(({ data }) => data.includes(`Call-ID: ${callId}\r\n`))
  return [...new Set(own.map(({ data }) => label(data)))].toSorted()
}

describe('a replica that stays stale while it is heard', () => {
  test('gives what comes to it to the leader within a second, whoever is the owner', () => {
    const { bench, slow, other } = stuck()
    for (const owner of [bench.leader(), other]) {
      const [callId] = bench.callIds(owner, 1, `of-${owner}`) as [string]
      bench.sip(slow, caller.flow, invite(callId))
      bench.pass(seconds(1))
      expect(labels(bench, callId)).toEqual(['100 INVITE', 'INVITE'])
    }
    expect(bench.metric(slow, 'inputs_kept')).toBe(0)
  })

  test('gives what came on a stream to the leader again: the owner behind it may have died with it', () => {
    const { bench, slow, other } = stuck()
    bench.pass(limits.stale)
    const [callId] = bench.callIds(other, 1) as [string]
    const onStream = phone('caller', '127.36.0.2', 5062, `${bench.lifeOf(slow)}/9`)
    bench.stop(other)
    bench.sip(
      slow,
      onStream.flow,
      request(onStream, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, { callId, branch: 'z9hG4bK-s' }),
    )
    bench.kill(other)
    bench.pass(seconds(1))
    expect(labels(bench, callId)).toContain('INVITE')
  })

  test('loses its calls to the others, and is not admitted before it is fresh', () => {
    const { bench, slow } = stuck()
    const [callId] = bench.callIds(slow, 1) as [string]
    bench.sip(slow, caller.flow, invite(callId))
    expect(bench.serving()).toContain(slow)
    bench.pass(seconds(4))
    expect(bench.serving()).not.toContain(slow)
    expect(labels(bench, callId)).toEqual(['100 INVITE', 'INVITE'])
    bench.pass(seconds(10))
    expect(bench.serving()).not.toContain(slow)
    bench.loses = () => false
    bench.pass(seconds(10))
    expect(bench.serving()).toContain(slow)
  })

  test('a barrier that comes in time changes nothing: a short sleep moves no call', () => {
    const { bench, slow } = stuck()
    bench.pass(limits.stale)
    bench.loses = () => false
    bench.pass(seconds(3))
    const serving = bench.notices.filter(({ kind, by }) => kind === 'serving' && by === bench.leader())
    expect(serving.at(-1)).toMatchObject({ lives: bench.ids.map((id) => bench.lifeOf(id)) })
    expect(bench.serving()).toContain(slow)
  })

  test('what it gave to another before goes to the leader too: that one may have lost the call', () => {
    const bench = new Bench([], 5).begin()
    const leader = bench.leader()
    const [slow, other] = bench.followers() as [ReplicaId, ReplicaId]
    // It passes an INVITE to an owner that is stopped, and then gets nothing more of the log: only that there is a leader.
    const [callId] = bench.callIds(other, 1) as [string]
    bench.stop(other)
    bench.sip(slow, caller.flow, invite(callId))
    bench.loses = (frame, _, to) =>
      to === slow && frame.kind === 'raft' && frame.messages.some(({ kind }) => kind !== 'heartbeat')
    bench.pass(seconds(8))
    expect(bench.serving(leader)).not.toContain(other)
    expect(bench.serving(slow)).toContain(other)
    expect(labels(bench, callId)).toEqual(['100 INVITE', 'INVITE'])
  })
})
