// Decision 0026: how many calls there may be at a time, and how much one source may ask, at whole replicas.

import { expect, test } from 'vitest'
import type { Op } from '../app/contract.ts'
import { must } from '../base/assert.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import type { CallBounds } from '../call/contract.ts'
import { calleeLeg, inDialog, parsed, phone, request, response } from '../call/testing/phone.ts'
import { ALL_CALLS, CALLS_TO, IN_CALLS, OUT_CALLS } from '../session/holds.ts'
import { header } from '../sip/message.ts'
import { Trio } from './testing/trio.ts'

const caller = phone('caller', '127.36.0.2', 5062)
const callee = phone('callee', '127.36.0.3', 5064)

function trioOf(bounds: CallBounds): Trio {
  return new Trio(3, { bounds }).begin()
}

function invite(callId: string, branch = callId): string {
  return request(caller, 'INVITE', 'sip:callee@127.36.0.1:5060', { callId, branch: `z9hG4bK-${branch}` })
}

/** What went to a phone since the last look, by first line. */
function heard(trio: Trio, to: typeof caller): readonly string[] {
  return trio.sent
    .filter(({ flow }) => flow.host === to.flow.host)
    .map(({ data }) => data.slice(0, data.indexOf('\r\n')))
}

function sentToCallee(trio: Trio, start: string): string {
  return must(
    trio.sent.find(({ data }) => data.startsWith(start)),
    start,
  ).data
}

function ownerOfCall(trio: Trio, at: ReplicaId): Life | null {
  const { store } = trio.replica(at)
  return store.ownerOf(must([...store.groups()][0], 'its group'))
}

function counters(trio: Trio, name: string): readonly number[] {
  return trio.ids.map((id) => trio.replica(id).store.counter(name))
}

test('of calls that begin at one moment at three replicas no more are let in than may be, and the others get 503', () => {
  const trio = trioOf({ calls: 2 })
  for (let i = 0; i < 9; i++)
    trio.step(trio.ids[i % 3] ?? trio.leader(), { kind: 'sip', flow: caller.flow, data: invite(`c${i}`) })
  trio.settle()
  trio.pass(200)
  expect(heard(trio, callee)).toHaveLength(2)
  const refusals = trio.sent.filter(({ data }) => data.startsWith('SIP/2.0 503 '))
  expect(refusals).toHaveLength(7)
  expect(refusals.map(({ data }) => header(parsed(data), 'Retry-After'))).toEqual(refusals.map(() => '5'))
  expect(counters(trio, ALL_CALLS)).toEqual([2, 2, 2])
})

test('a call is counted once, in its direction and by its next hop, from its INVITE to its end, whoever owns it by then', () => {
  const trio = trioOf({ calls: 1, in: 5, route: 5 })
  const [at = trio.leader(), other = at] = trio.ids
  trio.sip(at, caller.flow, invite('c1'))
  const forwarded = sentToCallee(trio, 'INVITE ')
  trio.sip(other, callee.flow, response(callee, forwarded, 180))
  trio.sip(other, callee.flow, response(callee, forwarded, 200))
  trio.pass(200)
  const names = [ALL_CALLS, IN_CALLS, `${CALLS_TO}127.36.0.3:5064`]
  expect(names.map((name) => counters(trio, name))).toEqual(names.map(() => [1, 1, 1]))
  // Its owner dies; the next one has the call, and what it counts for.
  const owner = ownerOfCall(trio, at)
  const dead = must(
    trio.ids.find((id) => trio.lifeOf(id) === owner),
    'the owner',
  )
  trio.kill(dead)
  trio.pass(2_000)
  const here = must(
    trio.ids.find((id) => id !== dead),
    'a survivor',
  )
  const { store } = trio.replica(here)
  expect(ownerOfCall(trio, here)).not.toBe(owner)
  trio.sip(here, caller.flow, invite('c2'))
  expect(heard(trio, caller).filter((line) => line.includes('503'))).toHaveLength(1)
  trio.sip(here, callee.flow, inDialog(callee, calleeLeg(callee, forwarded), 'BYE', 1))
  const bye = must(
    trio.sent.findLast(({ data }) => data.startsWith('BYE ')),
    'the BYE',
  )
  trio.sip(here, caller.flow, response(caller, bye.data, 200))
  trio.pass(200)
  expect(names.map((name) => store.counter(name))).toEqual([0, 0, 0])
  trio.sip(here, caller.flow, invite('c3'))
  trio.pass(200)
  expect(store.counter(ALL_CALLS)).toBe(1)
})

test.each([
  ['in', { in: 1 }, '503', '100'],
  ['out', { out: 1 }, '100', '503'],
  ['to one next hop', { route: 1 }, '503', '503'],
] as const)('a bound of calls %s is full for those alone', (_what, bounds, toNextHop, elsewhere) => {
  const trio = trioOf(bounds)
  const at = must(trio.ids[0], 'a replica')
  const other = phone('other', '127.36.0.4', 5064)
  const begin = (callId: string, to: typeof callee | null): string => {
    const target = to === null ? 'sip:callee@127.36.0.1:5060' : `sip:x@${to.flow.host}:${to.flow.port}`
    const headers = to === null ? [] : ([['Route', `<sip:${to.flow.host}:${to.flow.port};lr>`]] as const)
    const from = trio.sent.length
    trio.sip(at, caller.flow, request(caller, 'INVITE', target, { callId, branch: `z9hG4bK-${callId}`, headers }))
    trio.pass(200)
    const answer = trio.sent.slice(from).find(({ flow }) => flow.host === caller.flow.host)
    return must(answer, 'an answer').data.slice(8, 11)
  }
  expect([begin('c1', null), begin('c2', other)]).toEqual(['100', '100'])
  expect([begin('c3', null), begin('c4', other)]).toEqual([toNextHop, elsewhere])
})

