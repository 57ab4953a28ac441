import { describe, expect, test } from 'vitest'
import { header, values } from '../sip/message.ts'
import { calling, ringing } from './testing/scene.ts'
import { follower, parsed, request, response } from './testing/phone.ts'

describe('an INVITE that fails (RFC 3261 16.7, 17.2.1)', () => {
  test('486: its commit holds both messages; then ACK downstream and the answer upstream', () => {
    const { ladder, caller, callee, sent, invite } = ringing()
    ladder.stalled = true
    ladder.say(callee, response(callee, invite, 486))
    expect(ladder.take()).toEqual(['callee -> set: 486 INVITE'])
    ladder.release()
    expect(ladder.take()).toEqual([
      'commit: tx 1, session 1, -dialog 1, timer x.1, timer x, cancel c.1.1, cancel e.1, holds none',
      'set -> callee: ACK',
      'set -> caller: 486 INVITE',
    ])
    ladder.say(caller, follower(sent, 'ACK', ladder.last(caller, '486 INVITE')))
    ladder.take()
    ladder.pass(33)
    expect(ladder.take()).toEqual(['fired: x', 'fired: x.1'])
    expect(ladder.idle).toBe(true)
  })

  test('17.2.1: the answer is repeated by timer G until its ACK, and on each repeat of the INVITE', () => {
    const { ladder, caller, callee, sent, invite } = ringing()
    ladder.say(callee, response(callee, invite, 486))
    ladder.take()
    ladder.pass(1.6)
    ladder.say(caller, sent)
    expect(ladder.take()).toEqual([
      'set -> caller: 486 INVITE',
      'set -> caller: 486 INVITE',
      'caller -> set: INVITE',
      'set -> caller: 486 INVITE',
    ])
    ladder.say(caller, follower(sent, 'ACK', ladder.last(caller, '486 INVITE')))
    ladder.say(caller, sent)
    ladder.take()
    ladder.pass(10)
    expect(ladder.take()).toEqual([])
  })

  test('an answer with no Via but ours goes upstream as one of ours, with its status and the Vias of the INVITE', () => {
    const { ladder, caller, callee, sent, invite } = ringing()
    const whole = response(callee, invite, 487)
    const [, ...others] = values(parsed(whole), 'Via')
    expect(others).toHaveLength(1)
    ladder.say(callee, whole.replace(`Via: ${others[0]}\r\n`, ''))
    expect(values(parsed(ladder.last(caller, '487 INVITE')), 'Via')).toEqual(values(parsed(sent), 'Via'))
  })

  test('17.1.1.2: the callee that repeats its 486 gets the same ACK again', () => {
    const { ladder, callee, invite } = ringing()
    ladder.say(callee, response(callee, invite, 486))
    const ack = ladder.last(callee, 'ACK')
    ladder.take()
    ladder.say(callee, response(callee, invite, 486))
    expect(ladder.take()).toEqual(['callee -> set: 486 INVITE', 'set -> callee: ACK'])
    expect(ladder.last(callee, 'ACK')).toBe(ack)
  })

  test('timer B: 408 after 64*T1 without an answer', () => {
    const { ladder } = calling()
    ladder.pass(31.9)
    expect(ladder.take()).toEqual(Array.from({ length: 5 }, () => 'set -> callee: INVITE'))
    ladder.pass(0.2)
    expect(ladder.take()).toEqual([
      'commit: tx 1, session 1, timer x.1, timer x, cancel c.1.1, holds none',
      'set -> caller: 408 INVITE',
    ])
    ladder.pass(33)
    expect(ladder.idle).toBe(true)
  })

  test('a 407, then the INVITE again with CSeq 2 in the same session; the first transaction goes by itself', () => {
    const { ladder, caller, callee, sent, invite } = calling()
    ladder.say(callee, response(callee, invite, 407))
    ladder.say(caller, follower(sent, 'ACK', ladder.last(caller, '407 INVITE')))
    ladder.take()
    ladder.say(caller, request(caller, 'INVITE', 'sip:callee@127.31.0.1:5060', { cseq: 2 }))
    expect(ladder.take()[1]).toBe('commit: session 1, tx 2, tx 2.1, timer c.2.1, cancel x, holds early')
    const again = ladder.last(callee, 'INVITE')
    expect(header(parsed(again), 'CSeq')).toBe('2 INVITE')
    expect(values(parsed(again), 'Via')[0]).not.toBe(values(parsed(invite), 'Via')[0])
    ladder.say(callee, response(callee, again, 180))
    ladder.pass(33)
    expect(ladder.view?.entities.filter((one) => one.tree === 'Transaction').map((one) => one.id)).toEqual(['2', '2.1'])
    expect(ladder.store.counter('calls.early')).toBe(1)
  })

  test('16.7 step 6: a 503 of the one next hop that there is goes upstream as it is', () => {
    const { ladder, caller, callee, invite } = calling()
    ladder.say(callee, response(callee, invite, 503))
    expect(header(parsed(ladder.last(caller, '503 INVITE')), 'Call-ID')).toBe('call-1')
  })

  test('16.9: a next hop that can not be reached is a 500 upstream, after its commit', () => {
    const { ladder, caller, invite, callee } = calling()
    ladder.step({ kind: 'unsent', what: 'invite 1.1', flow: callee.flow, data: invite, reason: 'unreachable' })
    expect(ladder.take().at(-1)).toBe('set -> caller: 500 INVITE')
    expect(parsed(ladder.last(caller, '500 INVITE')).kind).toBe('response')
  })

  test('a duplicate INVITE long after its end is a new call only once its transaction is gone (schedules.md)', () => {
    const { ladder, caller, callee, sent, invite } = ringing()
    ladder.say(callee, response(callee, invite, 486))
    ladder.say(caller, follower(sent, 'ACK', ladder.last(caller, '486 INVITE')))
    ladder.pass(31)
    ladder.take()
    ladder.say(caller, sent)
    expect(ladder.take()).toEqual(['caller -> set: INVITE'])
  })
})
