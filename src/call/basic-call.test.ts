import { expect, test } from 'vitest'
import { header, values } from '../sip/message.ts'
import { Ladder } from './testing/ladder.ts'
import { callerLeg, inDialog, parsed, phone, request, response } from './testing/phone.ts'

const set = { host: '127.30.0.1', port: 5060 }
const caller = phone('caller', '127.30.0.2', 5062)
const callee = phone('callee', '127.30.0.3', 5064)
const nextHop = { host: callee.flow.host, port: callee.flow.port, transport: null }

test('a basic call: what waits for its commit and what passes at once (design.md 4)', () => {
  const ladder = new Ladder({ sip: set, nextHop }, [caller, callee])
  ladder.say(caller, request(caller, 'INVITE', 'sip:callee@127.30.0.1:5060', { body: 'v=0\r\n' }))
  expect(ladder.take()).toEqual([
    'caller -> set: INVITE',
    'commit: app 1, session 1, tx 1, tx 1.1, timer c.1.1, holds early',
    'set -> callee: INVITE',
    'set -> caller: 100 INVITE',
  ])
  const invite = ladder.last(callee, 'INVITE')
  ladder.say(callee, response(callee, invite, 100))
  ladder.say(callee, response(callee, invite, 180))
  expect(ladder.take()).toEqual([
    'callee -> set: 100 INVITE',
    'commit: tx 1',
    'callee -> set: 180 INVITE',
    'set -> caller: 180 INVITE',
    'commit: session 1, dialog 1',
  ])
  ladder.say(callee, response(callee, invite, 200))
  expect(ladder.take()).toEqual([
    'callee -> set: 200 INVITE',
    'commit: tx 1, dialog 1, session 1, timer x.1, cancel c.1.1, holds confirmed',
    'set -> caller: 200 INVITE',
  ])
  const leg = callerLeg(ladder.last(caller, '200 INVITE'))
  ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
  expect(ladder.take()).toEqual(['caller -> set: ACK', 'set -> callee: ACK'])
  expect(ladder.store.counter('calls.confirmed')).toBe(1)
  ladder.pass(60)
  expect(ladder.take()).toEqual(['fired: x.1'])
  expect(ladder.view?.entities.map((one) => one.tree)).toEqual(['Dialog', 'SipApplicationSession', 'SipSession'])

  ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
  expect(ladder.take()).toEqual(['caller -> set: BYE', 'set -> callee: BYE', 'commit: dialog 1, timer e.1'])
  ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
  expect(ladder.take()).toEqual([
    'callee -> set: 200 BYE',
    'commit: dialog 1, tx 1, session 1, timer x.1, timer x, cancel e.1, holds none',
    'set -> caller: 200 BYE',
  ])
  expect(ladder.store.counts().timersPending).toBe(2)
  ladder.pass(33)
  expect(ladder.idle).toBe(true)
  expect(ladder.store.counts()).toMatchObject({ groups: 0, entities: 0, timersPending: 0, intentsOpen: 0 })
  expect(ladder.handled.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7])
})

test('RFC 3261 16.6, 16.7: what the callee and the caller see of a basic call', () => {
  const ladder = new Ladder({ sip: set, nextHop }, [caller, callee])
  ladder.say(caller, request(caller, 'INVITE', 'sip:callee@127.30.0.1:5060', { body: 'v=0\r\n' }))
  const invite = parsed(ladder.last(callee, 'INVITE'))
  expect(values(invite, 'Via')).toHaveLength(2)
  expect(values(invite, 'Via')[0]).toMatch(
    /^SIP\/2.0\/UDP 127.30.0.1:5060;branch=z9hG4bK1[0-9a-f]{16}\.[0-9a-f]{8};hf=1[0-9a-f]{32}$/,
  )
  expect(values(invite, 'Record-Route')).toHaveLength(1)
  expect(values(invite, 'Record-Route')[0]).toMatch(/^<sip:127.30.0.1:5060;lr;hf=1[0-9a-f]{32}>$/)
  expect(header(invite, 'Max-Forwards')).toBe('69')
  expect(invite.text.endsWith('\r\n\r\nv=0\r\n')).toBe(true)
  ladder.say(callee, response(callee, invite.text, 180))
  const ringing = parsed(ladder.last(caller, '180 INVITE'))
  expect(values(ringing, 'Via')).toEqual([values(parsed(invite.text), 'Via')[1]])
})
