import { describe, expect, test } from 'vitest'
import { header, headers, toTag, values } from '../sip/message.ts'
import { forked, named } from './testing/fork.ts'
import type { Fork } from './testing/fork.ts'
import { callerLeg, follower, inDialog, parsed, parsedRequest, response } from './testing/phone.ts'

/** What leaves the set, without commits. */
function left({ ladder }: Fork): readonly string[] {
  return ladder.take().filter((line) => line.startsWith('set -> '))
}

function cancel({ ladder, caller, sent }: Fork): void {
  ladder.say(caller, follower(sent, 'CANCEL'))
}

/** Both were called, both ring. */
function bothRing(options: Parameters<typeof forked>[1] = {}): Fork {
  const fork = forked('a,b', options)
  fork.answer('a', 180)
  fork.answer('b', 180)
  fork.ladder.take()
  return fork
}

/** Nothing of it is left anywhere, and no counter is held. */
function expectForgotten({ ladder }: Fork): void {
  expect(ladder.store.counts()).toMatchObject({ groups: 0, entities: 0, timersPending: 0, intentsOpen: 0 })
  expect([ladder.store.counter('calls.early'), ladder.store.counter('calls.confirmed')]).toEqual([0, 0])
  expect(ladder.idle).toBe(true)
}

describe('16.6: the request goes to its targets', () => {
  test('at once to those of a group, in one commit, each under its own branch; one 100', () => {
    const { ladder, callees } = forked('a,b,c')
    expect(ladder.sent.map(({ to }) => to)).toEqual(['a', 'b', 'c', 'caller'])
    const vias = callees.map((callee) => values(parsed(ladder.last(callee, 'INVITE')), 'Via')[0])
    expect(new Set(vias).size).toBe(3)
    expect(ladder.store.counter('calls.early')).toBe(1)
  })

  test('one after another to groups: the next one when all of the group have failed, in the commit of the last failure', () => {
    const fork = forked('a,b|c')
    fork.answer('a', 486)
    expect(left(fork)).toEqual(['set -> a: ACK'])
    fork.answer('b', 404)
    expect(fork.ladder.take()).toEqual([
      'b -> set: 404 INVITE',
      'commit: tx 1.3, tx 1, timer c.1.3, cancel c.1.2',
      'set -> b: ACK',
      'set -> c: INVITE',
    ])
    fork.answer('c', 200)
    expect(left(fork)).toEqual(['set -> caller: 200 INVITE'])
  })

  test('a new owner that finds the first group past its time calls the next one, which has all of its own', () => {
    const fork = forked('a|b')
    fork.ladder.sleep(33)
    fork.ladder.takeover()
    expect(left(fork)).toEqual(['set -> b: INVITE'])
    fork.ladder.pass(20)
    fork.answer('b', 200)
    expect(left(fork).at(-1)).toBe('set -> caller: 200 INVITE')
  })

  test('timer C and timer B run for each branch from its own beginning', () => {
    const fork = forked('a|b')
    fork.ladder.pass(20)
    fork.answer('a', 486)
    fork.ladder.take()
    fork.ladder.pass(31)
    expect(left(fork)).not.toContain('set -> caller: 486 INVITE')
    fork.ladder.pass(2)
    expect(left(fork)).toContain('set -> caller: 486 INVITE')
  })

  test('a set that still writes format 1 has no way to keep a fork: the first target alone', () => {
    expect(forked('a,b|c', { format: 1 }).ladder.sent.map(({ to }) => to)).toEqual(['a', 'caller'])
  })

  test('a request in a dialog does not fork', () => {
    const fork = bothRing()
    const { ladder, caller } = fork
    fork.answer('b', 200)
    const leg = callerLeg(ladder.last(caller, '200 INVITE'))
    ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
    ladder.take()
    ladder.say(caller, inDialog(caller, leg, 'INVITE', 2))
    expect(left(fork)).toEqual(['set -> b: INVITE', 'set -> caller: 100 INVITE'])
  })
})

describe('RFC 5393 5.3.3: no more branches at once than Max-Breadth', () => {
  const breadths = ({ ladder, callees }: Fork): readonly (string | null)[] =>
    callees.flatMap(({ name }) => {
      const invite = ladder.sent.find(({ to, data }) => to === name && data.startsWith('INVITE'))
      return invite === undefined ? [] : [header(parsed(invite.data), 'Max-Breadth')]
    })

  test.each([
    ['what nobody bounded is 60', [], ['20', '20', '20']],
    ['what is there is shared', [['Max-Breadth', '7']], ['2', '2', '2']],
    ['less than there are targets: the rest waits', [['Max-Breadth', '2']], ['1', '1']],
  ] as const)('%s', (_, list, shares) => {
    expect(breadths(forked('a,b,c', { headers: list }))).toEqual(shares)
  })

  test('a branch that is over gives its share back', () => {
    const fork = forked('a,b', { headers: [['Max-Breadth', '1']] })
    fork.answer('a', 486)
    expect(breadths(fork)).toEqual(['1', '1'])
  })
})

