// A call's history, from the logs of real replicas in memory.

import { expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { index } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { millis, plus, seconds } from '../base/instant.ts'
import { callerLeg, inDialog, phone, request, response } from '../call/testing/phone.ts'
import { encodeBody, encodeEntry, encodeRecord } from '../wire/codec.ts'
import { Bench, nextHop, sip } from './testing/bench.ts'
import { traceCall } from './trace.ts'
import type { Era, Trace } from './trace.ts'

const caller = phone('caller', '127.36.0.2', 5062)
const callee = phone('callee', nextHop.host, nextHop.port)

function traced(eras: readonly Era[], callId = 'call-1'): Trace {
  const trace = traceCall(callId, eras)
  if (!trace.ok) throw new Error(trace.error)
  return trace.value
}

const sentTo = (bench: Bench, start: string): string =>
  must(
    bench.takeSent().find(({ data }) => data.startsWith(start)),
    start,
  ).data

/** A call that is up, at some replica that is not the leader's. */
function answered(): { readonly bench: Bench; readonly answer: string } {
  const bench = new Bench().begin()
  const at = must(bench.followers()[0], 'a follower')
  bench.sip(at, caller.flow, request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`))
  bench.sip(at, callee.flow, response(callee, sentTo(bench, 'INVITE '), 200))
  return { bench, answer: sentTo(bench, 'SIP/2.0 200') }
}

const story = ({ steps }: Trace): readonly string[] =>
  steps.map(({ kind, version, sent, events, timers }) =>
    [
      kind,
      `v${version}`,
      ...events.map(({ event }) => event),
      ...sent.map(({ label, side }) => `${label} > ${side}`),
      ...timers.fired,
    ].join(' '),
  )

test('a call from its INVITE until nothing is left of it: each version, its owner, and what waited for the commit', () => {
  const { bench, answer } = answered()
  const bye = inDialog(caller, callerLeg(answer), 'BYE', 2)
  const at = bench.leader()
  bench.sip(at, caller.flow, bye)
  bench.sip(at, callee.flow, response(callee, sentTo(bench, 'BYE '), 200))
  const whole = (id: ReplicaId): Era => ({ snapshot: null, records: [...bench.recordsOf(id), lastPulse(bench, id)] })
  const own = traced([whole(at)])
  expect(story(own)).toEqual([
    'commit v1 call-started INVITE > callee',
    'commit v2 call-answered 2xx > caller',
    'commit v3 call-ended 200 OK > caller',
    'fired v0 x x.1 x.2',
  ])
  const [first] = own.steps
  expect(bench.ids.map((id) => bench.lifeOf(id))).toContain(first?.owner)
  expect(first?.sent[0]?.text).toContain('INVITE sip:callee@')
  expect(own.groups).toHaveLength(1)
  for (const id of bench.ids) expect(story(traced([whole(id)]))).toEqual(story(own))
})

/** The log's next entry, a minute later: what a leader proposes when timers are due. */
function lastPulse(bench: Bench, id: ReplicaId): Uint8Array {
  const { lastStamp } = bench.replica(id).store
  const { last } = bench.replica(id).raft.inspect().log
  const body = encodeBody({ kind: 'pulse', limit: 100, audit: null })
  const data = encodeEntry(plus(lastStamp, seconds(60)), body)
  const { term } = bench.replica(id).raft
  return encodeRecord({ kind: 'entry', entry: { kind: 'normal', index: index(last + 1), term, data } })
}

test('a new owner is told', () => {
  const { bench, answer } = answered()
  const [first] = traced([{ snapshot: null, records: bench.recordsOf(bench.leader()) }]).steps
  const owner = must(
    bench.ids.find((id) => bench.lifeOf(id) === first?.owner),
    'its owner',
  )
  const was = bench.lifeOf(owner)
  bench.kill(owner)
  bench.pass(seconds(5))
  const at = bench.leader()
  bench.takeSent()
  bench.sip(at, caller.flow, inDialog(caller, callerLeg(answer), 'BYE', 2))
  bench.sip(at, callee.flow, response(callee, sentTo(bench, 'BYE '), 200))
  const owners = traced([{ snapshot: null, records: bench.recordsOf(at) }]).steps.map(({ owner: by }) => by)
  expect(owners[0]).toBe(was)
  expect(owners.filter((by) => by !== null).at(-1)).not.toBe(was)
})

test('of eras that follow one another each entry is told once; one that is gone leaves the snapshot as the beginning', () => {
  const bench = new Bench([], 3, { every: 5_000, kept: 10 }).begin()
  const at = bench.leader()
  const eras: Era[] = []
  const invite = request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`)
  bench.sip(at, caller.flow, invite)
  const before = bench.recordsOf(at)
  for (let i = 0; bench.snapshotOf(at) === null; i++) {
    const other = { callId: `other-${i}`, branch: `z9hG4bK-other-${i}` }
    bench.sip(at, caller.flow, request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, other))
    bench.pass(millis(100))
    if (bench.snapshotOf(at) === null) eras[0] = { snapshot: null, records: bench.recordsOf(at) }
  }
  expect(before.length).toBeGreaterThan(0)
  const snapshot = must(bench.snapshotOf(at), 'a snapshot')
  const newest: Era = { snapshot, records: bench.recordsOf(at) }
  const whole = traced([must(eras[0], 'the first era'), newest])
  expect(whole.gaps).toEqual([])
  expect(story(whole)[0]).toBe('commit v1 call-started INVITE > callee')
  const late = traced([newest])
  expect(late.steps[0]).toMatchObject({ kind: 'kept', version: 1 })
  expect(late.first).toBe(snapshot.metadata.index + 1)
})

test('what a replica never had, and a call that nobody made', () => {
  const { bench } = answered()
  const records = bench.recordsOf(bench.leader())
  expect(traced([{ snapshot: null, records }], 'nobody').steps).toEqual([])
  const broken = records.map((record, i) => (i === records.length - 1 ? record.subarray(0, 3) : record))
  expect(traceCall('call-1', [{ snapshot: null, records: broken }])).toMatchObject({ ok: false })
})
