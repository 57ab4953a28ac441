// The applications of docs/examples, as the core runs them: what phones see, and that the owner's death changes none of it. What
// docs/APPLICATIONS.md shows is their code.

import { expect, test } from 'vitest'
import {
  calleeLeg,
  callerLeg,
  follower,
  inDialog,
  parsedRequest,
  request,
  response,
} from '../../src/call/testing/phone.ts'
import { clickToDial } from '../../docs/examples/applications/click-to-dial.ts'
import { conference } from '../../docs/examples/applications/conference.ts'
import { prepaid } from '../../docs/examples/applications/prepaid.ts'
import { privateNumber } from '../../docs/examples/applications/private-number.ts'
import { screening } from '../../docs/examples/applications/screening.ts'
import { header } from '../../src/sip/message.ts'
import { HOST, stageOf } from './application-ladder.ts'
import type { Stage } from './application-ladder.ts'

const TO = `sip:callee@${HOST}:5060`

/** What phones were told since the last look. */
function heard({ ladder }: Stage): readonly string[] {
  return ladder.take().filter((line) => line.startsWith('set -> '))
}

/** An INVITE of that user. */
function inviteOf({ caller }: Stage, user: string, to = TO): string {
  return request(caller, 'INVITE', to).replace('sip:caller@example.com', `sip:${user}@example.com`)
}

/** A call of that user is answered and acknowledged. */
function answered(stage: Stage, user: string): { invite: string; leg: ReturnType<typeof callerLeg> } {
  const { ladder, caller, callee } = stage
  const invite = inviteOf(stage, user)
  ladder.say(caller, invite)
  const arrived = ladder.last(callee, 'INVITE')
  ladder.say(callee, response(callee, arrived, 180))
  ladder.say(callee, response(callee, arrived, 200))
  const leg = callerLeg(ladder.last(caller, '200 INVITE'))
  ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
  return { invite, leg }
}

test('screening: who is unwanted is refused, everybody else gets through', () => {
  const stage = stageOf(screening)
  const { ladder, caller } = stage
  const unwanted = inviteOf(stage, 'mallory')
  ladder.say(caller, unwanted)
  expect(heard(stage)).toEqual(['set -> caller: 100 INVITE', 'set -> caller: 603 INVITE'])
  expect(ladder.last(caller, '603 INVITE')).toMatch(/^SIP\/2.0 603 Not From You\r\n/)
  ladder.say(caller, follower(unwanted, 'ACK', ladder.last(caller, '603 INVITE')))

  const wanted = stageOf(screening)
  answered(wanted, 'alice')
  expect(heard(wanted)).toEqual([
    'set -> callee: INVITE',
    'set -> caller: 100 INVITE',
    'set -> caller: 180 INVITE',
    'set -> caller: 200 INVITE',
    'set -> callee: ACK',
  ])
  expect([...stage.failures, ...wanted.failures]).toEqual([])
})

test('what an application has no handler for takes its course: without a next hop nobody is at the set itself', () => {
  const stage = stageOf(screening, true)
  stage.ladder.say(stage.caller, request(stage.caller, 'MESSAGE', TO))
  expect(heard(stage)).toEqual(['set -> caller: 404 MESSAGE'])
})

test('prepaid: the call is cut off when the credit is used up, also by the next owner, and only once', () => {
  const stage = stageOf(prepaid)
  const { ladder, ran, failures } = stage
  answered(stage, 'bob')
  expect(ran).toEqual(['doInvite', 'doSuccessResponse'])
  ladder.take()
  ladder.takeover()
  ladder.pass(2.9)
  expect(heard(stage)).toEqual([])
  ladder.pass(0.2)
  expect(heard(stage)).toEqual(['set -> caller: BYE', 'set -> callee: BYE'])
  const bye = ladder.last(stage.caller, 'BYE')
  ladder.takeover()
  expect(ladder.last(stage.caller, 'BYE')).toBe(bye)
  for (const end of [stage.caller, stage.callee]) ladder.say(end, response(end, ladder.last(end, 'BYE'), 200))
  expect(ran.filter((handler) => handler === 'timeout')).toHaveLength(1)
  expect(failures).toEqual([])
  ladder.pass(100)
  expect(ladder.idle).toBe(true)
})

test('prepaid: who hangs up in time is not cut off, and who has no credit is not put through', () => {
  const stage = stageOf(prepaid)
  const { ladder, caller, callee } = stage
  const { leg } = answered(stage, 'bob')
  ladder.pass(1)
  ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
  ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
  ladder.take()
  ladder.pass(100)
  expect(heard(stage)).toEqual([])
  expect(ladder.idle).toBe(true)

  const poor = stageOf(prepaid)
  poor.ladder.say(poor.caller, inviteOf(poor, 'carol'))
  expect(heard(poor)).toEqual(['set -> caller: 100 INVITE', 'set -> caller: 402 INVITE'])
  expect([...stage.failures, ...poor.failures]).toEqual([])
})