describe('16.7 step 6: the best response', () => {
  test.each([
    ['6xx before all', [486, 603], '603'],
    ['the lowest class', [500, 302], '302'],
    ['4xx before 5xx', [503, 404], '404'],
    ['in 4xx what helps to ask again', [486, 484], '484'],
    ['a word before no word', [408, 486], '486'],
    ['of equal ones the first target, whoever was faster', [404, 486], '404'],
    ['another 5xx before 503', [503, 502], '502'],
    ['503 when all next hops say so', [503, 503], '503'],
  ])('%s', (_, [first, second], best) => {
    for (const order of [['a', 'b'] as const, ['b', 'a'] as const]) {
      const fork = bothRing()
      for (const name of order) fork.answer(name, (name === 'a' ? first : second) ?? 0)
      const finals = left(fork).filter((line) => line.startsWith('set -> caller'))
      expect(finals).toEqual([`set -> caller: ${best} INVITE`])
    }
  })

  test('16.7 step 7: the challenges of all branches', () => {
    const fork = bothRing()
    fork.answer('a', 407, [['Proxy-Authenticate', 'Digest realm="a", nonce="1"']])
    fork.answer('b', 401, [['WWW-Authenticate', 'Digest realm="b", nonce="2"']])
    const said = parsed(fork.ladder.last(fork.caller, '407 INVITE'))
    expect(headers(said, 'Proxy-Authenticate')).toEqual(['Digest realm="a", nonce="1"'])
    expect(headers(said, 'WWW-Authenticate')).toEqual(['Digest realm="b", nonce="2"'])
  })

  test('16.7 step 5: a failure is kept until the others have ended, and is what it was at another owner', () => {
    const fork = bothRing()
    fork.answer('a', 486)
    expect(fork.ladder.take().slice(1)).toEqual(['commit: tx 1, cancel c.1.1', 'set -> a: ACK'])
    fork.ladder.takeover()
    expect(left(fork)).toEqual(['set -> a: ACK'])
    fork.answer('b', 408)
    expect(left(fork)).toEqual(['set -> b: ACK', 'set -> caller: 486 INVITE'])
    fork.ladder.say(fork.caller, follower(fork.sent, 'ACK', fork.ladder.last(fork.caller, '486 INVITE')))
    fork.ladder.pass(70)
    expectForgotten(fork)
  })

  test('16.7 step 5: 6xx cancels who rings, asks nobody else, and waits for their finals', () => {
    const fork = forked('a,b|c')
    fork.answer('a', 180)
    fork.answer('b', 180)
    fork.ladder.take()
    fork.answer('a', 603)
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> b: CANCEL'])
    fork.answer('b', 487)
    expect(left(fork)).toEqual(['set -> b: ACK', 'set -> caller: 603 INVITE'])
  })

  test('16.7 step 5: a 2xx that was faster than that CANCEL is the answer', () => {
    const fork = bothRing()
    fork.answer('a', 603)
    fork.answer('b', 200)
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> b: CANCEL', 'set -> caller: 200 INVITE'])
    expect(fork.ladder.store.counter('calls.confirmed')).toBe(1)
  })
})

