// RFC 3263 at whole replicas (decision 0027): a request waits for DNS, its flows are in its commit, and a place that fails is followed by
// the next one.

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import { seconds } from '../base/instant.ts'
import { parsed, phone, request, response } from '../call/testing/phone.ts'
import type { Located } from '../proxy/locate.ts'
import { vias } from '../sip/message.ts'
import { Trio } from './testing/trio.ts'
import type { SentBy } from './testing/trio.ts'

const caller = phone('caller', '127.36.0.2', 5062)
const first = phone('first', '127.36.0.3', 5064)
const second = phone('second', '127.36.0.4', 5064)

const both: Located = {
  kind: 'found',
  candidates: [first, second].map(({ flow }, priority) => ({
    transport: 'udp',
    order: 0,
    priority,
    weight: 0,
    port: flow.port,
    addresses: [flow.host],
  })),
}

function trioOf(): Trio {
  return new Trio(3, { names: true, nextHop: { host: 'pbx.example.com', port: 0, transport: null } }).begin()
}

function invite(callId = 'c1'): string {
  const options = { callId, branch: `z9hG4bK-${callId}` }
  return request(caller, 'INVITE', 'sip:callee@127.36.0.1:5060', options)
}

/** DNS answers all that was asked. */
function answer(trio: Trio, said: Located): void {
  for (const { by, place } of trio.asked.splice(0))
    trio.step(by, { kind: 'located', place, answer: said, ttl: seconds(30) })
  trio.settle()
}

function to(trio: Trio, whom: typeof caller, start = ''): readonly SentBy[] {
  return trio.sent.filter(({ flow, data }) => flow.host === whom.flow.host && data.startsWith(start))
}

function statuses(trio: Trio): readonly string[] {
  return to(trio, caller).map(({ data }) => data.slice(8, 11))
}

/** A call that has just been sent to the first place. */
function calling(): { readonly trio: Trio; readonly at: ReplicaId; readonly out: SentBy } {
  const trio = trioOf()
  const at = must(trio.ids[0], 'a replica')
  trio.sip(at, caller.flow, invite())
  answer(trio, both)
  return { trio, at, out: must(to(trio, first, 'INVITE ')[0], 'the INVITE') }
}

describe('waiting for DNS', () => {
  test('the owner asks once, nothing leaves until DNS has answered, and what came again meanwhile is the same INVITE', () => {
    const trio = trioOf()
    for (const at of trio.ids) trio.sip(at, caller.flow, invite())
    expect(trio.asked.map(({ place }) => place)).toEqual([{ host: 'pbx.example.com', port: null, transport: null }])
    expect(trio.sent).toEqual([])
    answer(trio, both)
    expect(to(trio, first, 'INVITE ')).toHaveLength(1)
    expect(to(trio, second)).toEqual([])
    expect(new Set(statuses(trio))).toEqual(new Set(['100']))
  })

  test('a CANCEL that comes meanwhile is for that INVITE', () => {
    const trio = trioOf()
    const at = must(trio.ids[0], 'a replica')
    trio.sip(at, caller.flow, invite())
    trio.sip(at, caller.flow, invite().replace('INVITE sip', 'CANCEL sip').replace('1 INVITE', '1 CANCEL'))
    answer(trio, both)
    expect(statuses(trio)).toContain('200')
    trio.sip(at, first.flow, response(first, must(to(trio, first, 'INVITE ')[0], 'the INVITE').data, 180))
    expect(to(trio, first, 'CANCEL ')).toHaveLength(1)
  })

  test('what DNS said holds for as long as it said', () => {
    const { trio, at } = calling()
    const owner = trio.replica(at).store
    const again = Array.from({ length: 40 }, (_, i) => `d${i}`)
    for (const callId of again) trio.sip(at, caller.flow, invite(callId))
    // Each owner asks for itself, once.
    expect(trio.asked.length).toBeLessThanOrEqual(2)
    answer(trio, both)
    expect(to(trio, first, 'INVITE ')).toHaveLength(41)
    trio.pass(31_000)
    trio.sip(at, caller.flow, invite('later'))
    expect(trio.asked).toHaveLength(1)
    expect(owner.counter('calls.early')).toBeGreaterThan(0)
  })

  test.each([
    ['none', '404'],
    ['failed', '500'],
  ] as const)('%s: %s', (kind, status) => {
    const trio = trioOf()
    trio.sip(must(trio.ids[0], 'a replica'), caller.flow, invite())
    answer(trio, { kind })
    expect(statuses(trio)).toEqual([status])
  })

  test('an owner that dies meanwhile loses nothing: the next one asks', () => {
    const trio = trioOf()
    for (const at of trio.ids) trio.sip(at, caller.flow, invite())
    const { by } = must(trio.asked.splice(0)[0], 'it was asked')
    trio.kill(by)
    trio.pass(2_000)
    expect(trio.asked).toHaveLength(1)
    expect(trio.asked[0]?.by).not.toBe(by)
    answer(trio, both)
    expect(to(trio, first, 'INVITE ')).toHaveLength(1)
  })
})

describe('RFC 3263 4.3: a place that fails', () => {
  test('503: the next place gets another branch, and its answer is the answer', () => {
    const { trio, at, out } = calling()
    trio.sip(at, first.flow, response(first, out.data, 503))
    const again = must(to(trio, second, 'INVITE ')[0], 'the INVITE again')
    const branches = [out, again].map(({ data }) => vias(parsed(data))[0]?.branch)
    expect(new Set(branches).size).toBe(2)
    expect(to(trio, first, 'ACK ')).toHaveLength(1)
    trio.sip(at, second.flow, response(second, again.data, 200))
    expect(statuses(trio)).toEqual(['100', '200'])
  })

  test('any other answer is the answer, and nobody else is asked', () => {
    const { trio, at, out } = calling()
    trio.sip(at, first.flow, response(first, out.data, 486))
    expect(statuses(trio)).toEqual(['100', '486'])
    trio.pass(40_000)
    expect(to(trio, second)).toEqual([])
    expect(trio.replica(at).store.counts().groups).toBe(0)
  })

  test('nothing is heard, and nothing can be sent', () => {
    const silent = calling()
    silent.trio.pass(32_500)
    expect(to(silent.trio, second, 'INVITE ').length).toBeGreaterThan(0)
    const broken = calling()
    broken.trio.step(broken.out.by, { kind: 'unsent', send: broken.out, reason: 'unreachable' })
    broken.trio.settle()
    expect(to(broken.trio, second, 'INVITE ')).toHaveLength(1)
  })

  test('the last one fails too: 503', () => {
    const { trio, at, out } = calling()
    trio.sip(at, first.flow, response(first, out.data, 503))
    const again = must(to(trio, second, 'INVITE ')[0], 'the INVITE again')
    trio.sip(at, second.flow, response(second, again.data, 503))
    expect(statuses(trio)).toEqual(['100', '503'])
  })

  test('another owner goes on where the first one was, and asks nobody', () => {
    const { trio, out } = calling()
    trio.kill(out.by)
    trio.pass(2_000)
    const at = must(
      trio.ids.find((id) => id !== out.by),
      'a survivor',
    )
    trio.sip(at, first.flow, response(first, out.data, 503))
    expect(to(trio, second, 'INVITE ').length).toBeGreaterThan(0)
    expect(trio.asked).toEqual([])
  })
})