test('conference: one room has one bridge, and the next one if that takes no calls', () => {
  const stage = stageOf(conference)
  const { ladder, caller, callee } = stage
  ladder.names = Object.fromEntries([1, 2, 3].map((n) => [`bridge${n}.example.com`, [`127.83.0.1${n}`]]))
  ladder.say(caller, inviteOf(stage, 'alice', `sip:weekly@${HOST}`))
  const first = ladder.sent.find(({ data }) => data.startsWith('INVITE'))
  const again = stageOf(conference)
  again.ladder.names = ladder.names
  again.ladder.say(caller, inviteOf(again, 'bob', `sip:weekly@${HOST}`))
  const same = again.ladder.sent.find(({ data }) => data.startsWith('INVITE'))
  expect(first?.flow.host).toMatch(/^127\.83\.0\.1[123]$/)
  expect(same?.flow.host).toBe(first?.flow.host)
  const bridge = { ...callee, flow: first?.flow ?? callee.flow }
  ladder.say(bridge, response(bridge, first?.data ?? '', 486))
  const tried = ladder.sent.filter(({ data }) => data.startsWith('INVITE')).map(({ flow }) => flow.host)
  expect(new Set(tried).size).toBe(2)
  ladder.takeover()
  ladder.pass(4.1)
  const all = ladder.sent.filter(({ data }) => data.startsWith('INVITE')).map(({ flow }) => flow.host)
  expect(new Set(all).size).toBe(3)
  expect([...stage.failures, ...again.failures]).toEqual([])
})

test('private number: two legs, the caller hidden, answered and ended together, whoever owns them', () => {
  const stage = stageOf(privateNumber)
  const { ladder, caller, callee, failures } = stage
  ladder.say(caller, inviteOf(stage, 'alice'))
  const invite = ladder.last(callee, 'INVITE')
  expect(header(parsedRequest(invite), 'From')).toMatch(/^"Desk" <sip:desk@example.com>;tag=/)
  expect(header(parsedRequest(invite), 'Call-ID')).not.toBe('call-1')
  ladder.say(callee, response(callee, invite, 180))
  ladder.takeover()
  ladder.say(callee, response(callee, invite, 200))
  const leg = callerLeg(ladder.last(caller, '200 INVITE'))
  expect(ladder.last(callee, 'ACK')).toMatch(/^ACK sip:callee@/)
  ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
  ladder.takeover()
  ladder.take()
  ladder.say(caller, inDialog(caller, leg, 'INFO', 2))
  ladder.say(callee, response(callee, ladder.last(callee, 'INFO'), 200))
  expect(heard(stage)).toEqual(['set -> callee: INFO', 'set -> caller: 200 INFO'])
  ladder.say(callee, inDialog(callee, calleeLeg(callee, invite), 'BYE', 1))
  expect(heard(stage)).toEqual(['set -> callee: 200 BYE', 'set -> caller: BYE'])
  ladder.say(caller, response(caller, ladder.last(caller, 'BYE'), 200))
  expect(failures).toEqual([])
  ladder.pass(100)
  expect(ladder.idle).toBe(true)
})

test('private number: a caller who gives up takes the other leg back', () => {
  const stage = stageOf(privateNumber)
  const { ladder, caller, callee, failures } = stage
  const invite = inviteOf(stage, 'alice')
  ladder.say(caller, invite)
  const other = ladder.last(callee, 'INVITE')
  ladder.say(callee, response(callee, other, 180))
  ladder.take()
  ladder.say(caller, follower(invite, 'CANCEL'))
  expect(heard(stage)).toEqual(
    expect.arrayContaining(['set -> caller: 200 CANCEL', 'set -> caller: 487 INVITE', 'set -> callee: CANCEL']),
  )
  ladder.say(callee, response(callee, other, 487))
  expect(failures).toEqual([])
})

test("click to dial: the first phone's offer goes to the second one, whose answer goes back in the ACK", () => {
  const stage = stageOf(clickToDial, true)
  const { ladder, caller, callee, failures } = stage
  const web = request(caller, 'MESSAGE', TO, { body: `${caller.contact} ${callee.contact}` })
  ladder.say(caller, web)
  expect(heard(stage)).toEqual(['set -> caller: 202 MESSAGE', 'set -> caller: INVITE'])
  const sdp = (text: string, of: string): string =>
    text.replace(
      'Content-Length: 0\r\n\r\n',
      `Content-Type: application/sdp\r\nContent-Length: ${of.length}\r\n\r\n${of}`,
    )
  ladder.say(caller, sdp(response(caller, ladder.last(caller, 'INVITE'), 200), 'offer'))
  expect(ladder.last(callee, 'INVITE')).toMatch(/\r\n\r\noffer$/)
  ladder.takeover()
  ladder.say(callee, sdp(response(callee, ladder.last(callee, 'INVITE'), 200), 'answer'))
  expect(ladder.last(caller, 'ACK')).toMatch(/\r\n\r\nanswer$/)
  expect(ladder.last(callee, 'ACK')).toMatch(/\r\n\r\n$/)
  ladder.take()
  ladder.say(callee, inDialog(callee, calleeLeg(callee, ladder.last(callee, 'INVITE')), 'BYE', 1))
  expect(heard(stage)).toEqual(['set -> callee: 200 BYE', 'set -> caller: BYE'])
  expect(failures).toEqual([])
})