test('of calls that are redirected at one moment no more go on than may be; the 3xx of the others goes to their callers', () => {
  const nextHop = { host: callee.flow.host, port: callee.flow.port, transport: 'udp' } as const
  const trio = new Trio(3, { bounds: { out: 2 }, followsRedirects: true, nextHop }).begin()
  const other = phone('other', '127.36.0.4', 5064)
  for (let i = 0; i < 9; i++) trio.sip(trio.ids[i % 3] ?? trio.leader(), caller.flow, invite(`c${i}`))
  trio.settle()
  const sent = trio.sent.flatMap(({ data }) => (data.startsWith('INVITE ') ? [data] : []))
  expect(sent).toHaveLength(9)
  const elsewhere = { ...callee, contact: 'sip:other@127.36.0.4:5064' }
  for (const [i, data] of sent.entries())
    trio.step(trio.ids[i % 3] ?? trio.leader(), {
      kind: 'sip',
      flow: callee.flow,
      data: response(elsewhere, data, 302),
    })
  trio.settle()
  trio.pass(200)
  expect(heard(trio, other)).toHaveLength(2)
  expect(heard(trio, caller).filter((line) => line.startsWith('SIP/2.0 302'))).toHaveLength(7)
  expect(counters(trio, OUT_CALLS)).toEqual([2, 2, 2])
})

test('an INVITE that was let in is not refused when it comes again, however full it is by then', () => {
  const trio = trioOf({ calls: 1, rate: 1 })
  const [at] = trio.ids
  trio.sip(must(at, 'a replica'), caller.flow, invite('c1'))
  for (let i = 0; i < 5; i++) trio.sip(must(at, 'a replica'), caller.flow, invite('c1'))
  expect(heard(trio, caller).every((line) => line === 'SIP/2.0 100 Trying')).toBe(true)
  expect(heard(trio, callee)).toHaveLength(1)
})

/** A leg of an application's own. */
const places: Op = {
  kind: 'create-session',
  id: '1',
  first: {
    ...{ method: 'INVITE', from: '<sip:desk@127.36.0.1>', to: '<sip:callee@127.36.0.3>', routes: [], callId: '' },
    ...{ requestUri: 'sip:callee@127.36.0.3:5064', headers: [], body: '' },
  },
}

test('of legs that applications place at one moment no more leave than may be, and the application hears of 503', () => {
  const trio = new Trio(3, { bounds: { calls: 2 } }, [{ name: 'dial', version: '1', handlers: ['doErrorResponse'] }])
  trio.begin()
  const order = { application: 'dial', version: '1', target: { kind: 'new' }, ops: [places] } as const
  for (let i = 0; i < 9; i++)
    trio.step(trio.ids[i % 3] ?? trio.leader(), { kind: 'admin', id: i, query: { kind: 'order', order } })
  trio.settle()
  trio.pass(200)
  expect(heard(trio, callee).filter((line) => line.startsWith('INVITE '))).toHaveLength(2)
  const told = trio.calls.filter(({ message }) => message?.text.startsWith('SIP/2.0 503 '))
  expect(told).toHaveLength(7)
  expect(counters(trio, ALL_CALLS)).toEqual([2, 2, 2])
})

test('under load a share of new calls is refused, and requests of calls that are up are not', () => {
  const trio = trioOf({})
  const at = must(trio.ids[0], 'a replica')
  trio.sip(at, caller.flow, invite('c1'))
  const forwarded = sentToCallee(trio, 'INVITE ')
  trio.sip(at, callee.flow, response(callee, forwarded, 200))
  const checks = (count: number, isFull: boolean): void => {
    for (let i = 0; i < count; i++) trio.step(at, { kind: 'load', isFull })
  }
  // Down to a sixth, and up to all.
  checks(15, true)
  // Those that are refused are refused again, those that were let in never.
  for (const _ of [1, 2]) for (let i = 0; i < 40; i++) trio.sip(at, caller.flow, invite(`d${i}`))
  const answers = heard(trio, caller)
  const refused = answers.filter((line) => line.startsWith('SIP/2.0 503')).length
  const refusals = trio.sent.filter(({ data }) => data.startsWith('SIP/2.0 503 '))
  expect(new Set(refusals.map(({ data }) => header(parsed(data), 'Retry-After')))).toEqual(new Set(['5']))
  expect(refused).toBeGreaterThan(50)
  expect(refused).toBeLessThan(80)
  expect(trio.sent.filter(({ data }) => data.startsWith('INVITE ')).length).toBe(1 + 40 - refused / 2)
  const leg = calleeLeg(callee, forwarded)
  for (let cseq = 1; cseq <= 10; cseq++) trio.sip(at, callee.flow, inDialog(callee, leg, 'INFO', cseq))
  expect(heard(trio, caller).filter((line) => line.startsWith('INFO '))).toHaveLength(10)
  checks(30, false)
  trio.sip(at, caller.flow, invite('after'))
  expect(heard(trio, caller).at(-1)).toBe('SIP/2.0 100 Trying')
})
