import { describe, expect, test } from 'vitest'
import { callId, header, toTag, values } from '../sip/message.ts'
import { calling, ringing, talking } from './testing/scene.ts'
import { follower, parsed, response } from './testing/phone.ts'

describe('CANCEL (RFC 3261 9, 16.10)', () => {
  test('its commit, then its 200, then our CANCEL; 487 after its own commit; nothing is left 64*T1 later', () => {
    const { ladder, caller, callee, sent, invite } = ringing()
    ladder.say(caller, follower(sent, 'CANCEL'))
    expect(ladder.take()).toEqual([
      'caller -> set: CANCEL',
      'commit: tx 1, timer k.1.1, cancel c.1.1',
      'set -> caller: 200 CANCEL',
      'set -> callee: CANCEL',
    ])
    const cancel = ladder.last(callee, 'CANCEL')
    ladder.say(callee, response(callee, cancel, 200))
    ladder.say(callee, response(callee, invite, 487))
    expect(ladder.take()).toEqual([
      'callee -> set: 200 CANCEL',
      'callee -> set: 487 INVITE',
      'commit: tx 1, session 1, -dialog 1, timer x.1, timer x, cancel c.1.1, cancel k.1.1, cancel e.1, holds none',
      'set -> callee: ACK',
      'set -> caller: 487 INVITE',
    ])
    ladder.say(caller, follower(sent, 'ACK', ladder.last(caller, '487 INVITE')))
    expect(ladder.take()).toEqual(['caller -> set: ACK'])
    ladder.pass(33)
    expect(ladder.idle).toBe(true)
  })

  test('9.1, 17.1.1.3: CANCEL and ACK have the top Via, Call-ID and CSeq number of the INVITE we sent', () => {
    const { ladder, caller, callee, sent, invite } = ringing()
    ladder.say(caller, follower(sent, 'CANCEL'))
    ladder.say(callee, response(callee, invite, 487))
    const asked = parsed(invite)
    for (const method of ['CANCEL', 'ACK']) {
      const follows = parsed(ladder.last(callee, method))
      expect(values(follows, 'Via')).toEqual([values(asked, 'Via')[0]])
      expect(callId(follows)).toBe(callId(asked))
      expect(header(follows, 'CSeq')).toBe(`1 ${method}`)
      expect(toTag(follows)).toBe(method === 'ACK' ? 'callee-tag' : null)
    }
  })

  test('9.2: the 200 to a CANCEL is the same each time, and goes out while nothing is known of the 487', () => {
    const { ladder, caller, sent } = ringing()
    ladder.say(caller, follower(sent, 'CANCEL'))
    const first = ladder.last(caller, '200 CANCEL')
    ladder.take()
    ladder.say(caller, follower(sent, 'CANCEL'))
    expect(ladder.take()).toEqual(['caller -> set: CANCEL', 'set -> caller: 200 CANCEL'])
    expect(ladder.last(caller, '200 CANCEL')).toBe(first)
  })

  test('9.1: before the first provisional our CANCEL waits for it', () => {
    const { ladder, caller, callee, sent, invite } = calling()
    ladder.say(caller, follower(sent, 'CANCEL'))
    expect(ladder.take().slice(1)).toEqual(['commit: tx 1, timer k.1.1, cancel c.1.1', 'set -> caller: 200 CANCEL'])
    ladder.say(callee, response(callee, invite, 100))
    expect(ladder.take()).toEqual(['callee -> set: 100 INVITE', 'set -> callee: CANCEL', 'commit: tx 1'])
  })

  test('nothing leaves before the commit (schedules.md: the caller stops, the callee rings on)', () => {
    const { ladder, caller, sent } = ringing()
    ladder.stalled = true
    ladder.say(caller, follower(sent, 'CANCEL'))
    expect(ladder.take()).toEqual(['caller -> set: CANCEL'])
    expect(ladder.handled).not.toContain(3)
    ladder.release()
    expect(ladder.handled).toContain(3)
  })

  test('our CANCEL is repeated until it is answered (17.1.2.2)', () => {
    const { ladder, caller, callee, sent } = ringing()
    ladder.say(caller, follower(sent, 'CANCEL'))
    ladder.take()
    ladder.pass(1.6)
    expect(ladder.take()).toEqual(['set -> callee: CANCEL', 'set -> callee: CANCEL'])
    ladder.say(callee, response(callee, ladder.last(callee, 'CANCEL'), 200))
    ladder.take()
    ladder.pass(10)
    expect(ladder.take()).toEqual([])
  })

  test('9.1: without a final for 64*T1 the INVITE is given up', () => {
    const { ladder, caller, callee, sent, invite } = ringing()
    ladder.say(caller, follower(sent, 'CANCEL'))
    ladder.say(callee, response(callee, ladder.last(callee, 'CANCEL'), 200))
    ladder.take()
    ladder.pass(32.1)
    const lines = ladder.take()
    expect(lines[0]).toBe('fired: k.1.1')
    expect(lines).toContain('set -> caller: 487 INVITE')
    ladder.take()
    // A failure after that still gets its ACK, and goes no further.
    ladder.say(callee, response(callee, invite, 487))
    expect(ladder.take()).toEqual(['callee -> set: 487 INVITE', 'set -> callee: ACK'])
    ladder.say(callee, response(callee, invite, 200))
    expect(ladder.take()).toEqual(['callee -> set: 200 INVITE'])
  })

  test('a CANCEL that crosses the 200 gets its 200 and does nothing', () => {
    const { ladder, caller, sent } = talking()
    ladder.say(caller, follower(sent, 'CANCEL'))
    expect(ladder.take()).toEqual(['caller -> set: CANCEL', 'set -> caller: 200 CANCEL'])
  })

  test('16.10: a CANCEL whose INVITE is unknown is forwarded without state, with the branch the INVITE had', () => {
    const { ladder, caller, callee, sent, invite } = ringing()
    ladder.pass(200)
    ladder.say(callee, response(callee, invite, 487))
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
    ladder.take()
    ladder.say(caller, follower(sent, 'CANCEL'))
    expect(ladder.take()).toEqual(['caller -> set: CANCEL', 'set -> callee: CANCEL'])
    const branches = [ladder.last(callee, 'CANCEL'), invite].map((text) => values(parsed(text), 'Via')[0])
    expect(branches[0]).toBe(branches[1])
    // Its answer finds its way without state too.
    ladder.say(callee, response(callee, ladder.last(callee, 'CANCEL'), 481))
    expect(ladder.take()).toEqual(['callee -> set: 481 CANCEL', 'set -> caller: 481 CANCEL'])
  })

  test('16.8: timer C cancels a call that rings for ever; each 101 to 199 a minute later sets it anew', () => {
    const { ladder, caller, callee, invite } = ringing()
    ladder.pass(61)
    ladder.say(callee, response(callee, invite, 183))
    expect(ladder.take()).toEqual(['callee -> set: 183 INVITE', 'set -> caller: 183 INVITE', 'commit: timer c.1.1'])
    ladder.say(callee, response(callee, invite, 183))
    expect(ladder.take()).toEqual(['callee -> set: 183 INVITE', 'set -> caller: 183 INVITE'])
    ladder.pass(184)
    expect(ladder.take()).toEqual([])
    ladder.pass(1.2)
    expect(ladder.take().slice(0, 3)).toEqual([
      'fired: c.1.1',
      'commit: tx 1, timer k.1.1, cancel c.1.1, done c.1.1',
      'set -> callee: CANCEL',
    ])
    expect(ladder.store.counts().intentsOpen).toBe(0)
    ladder.say(callee, response(callee, invite, 487))
    expect(ladder.last(caller, '487 INVITE')).toBeDefined()
  })
})