describe('16.7 step 10: a 2xx cancels the others', () => {
  test('in its own commit; their 487 goes no further, and all is forgotten', () => {
    const fork = bothRing()
    const { ladder, caller, callees } = fork
    fork.answer('b', 200)
    expect(ladder.take()).toEqual([
      'b -> set: 200 INVITE',
      'commit: tx 1, dialog 2, session 1, -dialog 1, timer x.1, timer k.1.1, cancel c.1.2, cancel e.1, cancel c.1.1, holds confirmed',
      'set -> caller: 200 INVITE',
      'set -> a: CANCEL',
    ])
    const leg = callerLeg(ladder.last(caller, '200 INVITE'))
    ladder.say(caller, inDialog(caller, leg, 'ACK', 1))
    ladder.say(named(callees, 'a'), response(named(callees, 'a'), ladder.last(named(callees, 'a'), 'CANCEL'), 200))
    fork.answer('a', 487)
    expect(left(fork)).toEqual(['set -> b: ACK', 'set -> a: ACK'])
    ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
    ladder.say(named(callees, 'b'), response(named(callees, 'b'), ladder.last(named(callees, 'b'), 'BYE'), 200))
    ladder.pass(70)
    expectForgotten(fork)
  })

  test('9.1: who has said nothing yet is cancelled with its first provisional', () => {
    const fork = forked('a,b')
    fork.answer('b', 200)
    expect(left(fork)).toEqual(['set -> caller: 200 INVITE'])
    fork.answer('a', 180)
    expect(left(fork)).toEqual(['set -> a: CANCEL'])
  })

  test('its 180 makes no dialog any more, and does not go up', () => {
    const fork = forked('a,b')
    fork.answer('b', 200)
    fork.answer('a', 180)
    expect(left(fork)).not.toContain('set -> caller: 180 INVITE')
    expect(fork.ladder.view?.entities.filter(({ tree }) => tree === 'Dialog')).toHaveLength(1)
  })

  test('what waited for its turn is not tried', () => {
    const fork = forked('a|b')
    fork.answer('a', 200)
    fork.ladder.pass(10)
    expect(left(fork)).toEqual(['set -> caller: 200 INVITE'])
  })

  test('a branch that stays silent is given up 64*T1 after its CANCEL, and nothing goes up', () => {
    const fork = bothRing()
    fork.answer('b', 200)
    fork.ladder.take()
    fork.ladder.pass(70)
    expect(left(fork).filter((line) => line.startsWith('set -> caller'))).toEqual([])
    expect(fork.ladder.store.counter('calls.confirmed')).toBe(1)
  })
})

describe('16.7 step 5, 13.2.2.4: several 2xx', () => {
  test.each(['UDP', 'TCP'])('each is relayed, each makes a dialog of its own, over %s', (transport) => {
    const options = transport === 'UDP' ? {} : { streams: ['a', 'b'], callerStream: '1.a.1/1' }
    const fork = bothRing(options)
    const { ladder, caller, callees } = fork
    fork.answer('a', 200)
    fork.answer('b', 200)
    expect(left(fork)).toEqual(['set -> caller: 200 INVITE', 'set -> b: CANCEL', 'set -> caller: 200 INVITE'])
    expect(ladder.store.counter('calls.confirmed')).toBe(2)
    const answers = ladder.sent.filter(({ data }) => data.startsWith('SIP/2.0 200') && data.includes(' INVITE\r\n'))
    expect(answers.map(({ data }) => toTag(parsed(data)))).toEqual(['a-tag', 'b-tag'])
    for (const [i, { data }] of answers.entries()) {
      const leg = callerLeg(data)
      ladder.say(caller, inDialog(caller, leg, 'ACK', 1, { branch: `z9hG4bK-ack-${i}` }))
      ladder.say(caller, inDialog(caller, leg, 'BYE', 2, { branch: `z9hG4bK-bye-${i}` }))
    }
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> a: BYE', 'set -> b: ACK', 'set -> b: BYE'])
    for (const callee of callees) ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.pass(70)
    expectForgotten(fork)
  })

  test('a late one keeps the transaction 64*T1 from there, so that its repeats are relayed too', () => {
    const fork = bothRing()
    fork.answer('a', 200)
    fork.ladder.pass(30)
    fork.answer('b', 200)
    fork.ladder.pass(20)
    fork.ladder.take()
    fork.answer('b', 200)
    expect(left(fork)).toEqual(['set -> caller: 200 INVITE'])
  })

  test('on streams nobody repeats them: a new owner sends both', () => {
    const fork = bothRing({ streams: ['a', 'b'], callerStream: '1.a.1/1' })
    fork.answer('a', 200)
    fork.answer('b', 200)
    const sent = fork.ladder.sent.filter(({ to, data }) => to === 'caller' && data.startsWith('SIP/2.0 200'))
    fork.ladder.take()
    fork.ladder.takeover()
    expect(left(fork)).toEqual(['set -> caller: 200 INVITE', 'set -> caller: 200 INVITE'])
    expect(fork.ladder.sent.slice(-2).map(({ data }) => data)).toEqual(sent.map(({ data }) => data))
  })
})

describe('16.10: CANCEL', () => {
  test('goes to each branch that rings, and 487 goes up once all have said theirs', () => {
    const fork = bothRing()
    cancel(fork)
    expect(left(fork)).toEqual(['set -> caller: 200 CANCEL', 'set -> a: CANCEL', 'set -> b: CANCEL'])
    fork.answer('a', 487)
    fork.answer('b', 487)
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> b: ACK', 'set -> caller: 487 INVITE'])
  })

  test.each(['a|b', 'a,b|c'])('nobody else is tried after it: %s', (targets) => {
    const fork = forked(targets)
    for (const { name } of fork.callees.slice(0, -1)) fork.answer(name, 180)
    cancel(fork)
    for (const { name } of fork.callees.slice(0, -1)) fork.answer(name, 487)
    const last = fork.callees.at(-1)?.name ?? ''
    expect(fork.ladder.sent.some(({ to }) => to === last)).toBe(false)
    expect(left(fork).at(-1)).toBe('set -> caller: 487 INVITE')
  })

  test('one that answers is answered for, one that never does gives 487 after 64*T1', () => {
    const fork = bothRing()
    cancel(fork)
    fork.answer('a', 486)
    fork.ladder.take()
    fork.ladder.pass(33)
    expect(left(fork)).toContain('set -> caller: 486 INVITE')
  })
})

