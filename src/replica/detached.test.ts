// A replica that hears of no quorum (design.md 7): it decides nothing, and calls that are up go on through it all the same.

import { beforeEach, describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import { instant, seconds } from '../base/instant.ts'
import {
  calleeLeg,
  callerLeg,
  follower,
  inDialog,
  label,
  parsed,
  phone,
  request,
  response,
} from '../call/testing/phone.ts'
import type { Leg, Phone } from '../call/testing/phone.ts'
import { header } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import { limits } from './limits.ts'
import { Bench, nextHop, sip } from './testing/bench.ts'

const callee = phone('callee', nextHop.host, nextHop.port)
let bench: Bench
/** The one that is cut off. */
let alone: ReplicaId
let caller: Phone
let legs: { readonly caller: Leg; readonly callee: Leg }
let invite: string

/** What left since the last look, with who it goes to. */
const left = (): readonly string[] =>
  bench.takeSent().map(({ data, flow }) => `${flow.host === nextHop.host ? 'callee' : 'caller'}: ${label(data)}`)

/** A call that is up, over any replica; then the others are gone. */
function cutOff(stream = ''): void {
  bench = new Bench().begin()
  alone = must(bench.followers()[0], 'a follower')
  caller = phone('caller', '127.36.0.2', 5062, stream === '' ? '' : `${bench.lifeOf(alone)}/1`)
  bench.sip(alone, caller.flow, request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`))
  invite = must(
    bench.takeSent().find(({ data }) => data.startsWith('INVITE ')),
    'the INVITE',
  ).data
  bench.sip(alone, callee.flow, response(callee, invite, 200))
  const answer = must(
    bench.takeSent().find(({ data }) => label(data) === '200 INVITE'),
    'the answer',
  ).data
  legs = { caller: callerLeg(answer), callee: calleeLeg(callee, invite) }
  bench.sip(alone, caller.flow, inDialog(caller, legs.caller, 'ACK', 1))
  bench.pass(seconds(1))
  bench.takeSent()
  for (const id of bench.ids) if (id !== alone) bench.stop(id)
  bench.loses = () => true
}

function healed(): void {
  bench.loses = () => false
  for (const id of bench.ids) if (id !== alone) bench.resume(id)
  bench.pass(seconds(3))
}

describe('a replica without a quorum, on UDP', () => {
  beforeEach(() => {
    cutOff()
    bench.pass(seconds(2))
    bench.takeSent()
  })

  test('relays requests in a dialog but INVITE, without a word of its own, and keeps none of them', () => {
    bench.sip(alone, caller.flow, inDialog(caller, legs.caller, 'INFO', 2))
    bench.sip(alone, callee.flow, inDialog(callee, legs.callee, 'MESSAGE', 2))
    bench.sip(alone, caller.flow, inDialog(caller, legs.caller, 'BYE', 3))
    expect(left()).toEqual(['callee: INFO', 'caller: MESSAGE', 'callee: BYE'])
    expect(bench.metric(alone, 'inputs_kept')).toBe(0)
    bench.sip(alone, caller.flow, inDialog(caller, legs.caller, 'INVITE', 4))
    bench.sip(alone, caller.flow, request(caller, 'OPTIONS', `sip:callee@${sip.host}:${sip.port}`))
    bench.pass(seconds(5))
    expect(left()).toEqual([])
  })

  test('relays them by Route where it knows nothing of the call, and nothing that only claims to be of a dialog', () => {
    const unknown = { ...legs.caller, local: '<sip:caller@example.com>;tag=another' }
    bench.sip(alone, caller.flow, inDialog(caller, unknown, 'BYE', 2))
    expect(left()).toEqual(['callee: BYE'])
    const target = `sip:callee@${sip.host}:${sip.port}`
    bench.sip(alone, caller.flow, inDialog(caller, { ...unknown, routes: [], target }, 'BYE', 3))
    expect(left()).toEqual([])
  })

  test('relays an answer as soon as it comes, but that of a BYE only once the end of the call is committed', () => {
    bench.sip(alone, caller.flow, inDialog(caller, legs.caller, 'INFO', 2))
    bench.sip(alone, caller.flow, inDialog(caller, legs.caller, 'BYE', 3))
    const [info, bye] = bench.takeSent().map(({ data }) => data) as [string, string]
    bench.sip(alone, callee.flow, response(callee, info, 200))
    bench.sip(alone, callee.flow, response(callee, bye, 200))
    expect(left()).toEqual(['caller: 200 INFO'])
    bench.pass(seconds(5))
    expect(left()).toEqual([])
    healed()
    expect(new Set(left())).toEqual(new Set(['caller: 200 INFO', 'caller: 200 BYE']))
    expect(bench.metric(alone, 'calls_confirmed')).toBe(0)
  })

  test('relays no answer whose Via is not the set’s own', () => {
    bench.sip(alone, caller.flow, inDialog(caller, legs.caller, 'INFO', 2))
    const info = must(bench.takeSent()[0], 'the INFO').data
    bench.sip(alone, callee.flow, response(callee, info, 200).replace(/;hf=[0-9a-f]{8}/, ';hf=10000000'))
    expect(left()).toEqual([])
  })

  test('keeps an INVITE, and calls when there is a quorum again', () => {
    const other = request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, {
      callId: 'later',
      branch: 'z9hG4bK-l',
    })
    bench.sip(alone, caller.flow, other)
    bench.sip(alone, caller.flow, follower(invite, 'CANCEL'))
    bench.pass(seconds(10))
    expect(left()).toEqual([])
    healed()
    expect(left()).toContain('callee: INVITE')
  })
})

describe('a replica without a quorum, a caller on a stream', () => {
  const later = (): string =>
    request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, { callId: 'later', branch: 'z9hG4bK-l' })

  test('what came while it did not know yet is relayed within another half second', () => {
    cutOff('stream')
    bench.pass(limits.stale)
    bench.sip(alone, caller.flow, inDialog(caller, legs.caller, 'INFO', 2))
    bench.pass(seconds(2))
    expect(left()).toEqual(['callee: INFO'])
  })

  test('a request that leaves as a datagram is kept as well: nobody repeats it', () => {
    cutOff('stream')
    bench.pass(seconds(2))
    const leg = { ...legs.caller, target: `${legs.caller.target};transport=udp` }
    bench.sip(alone, caller.flow, inDialog(caller, leg, 'INFO', 2))
    bench.pass(seconds(5))
    const first = bench.takeSent()
    expect(first.map(({ data }) => label(data))).toEqual(['INFO'])
    healed()
    expect(bench.takeSent().map(({ data }) => data)).toContain(must(first[0], 'the INFO').data)
  })

  test('what it relayed on a connection that took too long to be made leaves on it all the same: nobody would say it again', () => {
    cutOff('stream')
    bench.pass(seconds(2))
    bench.sip(alone, caller.flow, inDialog(caller, legs.caller, 'BYE', 2))
    const [bye] = bench.takeSent()
    const { flow, data } = must(bye, 'the BYE')
    expect(bench.metric(alone, 'inputs_kept')).toBe(0)
    const late = (to: Flow): void => {
      const send = { kind: 'send', flow: to, data, origin: null, notAfter: instant(0) } as const
      bench.step(alone, { kind: 'unsent', send, reason: 'late' })
    }
    late(flow)
    expect(bench.takeSent().map((sent) => [sent.flow, sent.data])).toEqual([[flow, data]])
    // The sender of a datagram repeats it.
    late({ ...flow, transport: 'udp' })
    expect(left()).toEqual([])
  })

  test('an INVITE that nobody was ever given is refused after 64*T1, with Retry-After', () => {
    cutOff('stream')
    bench.pass(seconds(2))
    bench.sip(alone, caller.flow, later())
    bench.pass(limits.keptFor)
    const refused = must(bench.takeSent().at(-1), 'an answer').data
    expect(label(refused)).toBe('503 INVITE')
    expect(header(parsed(refused), 'Retry-After')).toBe('32')
  })

  test('one that somebody was given is not: it may have gone on', () => {
    cutOff('stream')
    bench.sip(alone, caller.flow, later())
    bench.pass(limits.keptFor)
    expect(left()).toEqual([])
  })
})
