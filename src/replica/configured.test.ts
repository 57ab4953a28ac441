// A reload at whole replicas: what is set of calls changes between two steps. What was decided stays, what begins goes by the new settings.

import { expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { seconds } from '../base/instant.ts'
import type { CallSettings } from '../call/contract.ts'
import { callerLeg, inDialog, phone, request, response } from '../call/testing/phone.ts'
import { parseBlock } from '../proxy/access.ts'
import { Trio } from './testing/trio.ts'

const caller = phone('caller', '127.36.0.2', 5062)
const callee = phone('callee', '127.36.0.3', 5064)
const other = phone('other', '127.36.0.4', 5064)

const sip = { host: '127.36.0.1', port: 5060 }
const to = ({ host, port }: { readonly host: string; readonly port: number }) => ({ host, port, transport: null })

function reload(trio: Trio, settings: Partial<CallSettings>): void {
  for (const id of trio.ids)
    trio.step(id, { kind: 'settings', settings: { sip, nextHop: to(callee.flow), ...settings } })
  trio.settle()
}

function invite(callId: string): string {
  return request(caller, 'INVITE', 'sip:callee@127.36.0.1:5060', { callId, branch: `z9hG4bK-${callId}` })
}

function at(trio: Trio, whom: typeof caller, start: string): readonly string[] {
  return trio.sent
    .filter(({ flow, data }) => flow.host === whom.flow.host && data.startsWith(start))
    .map(({ data }) => data)
}

/** Answered by the callee; the INVITE as it came to it. */
function answered(trio: Trio, callId: string): string {
  const [first] = trio.ids
  const replica = must(first, 'a replica')
  trio.sip(replica, caller.flow, invite(callId))
  const out = must(at(trio, callee, 'INVITE ').at(-1), 'the INVITE')
  trio.sip(replica, callee.flow, response(callee, out, 200))
  return out
}

test('new calls go to the new next hop; one that was on its way is not sent there, and one that is up ends where it was', () => {
  const trio = new Trio().begin()
  answered(trio, 'up')
  const [one, two] = trio.ids
  trio.sip(must(one, 'a replica'), caller.flow, invite('ringing'))
  expect(at(trio, callee, 'INVITE ')).toHaveLength(2)
  reload(trio, { nextHop: to(other.flow) })

  trio.sip(must(two, 'another'), caller.flow, invite('ringing'))
  expect(at(trio, other, 'INVITE ')).toEqual([])
  const ringing = must(at(trio, callee, 'INVITE ').at(-1), 'the INVITE that is under way')
  trio.sip(must(two, 'another'), callee.flow, response(callee, ringing, 200))
  trio.sip(must(one, 'a replica'), caller.flow, invite('new'))
  expect(at(trio, other, 'INVITE ')).toHaveLength(1)

  const ok = must(
    at(trio, caller, 'SIP/2.0 200 ').find((text) => text.includes('Call-ID: up')),
    'the 200 of the first call',
  )
  trio.sip(must(two, 'another'), caller.flow, inDialog(caller, callerLeg(ok), 'BYE', 2))
  expect([at(trio, callee, 'BYE ').length, at(trio, other, 'BYE ').length]).toEqual([1, 0])
})

test('who is let in, and how many: of requests that begin something, at every replica from the next one on', () => {
  const trio = new Trio().begin()
  answered(trio, 'up')
  const block = parseBlock('192.0.2.0/24')
  reload(trio, { access: block.ok ? [block.value] : [] })
  for (const [i, id] of trio.ids.entries()) trio.sip(id, caller.flow, invite(`stranger-${i}`))
  expect(at(trio, caller, 'SIP/2.0 403 ')).toHaveLength(3)
  const ok = must(at(trio, caller, 'SIP/2.0 200 ')[0], 'the 200')
  trio.sip(trio.leader(), caller.flow, inDialog(caller, callerLeg(ok), 'BYE', 2))
  expect(at(trio, callee, 'BYE ')).toHaveLength(1)

  reload(trio, { bounds: { calls: 1 } })
  trio.sip(trio.leader(), caller.flow, invite('first'))
  trio.pass(100)
  trio.sip(trio.leader(), caller.flow, invite('second'))
  trio.pass(100)
  expect(at(trio, caller, 'SIP/2.0 503 ')).toHaveLength(1)
})

test('what waits for DNS meanwhile goes by the new settings, once', () => {
  const trio = new Trio(3, { names: true, nextHop: { host: 'pbx.example.com', port: 0, transport: null } }).begin()
  trio.sip(trio.leader(), caller.flow, invite('waits'))
  const [asked] = trio.asked.splice(0)
  reload(trio, { names: true, nextHop: to(other.flow) })
  const { by, place } = must(asked, 'a question for DNS')
  trio.step(by, { kind: 'located', place, answer: { kind: 'none' }, ttl: seconds(30) })
  trio.settle()
  expect([at(trio, other, 'INVITE ').length, at(trio, caller, 'SIP/2.0 100 ').length]).toEqual([1, 1])
})

test('a request outside of calls that is under way stays where it went, and its answer comes back', () => {
  const trio = new Trio().begin()
  const message = request(caller, 'MESSAGE', 'sip:callee@127.36.0.1:5060', { callId: 'page', branch: 'z9hG4bK-page' })
  trio.sip(trio.leader(), caller.flow, message)
  reload(trio, { nextHop: to(other.flow) })
  trio.sip(trio.leader(), caller.flow, message)
  expect([at(trio, callee, 'MESSAGE ').length, at(trio, other, 'MESSAGE ').length]).toEqual([1, 0])
  trio.sip(trio.leader(), callee.flow, response(callee, must(at(trio, callee, 'MESSAGE ')[0], 'the MESSAGE'), 200))
  expect(at(trio, caller, 'SIP/2.0 200 ')).toHaveLength(1)
})
