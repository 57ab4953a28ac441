import { describe, expect, test } from 'vitest'
import { callerLeg, follower, inDialog, request, response } from './testing/phone.ts'
import { ringing, talking } from './testing/scene.ts'

describe('the end of a call (design.md 4)', () => {
  test("the callee's BYE", () => {
    const { ladder, caller, callee, calleeLeg } = talking()
    ladder.say(callee, inDialog(callee, calleeLeg, 'BYE', 1))
    expect(ladder.take()).toEqual(['callee -> set: BYE', 'set -> caller: BYE', 'commit: dialog 1, timer e.1'])
    ladder.say(caller, response(caller, ladder.last(caller, 'BYE'), 200))
    expect(ladder.take().at(-1)).toBe('set -> callee: 200 BYE')
    ladder.pass(33)
    expect(ladder.idle).toBe(true)
  })

  test('a BYE of an early dialog that the 487 overtook does not end the next dialog of that id', () => {
    const { ladder, caller, callee, sent, invite } = ringing()
    const early = callerLeg(ladder.last(caller, '180 INVITE'))
    // RFC 3261 15.1.1: it may go to an early dialog; the callee answers the INVITE first.
    ladder.say(caller, inDialog(caller, early, 'BYE', 2))
    ladder.say(callee, response(callee, invite, 487))
    ladder.say(caller, follower(sent, 'ACK', ladder.last(caller, '487 INVITE')))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.pass(1)
    ladder.say(caller, request(caller, 'INVITE', 'sip:callee@127.31.0.1:5060', { cseq: 3 }))
    const next = ladder.last(callee, 'INVITE')
    ladder.say(callee, response(callee, next, 180, [], 'next-tag'))
    ladder.say(callee, response(callee, next, 200, [], 'next-tag'))
    ladder.pass(60)
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
  })

  test('the 200 to a BYE waits for the commit of the end', () => {
    const { ladder, caller, callee, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.take()
    ladder.stalled = true
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    expect(ladder.take()).toEqual(['callee -> set: 200 BYE'])
    const before = ladder.handled.length
    ladder.release()
    expect(ladder.take().at(-1)).toBe('set -> caller: 200 BYE')
    // The BYE itself is handled with its final answer, and so is that answer.
    expect(ladder.handled.length - before).toBe(2)
  })

  test('a repeated BYE gets the same bytes again, from memory and at the next owner from the log', () => {
    const { ladder, caller, callee, callerLeg } = talking()
    const bye = inDialog(caller, callerLeg, 'BYE', 2)
    ladder.say(caller, bye)
    ladder.say(caller, bye)
    expect(ladder.take().filter((line) => line.startsWith('set'))).toEqual(['set -> callee: BYE'])
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    const final = ladder.last(caller, '200 BYE')
    ladder.say(caller, bye)
    expect(ladder.last(caller, '200 BYE')).toBe(final)
    ladder.takeover()
    ladder.take()
    ladder.say(caller, bye)
    expect(ladder.take()).toEqual(['caller -> set: BYE', 'set -> caller: 200 BYE'])
    expect(ladder.last(caller, '200 BYE')).toBe(final)
  })

  test.each([481, 408, 500])('a %d to a BYE ends the call too', (status) => {
    const { ladder, caller, callee, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), status))
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    expect(ladder.take().at(-1)).toBe(`set -> caller: ${status} BYE`)
  })

  test.each([401, 407])('a %d to a BYE does not, and takes its timer away', (status) => {
    const { ladder, caller, callee, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), status))
    expect(ladder.take().slice(-2)).toEqual(['commit: cancel e.1', `set -> caller: ${status} BYE`])
    ladder.pass(60)
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 3))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
  })

  test('a BYE that nobody answers ends the call after 64*T1 (RFC 4320: without a 408)', () => {
    const { ladder, caller, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.pass(33)
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    expect(ladder.sent.filter((one) => one.data.startsWith('SIP/2.0 408'))).toEqual([])
    expect(ladder.handled).toContain(4)
    ladder.pass(33)
    expect(ladder.idle).toBe(true)
  })

  test('the same when its owner died: the log timer ends it', () => {
    const { ladder, caller, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.takeover()
    ladder.take()
    ladder.pass(33)
    expect(ladder.take()).toContain('fired: e.1')
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.pass(33)
    expect(ladder.idle).toBe(true)
  })

  test("the 200 to a BYE whose owner died ends the call at the next one, and is kept for the caller's repeats", () => {
    const { ladder, caller, callee, callerLeg } = talking()
    const bye = inDialog(caller, callerLeg, 'BYE', 2)
    ladder.say(caller, bye)
    ladder.takeover()
    ladder.take()
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    expect(ladder.take().at(-1)).toBe('set -> caller: 200 BYE')
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.say(caller, bye)
    expect(ladder.take()).toEqual(['caller -> set: BYE', 'set -> caller: 200 BYE'])
  })

  test("a BYE that was sent again after its owner's death has one final: another that comes late goes no further", () => {
    const { ladder, caller, callee, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    const sent = ladder.last(callee, 'BYE')
    ladder.takeover()
    ladder.say(callee, response(callee, sent, 481))
    expect(ladder.take().at(-1)).toBe('set -> caller: 481 BYE')
    ladder.takeover()
    ladder.take()
    ladder.say(callee, response(callee, sent, 200))
    expect(ladder.take()).toEqual(['callee -> set: 200 BYE'])
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
  })

  test('both hang up at once: both get their 200, the call ends once, and both finals are kept', () => {
    const { ladder, caller, callee, callerLeg, calleeLeg } = talking()
    const byes = [inDialog(caller, callerLeg, 'BYE', 2), inDialog(callee, calleeLeg, 'BYE', 1)] as const
    ladder.say(caller, byes[0])
    ladder.say(callee, byes[1])
    const sent = ladder.last(caller, 'BYE')
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.take()
    ladder.say(caller, response(caller, sent, 200))
    expect(ladder.take()).toEqual(['caller -> set: 200 BYE', 'commit: tx 3, timer x.3', 'set -> callee: 200 BYE'])
    ladder.takeover()
    ladder.take()
    ladder.say(caller, byes[0])
    ladder.say(callee, byes[1])
    ladder.say(caller, response(caller, sent, 481))
    expect(ladder.take()).toEqual([
      'caller -> set: BYE',
      'set -> caller: 200 BYE',
      'callee -> set: BYE',
      'set -> callee: 200 BYE',
      'caller -> set: 481 BYE',
    ])
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
  })

  test('a third BYE of an ended call is relayed, and nothing more is kept', () => {
    const { ladder, caller, callee, callerLeg } = talking()
    for (const number of [2, 3, 4]) {
      ladder.say(caller, inDialog(caller, callerLeg, 'BYE', number))
      ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), number === 2 ? 200 : 481))
    }
    expect(ladder.take().slice(-4)).toEqual([
      'caller -> set: BYE',
      'set -> callee: BYE',
      'callee -> set: 481 BYE',
      'set -> caller: 481 BYE',
    ])
  })

  test('tombstone: a 200 to the INVITE that is repeated after the end is relayed and makes no dialog', () => {
    const { ladder, caller, callee, callerLeg, invite } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.take()
    ladder.say(callee, response(callee, invite, 200))
    expect(ladder.take()).toEqual(['callee -> set: 200 INVITE', 'set -> caller: 200 INVITE'])
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
  })

  test('a BYE in an early dialog ends that dialog; a 2xx that crosses it makes none', () => {
    const { ladder, caller, callee, invite } = ringing()
    const leg = {
      callId: 'call-1',
      local: '<sip:caller@example.com>;tag=caller-tag',
      remote: '<sip:callee@example.com>;tag=callee-tag',
      target: callee.contact,
      routes: [],
    }
    ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    expect(ladder.store.counter('calls.early')).toBe(1)
    ladder.say(callee, response(callee, invite, 200))
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
  })
})
