import { describe, expect, test } from 'vitest'
import { follower, inDialog, response } from './testing/phone.ts'
import { calling, ringing, talking } from './testing/scene.ts'

describe('takeover (design.md 4)', () => {
  test('calling on UDP: the stored INVITE by timer A, after 2*T1, byte for byte; timer B goes on', () => {
    const { ladder, callee, invite } = calling()
    ladder.pass(10)
    ladder.take()
    ladder.takeover()
    expect(ladder.take()).toEqual(['-- takeover --'])
    ladder.pass(1.1)
    expect(ladder.take()).toEqual(['set -> callee: INVITE'])
    expect(ladder.last(callee, 'INVITE')).toBe(invite)
    ladder.pass(20.5)
    expect(ladder.take()).not.toContain('set -> caller: 408 INVITE')
    ladder.pass(0.5)
    expect(ladder.take()).toContain('set -> caller: 408 INVITE')
  })

  test('calling on a stream: the stored INVITE at once, byte for byte, and the 100', () => {
    const { ladder, callee, invite } = calling({ callerStream: '1.a.1/1', calleeStream: '1.a.1/2' })
    ladder.takeover()
    expect(ladder.take().slice(-3)).toEqual(['-- takeover --', 'set -> callee: INVITE', 'set -> caller: 100 INVITE'])
    expect(ladder.last(callee, 'INVITE')).toBe(invite)
  })

  test('calling past 64*T1: no INVITE, but 408', () => {
    const { ladder } = calling()
    // The owner slept, then died: nothing woke the group.
    const view = ladder.view
    expect(view).not.toBeNull()
    ladder.sleep(33)
    ladder.takeover()
    expect(ladder.take().filter((line) => line.startsWith('set'))).toEqual(['set -> caller: 408 INVITE'])
  })

  test('proceeding on UDP: nothing is sent; the answer that comes is relayed', () => {
    const { ladder, callee, invite } = ringing()
    ladder.takeover()
    expect(ladder.take()).toEqual(['-- takeover --'])
    ladder.say(callee, response(callee, invite, 200))
    expect(ladder.take().at(-1)).toBe('set -> caller: 200 INVITE')
  })

  test('proceeding on a stream: the INVITE again, since the callee then repeats its last response', () => {
    const { ladder, caller, callee, invite } = ringing({ callerStream: '1.a.1/1', calleeStream: '1.a.1/2' })
    const ringingText = ladder.last(caller, '180 INVITE')
    ladder.takeover()
    expect(ladder.take()).toEqual(['-- takeover --', 'set -> callee: INVITE', 'set -> caller: 180 INVITE'])
    expect(ladder.last(caller, '180 INVITE')).toBe(ringingText)
    expect(ladder.last(callee, 'INVITE')).toBe(invite)
  })

  test('two takeovers, a caller on a stream: each says the newest provisional, with the same bytes', () => {
    const { ladder, caller, callee, invite } = ringing({ callerStream: '1.a.1/1' })
    ladder.say(callee, response(callee, invite, 183))
    const progress = ladder.last(caller, '183 INVITE')
    ladder.take()
    ladder.takeover()
    ladder.takeover()
    const said = ladder.take().filter((line) => line.startsWith('set -> caller'))
    expect(said).toEqual(['set -> caller: 183 INVITE', 'set -> caller: 183 INVITE'])
    expect(ladder.last(caller, '183 INVITE')).toBe(progress)
  })

  test('proceeding past 64*T1 on a stream that died: the INVITE fetches a refusal that was lost with it; else it waits on, for timer C', () => {
    const { ladder, callee, invite } = ringing({ callerStream: '1.a.1/1', calleeStream: '1.a.1/2' })
    ladder.pass(40)
    ladder.takeover()
    expect(ladder.take()).toEqual(['-- takeover --', 'set -> callee: INVITE', 'set -> caller: 180 INVITE'])
    expect(ladder.store.counter('calls.early')).toBe(1)
    ladder.say(callee, response(callee, invite, 486))
    expect(ladder.take()).toContain('set -> caller: 486 INVITE')
  })

  test('cancelled: the stored CANCEL once, and again by its own timers', () => {
    const { ladder, caller, callee, sent, invite } = ringing()
    ladder.say(caller, follower(sent, 'CANCEL'))
    const cancel = ladder.last(callee, 'CANCEL')
    ladder.takeover()
    expect(ladder.take().slice(-1)).toEqual(['set -> callee: CANCEL'])
    expect(ladder.last(callee, 'CANCEL')).toBe(cancel)
    ladder.pass(0.6)
    expect(ladder.take()).toEqual(['set -> callee: CANCEL'])
    ladder.say(callee, response(callee, cancel, 200))
    ladder.say(callee, response(callee, invite, 487))
    expect(ladder.take().at(-1)).toBe('set -> caller: 487 INVITE')
  })

  test('cancelled on a stream: the answer to the CANCEL too, with the same bytes; nobody repeats the CANCEL there', () => {
    const { ladder, caller, sent } = ringing({ callerStream: '1.a.1/1', calleeStream: '1.a.1/2' })
    ladder.say(caller, follower(sent, 'CANCEL'))
    const answer = ladder.last(caller, '200 CANCEL')
    ladder.take()
    ladder.takeover()
    expect(ladder.take()).toContain('set -> caller: 200 CANCEL')
    expect(ladder.last(caller, '200 CANCEL')).toBe(answer)
  })

  test('so it is in a set that writes format 1, but for that answer, which it has no room for', () => {
    const { ladder, caller, sent } = ringing({ callerStream: '1.a.1/1', calleeStream: '1.a.1/2', format: 1 })
    ladder.say(caller, follower(sent, 'CANCEL'))
    ladder.take()
    ladder.takeover()
    const said = ladder.take()
    expect(said).toContain('set -> callee: CANCEL')
    expect(said).not.toContain('set -> caller: 200 CANCEL')
  })

  test('cancelled before any provisional: the INVITE, and the CANCEL after its first 1xx', () => {
    const { ladder, caller, callee, sent, invite } = calling()
    ladder.say(caller, follower(sent, 'CANCEL'))
    ladder.takeover()
    ladder.pass(1.1)
    expect(ladder.take().slice(-2)).toEqual(['-- takeover --', 'set -> callee: INVITE'])
    ladder.say(callee, response(callee, invite, 180))
    expect(ladder.take()).toContain('set -> callee: CANCEL')
  })

  test('a failure that was committed: its ACK and its answer, once each, with the same bytes', () => {
    const { ladder, caller, callee, invite } = ringing()
    ladder.stalled = true
    ladder.say(callee, response(callee, invite, 486))
    ladder.release()
    const sentBefore = [ladder.last(callee, 'ACK'), ladder.last(caller, '486 INVITE')]
    ladder.takeover()
    expect(ladder.take().slice(-2)).toEqual(['set -> callee: ACK', 'set -> caller: 486 INVITE'])
    expect([ladder.last(callee, 'ACK'), ladder.last(caller, '486 INVITE')]).toEqual(sentBefore)
    ladder.pass(0.6)
    expect(ladder.take()).toEqual(['set -> caller: 486 INVITE'])
  })

  test('a failure whose commit died with the owner: the callee repeats it, and it is decided again', () => {
    const { ladder, callee, invite } = ringing()
    ladder.stalled = true
    ladder.say(callee, response(callee, invite, 486))
    ladder.takeover()
    ladder.take()
    ladder.say(callee, response(callee, invite, 486))
    expect(ladder.take().slice(-2)).toEqual(['set -> callee: ACK', 'set -> caller: 486 INVITE'])
  })

  test("accepted on UDP: nothing is sent, the callee's repeat is relayed", () => {
    const { ladder, callee, invite } = talking()
    ladder.takeover()
    expect(ladder.take()).toEqual(['-- takeover --'])
    ladder.say(callee, response(callee, invite, 200))
    expect(ladder.take()).toEqual(['callee -> set: 200 INVITE', 'set -> caller: 200 INVITE'])
  })

  test('accepted on streams: the stored 2xx once, since not every callee repeats it there', () => {
    const { ladder, caller, callee, invite } = ringing({ callerStream: '1.a.1/1', calleeStream: '1.a.1/2' })
    ladder.say(callee, response(callee, invite, 200))
    const ok = ladder.last(caller, '200 INVITE')
    ladder.takeover()
    expect(ladder.take().slice(-2)).toEqual(['-- takeover --', 'set -> caller: 200 INVITE'])
    expect(ladder.last(caller, '200 INVITE')).toBe(ok)
  })

  test('ended: the stored final of the BYE once, for its 64*T1', () => {
    const { ladder, caller, callee, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    const final = ladder.last(caller, '200 BYE')
    ladder.takeover()
    expect(ladder.take().slice(-2)).toEqual(['-- takeover --', 'set -> caller: 200 BYE'])
    expect(ladder.last(caller, '200 BYE')).toBe(final)
  })

  test('a repeated INVITE at the new owner gets the 100 it had', () => {
    const { ladder, caller, sent } = calling()
    const trying = ladder.last(caller, '100 INVITE')
    ladder.takeover()
    ladder.take()
    ladder.say(caller, sent)
    expect(ladder.take()).toEqual(['caller -> set: INVITE', 'set -> caller: 100 INVITE'])
    expect(ladder.last(caller, '100 INVITE')).toBe(trying)
  })

  test('a timer that fired before its owner could perform it', () => {
    const { ladder, caller, sent, callee } = ringing()
    ladder.say(caller, follower(sent, 'CANCEL'))
    ladder.say(callee, response(callee, ladder.last(callee, 'CANCEL'), 200))
    ladder.sleep(33)
    ladder.fireUnheard()
    expect(ladder.store.counts().intentsOpen).toBe(1)
    ladder.takeover()
    expect(ladder.take()).toContain('set -> caller: 487 INVITE')
    expect(ladder.store.counts().intentsOpen).toBe(0)
  })
})