describe('16.8: timer C', () => {
  test('cancels its own branch alone', () => {
    const fork = forked('a,b')
    fork.answer('a', 180)
    fork.ladder.pass(20)
    fork.answer('b', 180)
    fork.ladder.pass(70)
    fork.answer('b', 180)
    fork.ladder.take()
    fork.ladder.pass(100)
    const said = fork.ladder.take()
    expect(said).toContain('set -> a: CANCEL')
    expect(said).not.toContain('set -> b: CANCEL')
  })

  test('the next group is tried once the cancelled one has ended', () => {
    const fork = forked('a|b')
    fork.answer('a', 180)
    fork.ladder.pass(186)
    fork.answer('a', 487)
    expect(left(fork).slice(-2)).toEqual(['set -> a: ACK', 'set -> b: INVITE'])
  })
})

describe('16.9 and timer B: a branch that nobody answers', () => {
  test('is a 408 of its own, and the others go on', () => {
    const fork = forked('a,b')
    fork.answer('b', 180)
    fork.ladder.pass(33)
    expect(left(fork)).not.toContain('set -> caller: 408 INVITE')
    fork.answer('b', 404)
    expect(left(fork).at(-1)).toBe('set -> caller: 404 INVITE')
  })

  test('both at once in one turn of the clock', () => {
    const fork = forked('a,b')
    fork.ladder.pass(32.2)
    expect(left(fork).filter((line) => line.startsWith('set -> caller'))).toEqual(['set -> caller: 408 INVITE'])
  })

  test('a next hop that can not be reached is passed over', () => {
    const fork = forked('a|b', { streams: ['a'] })
    const invite = fork.ladder.sent[0]
    if (invite === undefined) throw new Error('no INVITE')
    fork.ladder.step({ kind: 'unsent', what: invite.what, flow: invite.flow, data: invite.data, reason: 'unreachable' })
    expect(left(fork)).toEqual(['set -> b: INVITE'])
  })
})

describe('takeover (design.md 4): per branch, the bytes of the log', () => {
  test('a branch of a group that began late is repeated as it was, and timer B goes on from there', () => {
    const fork = forked('a|b')
    fork.ladder.pass(20)
    fork.answer('a', 486)
    const b = named(fork.callees, 'b')
    const invite = fork.ladder.last(b, 'INVITE')
    fork.ladder.take()
    fork.ladder.pass(10)
    fork.ladder.takeover()
    fork.ladder.pass(2)
    expect(left(fork)).toContain('set -> b: INVITE')
    expect(fork.ladder.last(b, 'INVITE')).toBe(invite)
    fork.ladder.pass(15)
    expect(left(fork)).not.toContain('set -> caller: 486 INVITE')
    fork.ladder.pass(10)
    expect(left(fork)).toContain('set -> caller: 486 INVITE')
  })

  test('the CANCELs of a 2xx, while the others ring', () => {
    const fork = bothRing()
    fork.answer('b', 200)
    const first = fork.ladder.last(named(fork.callees, 'a'), 'CANCEL')
    fork.ladder.take()
    fork.ladder.takeover()
    expect(left(fork)).toEqual(['set -> a: CANCEL'])
    expect(fork.ladder.last(named(fork.callees, 'a'), 'CANCEL')).toBe(first)
  })

  test('what its owner had not committed is not there: the failure comes again, and the next group is tried once', () => {
    const fork = forked('a|b')
    fork.ladder.stalled = true
    fork.answer('a', 486)
    fork.ladder.takeover()
    expect(left(fork)).toEqual([])
    fork.answer('a', 486)
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> b: INVITE'])
    const invite = parsedRequest(fork.ladder.last(named(fork.callees, 'b'), 'INVITE'))
    fork.ladder.takeover()
    fork.ladder.pass(2)
    expect(parsedRequest(fork.ladder.last(named(fork.callees, 'b'), 'INVITE')).text).toBe(invite.text)
  })

  test('branches that nobody answered for 64*T1: 408 once', () => {
    const fork = forked('a,b')
    fork.ladder.sleep(33)
    fork.ladder.takeover()
    expect(left(fork)).toEqual(['set -> caller: 408 INVITE'])
  })
})
