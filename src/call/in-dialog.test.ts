import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { header, values } from '../sip/message.ts'
import { Ladder } from './testing/ladder.ts'
import { follower, inDialog, parsed, parsedRequest, phone, request, response } from './testing/phone.ts'
import { calling, ringing, talking } from './testing/scene.ts'

describe('requests in a dialog (RFC 3261 12.2, 16.4 to 16.6)', () => {
  test('a re-INVITE waits for its commit, its 2xx too; both targets are refreshed', () => {
    const { ladder, caller, callee, callerLeg } = talking()
    const moved = { ...caller, contact: 'sip:caller@127.31.0.2:5070' }
    ladder.say(caller, inDialog(moved, callerLeg, 'INVITE', 2))
    expect(ladder.take()).toEqual([
      'caller -> set: INVITE',
      'commit: tx 2, tx 2.1, dialog 1, timer c.2.1',
      'set -> callee: INVITE',
      'set -> caller: 100 INVITE',
    ])
    const invite = ladder.last(callee, 'INVITE')
    ladder.say(callee, response({ ...callee, contact: 'sip:callee@127.31.0.3:5071' }, invite, 200))
    expect(ladder.take().slice(1)).toEqual([
      'commit: tx 2, dialog 1, timer x.2, cancel c.2.1',
      'set -> caller: 200 INVITE',
    ])
    // Without Route and with the set as its Request-URI, a request goes to the target that was committed.
    const plain = { ...callerLeg, routes: [], target: 'sip:callee@127.31.0.1:5060' }
    ladder.say(caller, inDialog(caller, plain, 'INFO', 3))
    expect(ladder.sent.at(-1)?.flow.port).toBe(5071)
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
  })

  test('a re-INVITE that fails changes nothing of the dialog', () => {
    const { ladder, caller, callee, calleeLeg } = talking()
    ladder.say(callee, inDialog(callee, calleeLeg, 'INVITE', 1))
    const invite = ladder.last(caller, 'INVITE')
    ladder.say(caller, response(caller, invite, 491))
    expect(ladder.take().at(-1)).toBe('set -> callee: 491 INVITE')
    ladder.pass(40)
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
    expect(ladder.view?.entities.map((one) => one.tree)).toEqual(['Dialog', 'SipApplicationSession', 'SipSession'])
  })

  test("SIPp's built-in uac: no Route, the Request-URI is the set, from INVITE to BYE", () => {
    const { ladder, caller, callee, invite } = ringing()
    ladder.say(callee, response(callee, invite, 200))
    const leg = {
      callId: 'call-1',
      local: '<sip:caller@example.com>;tag=caller-tag',
      remote: '<sip:callee@example.com>;tag=callee-tag',
      target: 'sip:service@127.31.0.1:5060',
      routes: [],
    }
    ladder.take()
    ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
    ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
    expect(ladder.take()).toEqual([
      'caller -> set: ACK',
      'set -> callee: ACK',
      'caller -> set: BYE',
      'set -> callee: BYE',
      'commit: dialog 1, timer e.1',
    ])
    expect(parsedRequest(ladder.last(callee, 'BYE')).requestUri).toBe(callee.contact)
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
  })

  test('16.4: loose routing takes our Route away and keeps the Request-URI', () => {
    const { ladder, caller, callee, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'INFO', 2))
    const info = parsedRequest(ladder.last(callee, 'INFO'))
    expect(values(info, 'Route')).toEqual([])
    expect(info.requestUri).toBe(callee.contact)
    expect(header(info, 'Max-Forwards')).toBe('69')
  })

  test('16.4: a strict router before us put our Record-Route into the Request-URI', () => {
    const { ladder, caller, callee, callerLeg } = talking()
    const ours = must(callerLeg.routes[0], 'a Route').slice(1, -1)
    const strict = { ...callerLeg, target: ours, routes: [`<${callerLeg.target}>`] }
    ladder.say(caller, inDialog(caller, strict, 'INFO', 2))
    const info = parsedRequest(ladder.last(callee, 'INFO'))
    expect(info.requestUri).toBe(callee.contact)
    expect(values(info, 'Route')).toEqual([])
  })

  test('16.6 step 6: a strict router after us gets its own address as Request-URI', () => {
    const { ladder, caller, callerLeg } = talking()
    const beyond = { ...callerLeg, routes: [...callerLeg.routes, '<sip:127.31.0.9:5090>', '<sip:127.31.0.10;lr>'] }
    ladder.say(caller, inDialog(caller, beyond, 'INFO', 2))
    const sent = must(ladder.sent.at(-1), 'a send')
    const info = parsedRequest(sent.data)
    expect([sent.flow.host, sent.flow.port]).toEqual(['127.31.0.9', 5090])
    expect(info.requestUri).toBe('sip:127.31.0.9:5090')
    expect(values(info, 'Route')).toEqual(['<sip:127.31.0.10;lr>', `<${callerLeg.target}>`])
  })

  test('a non-INVITE is relayed at once, repeated by timer E, its repeats absorbed, its answer kept', () => {
    const { ladder, caller, callee, callerLeg } = talking()
    const info = inDialog(caller, callerLeg, 'INFO', 2)
    ladder.say(caller, info)
    ladder.say(caller, info)
    expect(ladder.take()).toEqual(['caller -> set: INFO', 'set -> callee: INFO', 'caller -> set: INFO'])
    ladder.pass(0.6)
    expect(ladder.take()).toEqual(['set -> callee: INFO'])
    const before = ladder.handled.length
    ladder.say(callee, response(callee, ladder.last(callee, 'INFO'), 200))
    // Both copies of the request are handled with its final answer.
    expect(ladder.handled.length - before).toBe(3)
    ladder.say(caller, info)
    expect(ladder.take()).toEqual([
      'callee -> set: 200 INFO',
      'set -> caller: 200 INFO',
      'caller -> set: INFO',
      'set -> caller: 200 INFO',
    ])
  })

  test.each(['UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER'])(
    'RFC 5057 5.4: the 2xx of %s waits for the commit of the new targets, and requests go there',
    (method) => {
      const { ladder, caller, callee, callerLeg } = talking()
      ladder.say(caller, inDialog(caller, callerLeg, method, 2))
      const moved = { ...callee, contact: 'sip:callee@127.31.0.3:5099' }
      ladder.say(callee, response(moved, ladder.last(callee, method), 200))
      expect(ladder.take().slice(-2)).toEqual(['commit: dialog 1', `set -> caller: 200 ${method}`])
      const plain = { ...callerLeg, routes: [], target: 'sip:callee@127.31.0.1:5060' }
      ladder.say(caller, inDialog(caller, plain, 'INFO', 3))
      expect(ladder.sent.at(-1)?.flow).toMatchObject({ host: '127.31.0.3', port: 5099 })
    },
  )

  test.each([
    ['REFER', 603],
    ['INFO', 200],
    ['MESSAGE', 200],
  ])('%s with %i sets no target', (method, status) => {
    const { ladder, caller, callee, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, method, 2))
    const moved = { ...callee, contact: 'sip:callee@127.31.0.3:5099' }
    ladder.say(callee, response(moved, ladder.last(callee, method), status))
    expect(ladder.take().slice(-1)).toEqual([`set -> caller: ${status} ${method}`])
    const plain = { ...callerLeg, routes: [], target: 'sip:callee@127.31.0.1:5060' }
    ladder.say(caller, inDialog(caller, plain, 'INFO', 3))
    expect(ladder.sent.at(-1)?.flow).toMatchObject({ host: '127.31.0.3', port: 5064 })
  })

  test.each(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER'])(
    '12.2.1.2: a late 2xx of %s, whose CSeq is lower than one that has set the targets, sets none; a higher one does',
    (method) => {
      const { ladder, caller, callee, callerLeg } = talking()
      const at = (port: number) => ({ ...callee, contact: `sip:callee@127.31.0.3:${port}` })
      ladder.say(caller, inDialog(caller, callerLeg, method, 2))
      const first = ladder.last(callee, method)
      ladder.say(caller, inDialog(caller, callerLeg, 'UPDATE', 3))
      ladder.say(callee, response(at(5093), ladder.last(callee, 'UPDATE'), 200))
      ladder.say(callee, response(at(5092), first, 200))
      expect(ladder.last(caller, `200 ${method}`)).toContain('5092')
      const plain = { ...callerLeg, routes: [], target: 'sip:callee@127.31.0.1:5060' }
      const asked = (number: number): number | undefined => {
        ladder.say(caller, inDialog(caller, plain, 'INFO', number))
        return ladder.sent.at(-1)?.flow.port
      }
      expect(asked(4)).toBe(5093)
      ladder.say(caller, inDialog(caller, callerLeg, method, 5))
      ladder.say(callee, response(at(5095), ladder.last(callee, method), 200))
      expect(asked(6)).toBe(5095)
    },
  )

  test('12.2.1.2: a 2xx of UPDATE that comes again to a new owner does not undo what the other side has said since', () => {
    const { ladder, caller, callee, callerLeg, calleeLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'UPDATE', 2))
    const answer = response({ ...callee, contact: 'sip:callee@127.31.0.3:5092' }, ladder.last(callee, 'UPDATE'), 200)
    ladder.say(callee, answer)
    const moved = { ...callee, contact: 'sip:callee@127.31.0.3:5093' }
    ladder.say(callee, inDialog(moved, calleeLeg, 'UPDATE', 1))
    ladder.say(caller, response(caller, ladder.last(caller, 'UPDATE'), 200))
    ladder.takeover()
    ladder.say(callee, answer)
    const plain = { ...callerLeg, routes: [], target: 'sip:callee@127.31.0.1:5060' }
    ladder.say(caller, inDialog(caller, plain, 'INFO', 3))
    expect(ladder.sent.at(-1)?.flow.port).toBe(5093)
  })

  test.each(['REFER', 'SUBSCRIBE', 'NOTIFY', 'INFO', 'MESSAGE'])(
    '%s passes from either side, and its answer back; the call goes on',
    (method) => {
      const { ladder, caller, callee, callerLeg, calleeLeg } = talking()
      // The transaction of its INVITE goes by itself.
      ladder.pass(40)
      ladder.take()
      const before = ladder.view?.entities
      const headers = [
        ['Event', 'refer'],
        ['Refer-To', '<sip:third@example.com>'],
      ] as const
      for (const [from, to, leg] of [
        [caller, callee, callerLeg],
        [callee, caller, calleeLeg],
      ] as const) {
        ladder.say(from, inDialog(from, leg, method, 7, { headers }))
        const passed = parsedRequest(ladder.last(to, method))
        expect([passed.requestUri, header(passed, 'CSeq'), header(passed, 'Refer-To')]).toEqual([
          to.contact,
          `7 ${method}`,
          '<sip:third@example.com>',
        ])
        ladder.say(to, response(to, ladder.last(to, method), 202))
        expect(ladder.take()).toEqual([
          `${from.name} -> set: ${method}`,
          `set -> ${to.name}: ${method}`,
          `${to.name} -> set: 202 ${method}`,
          // Of what may set targets (RFC 5057 5.4) the log knows which one did last.
          ...(['INFO', 'MESSAGE'].includes(method) ? [] : ['commit: dialog 1']),
          `set -> ${from.name}: 202 ${method}`,
        ])
      }
      ladder.pass(40)
      const known = (list: typeof before) => list?.map(({ tree, id }) => `${tree} ${id}`)
      expect(known(ladder.view?.entities)).toEqual(known(before))
      expect(ladder.store.counter('calls.confirmed')).toBe(1)
    },
  )

  test('RFC 5057 4.1: a subscription outlives the call: a NOTIFY after the BYE goes on by its Route', () => {
    const { ladder, caller, callee, callerLeg, calleeLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'REFER', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'REFER'), 202))
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 3))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    for (const number of [1, 2]) {
      ladder.take()
      ladder.say(callee, inDialog(callee, calleeLeg, 'NOTIFY', number))
      ladder.say(caller, response(caller, ladder.last(caller, 'NOTIFY'), 200))
      expect(ladder.take()).toEqual([
        'callee -> set: NOTIFY',
        'set -> caller: NOTIFY',
        'caller -> set: 200 NOTIFY',
        'set -> callee: 200 NOTIFY',
      ])
      // The second one comes when nothing is kept of the call.
      ladder.pass(40)
      expect(ladder.idle).toBe(true)
    }
  })

  test('14.1: re-INVITEs that cross: each has its 491 from the other side, which a new owner says again with the same bytes', () => {
    const { ladder, caller, callee, callerLeg, calleeLeg } = talking()
    const [ours, theirs] = [inDialog(caller, callerLeg, 'INVITE', 2), inDialog(callee, calleeLeg, 'INVITE', 1)]
    ladder.say(caller, ours)
    ladder.say(callee, theirs)
    const [down, up] = [ladder.last(callee, 'INVITE'), ladder.last(caller, 'INVITE')]
    ladder.say(callee, response(callee, down, 491))
    ladder.say(caller, response(caller, up, 491))
    const finals = [ladder.last(caller, '491 INVITE'), ladder.last(callee, '491 INVITE')]
    ladder.take()
    ladder.takeover()
    ladder.say(caller, ours)
    ladder.say(callee, theirs)
    expect([ladder.last(caller, '491 INVITE'), ladder.last(callee, '491 INVITE')]).toEqual(finals)
    // Neither goes to the other side again.
    expect(ladder.take().filter((line) => /^set -> \w+: INVITE/.test(line))).toEqual([])
    ladder.say(caller, follower(ours, 'ACK', must(finals[0], 'a 491')))
    ladder.say(callee, follower(theirs, 'ACK', must(finals[1], 'a 491')))
    ladder.pass(40)
    expect(ladder.store.counter('calls.confirmed')).toBe(1)
    expect(ladder.view?.entities.map((one) => one.tree)).toEqual(['Dialog', 'SipApplicationSession', 'SipSession'])
  })

  test('an unknown dialog: relayed by Route; to the set itself 481, and an ACK is dropped', () => {
    const { ladder, caller, callerLeg } = talking()
    const stranger = { ...callerLeg, callId: 'unknown', remote: '<sip:x@example.com>;tag=nobody' }
    ladder.say(caller, inDialog(caller, stranger, 'INFO', 7))
    expect(ladder.take()).toEqual(['caller -> set: INFO', 'set -> callee: INFO'])
    const bare = { ...stranger, routes: [], target: 'sip:x@127.31.0.1:5060' }
    ladder.say(caller, inDialog(caller, bare, 'BYE', 8))
    ladder.say(caller, inDialog(caller, bare, 'ACK', 9))
    expect(ladder.take()).toEqual(['caller -> set: BYE', 'set -> caller: 481 BYE', 'caller -> set: ACK'])
  })

  test('an answer whose owner died is relayed by its Via, if that is one we made', () => {
    const { ladder, caller, callee, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'INFO', 2))
    const answer = response(callee, ladder.last(callee, 'INFO'), 200)
    ladder.takeover()
    ladder.take()
    ladder.say(callee, answer)
    expect(ladder.take()).toEqual(['callee -> set: 200 INFO', 'set -> caller: 200 INFO'])
    const forged = answer.replace(/;hf=1[0-9a-f]{8}/, ';hf=100000000').replaceAll('z9hG4bK1', 'z9hG4bK2')
    ladder.say(callee, forged)
    expect(ladder.take()).toEqual(['callee -> set: 200 INFO'])
  })

  test('a fork further down: a second 2xx with another To tag makes its own dialog before it is relayed', () => {
    const { ladder, caller, callee, invite } = ringing()
    ladder.say(callee, response(callee, invite, 180, [], 'other-tag'))
    expect(ladder.view?.entities.filter((one) => one.tree === 'Dialog')).toHaveLength(2)
    ladder.say(callee, response(callee, invite, 200))
    expect(ladder.view?.entities.filter((one) => one.tree === 'Dialog')).toHaveLength(1)
    ladder.take()
    ladder.say(callee, response(callee, invite, 200, [], 'other-tag'))
    expect(ladder.take()).toEqual([
      'callee -> set: 200 INVITE',
      'commit: dialog 2, holds confirmed+confirmed',
      'set -> caller: 200 INVITE',
    ])
    expect(ladder.last(caller, '200 INVITE')).toContain('other-tag')
    ladder.pass(40)
    expect(ladder.store.counter('calls.confirmed')).toBe(2)
  })

  test('a merged request (same Call-ID, tag and CSeq by another way) is forwarded: 482 is a UAS rule', () => {
    const { ladder, caller, callee } = calling()
    ladder.say(caller, request(caller, 'INVITE', 'sip:callee@127.31.0.1:5060', { branch: 'z9hG4bK-other-way' }))
    expect(ladder.take()[1]).toBe('commit: tx 2, tx 2.1, timer c.2.1')
    expect(ladder.store.counter('calls.early')).toBe(1)
    expect(ladder.sent.filter((one) => one.to === callee.name)).toHaveLength(2)
  })

  test('without room in the group a new INVITE gets 503, and the ACK for that ends here', () => {
    const { ladder, caller } = calling()
    for (let i = 2; i <= 32; i++) {
      ladder.say(caller, request(caller, 'INVITE', 'sip:callee@127.31.0.1:5060', { cseq: i }))
    }
    ladder.take()
    const last = request(caller, 'INVITE', 'sip:callee@127.31.0.1:5060', { cseq: 33 })
    ladder.say(caller, last)
    expect(ladder.take()).toEqual(['caller -> set: INVITE', 'set -> caller: 503 INVITE'])
    expect(header(parsed(ladder.last(caller, '503 INVITE')), 'Retry-After')).toBe('32')
    ladder.say(caller, follower(last, 'ACK', ladder.last(caller, '503 INVITE')))
    expect(ladder.take()).toEqual(['caller -> set: ACK'])
  })

  test('while the log has no room new calls get 503; calls that are up go on', () => {
    const { ladder, caller, callerLeg } = talking()
    ladder.acceptsCalls = false
    ladder.say(caller, request(caller, 'INVITE', 'sip:callee@127.31.0.1:5060', { cseq: 9 }))
    ladder.say(caller, inDialog(caller, callerLeg, 'INVITE', 10))
    expect(ladder.take().filter((line) => line.startsWith('set'))).toEqual([
      'set -> caller: 503 INVITE',
      'set -> callee: INVITE',
      'set -> caller: 100 INVITE',
    ])
  })

  test('out of a dialog, when there is no more room for its transaction: relayed without state (16.11)', () => {
    const caller = phone('caller', '127.31.0.2', 5062)
    const callee = phone('callee', '127.31.0.3', 5064)
    const nextHop = { host: '127.31.0.3', port: 5064, transport: null }
    const ladder = new Ladder({ sip: { host: '127.31.0.1', port: 5060 }, nextHop }, [caller, callee])
    ladder.keepsRelays = false
    const asked = request(caller, 'MESSAGE', 'sip:callee@example.com')
    ladder.say(caller, asked)
    const first = ladder.last(callee, 'MESSAGE')
    ladder.say(caller, asked)
    // A repetition has the same branch, so the callee takes it for one.
    expect(ladder.last(callee, 'MESSAGE')).toBe(first)
    ladder.say(callee, response(callee, first, 202))
    expect(ladder.take().filter((line) => line.startsWith('set'))).toEqual([
      'set -> callee: MESSAGE',
      'set -> callee: MESSAGE',
      'set -> caller: 202 MESSAGE',
    ])
    expect(ladder.handled).toHaveLength(3)
    expect(ladder.idle).toBe(true)
  })

  test('out of a dialog: relayed without a commit, and nothing stays', () => {
    const caller = phone('caller', '127.31.0.2', 5062)
    const callee = phone('callee', '127.31.0.3', 5064)
    const nextHop = { host: '127.31.0.3', port: 5064, transport: null }
    const ladder = new Ladder({ sip: { host: '127.31.0.1', port: 5060 }, nextHop }, [caller, callee])
    ladder.say(caller, request(caller, 'MESSAGE', 'sip:callee@example.com'))
    ladder.say(callee, response(callee, ladder.last(callee, 'MESSAGE'), 202))
    expect(ladder.take()).toEqual([
      'caller -> set: MESSAGE',
      'set -> callee: MESSAGE',
      'callee -> set: 202 MESSAGE',
      'set -> caller: 202 MESSAGE',
    ])
    ladder.pass(33)
    expect(ladder.idle).toBe(true)
  })
})
