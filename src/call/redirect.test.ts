import { describe, expect, test } from 'vitest'
import { header, maxForwards, values, vias } from '../sip/message.ts'
import { forked, named } from './testing/fork.ts'
import type { Fork, ForkOptions } from './testing/fork.ts'
import { callerLeg, follower, inDialog, parsed, parsedRequest, response } from './testing/phone.ts'

/** `a` is the next hop; `b`, `c` and `d` are found by its contacts. */
function calling(options: ForkOptions & { readonly targets?: string } = {}): Fork {
  const { targets = 'a', ...others } = options
  return forked(targets, { others: ['b', 'c', 'd'], followsRedirects: true, ...others })
}

/** A 3xx with those contacts; its own Contact is not written. */
function redirect(fork: Fork, by: string, contacts: readonly string[], status = 302): void {
  const callee = named(fork.callees, by)
  const bare = { ...callee, contact: '' }
  const text = response(bare, fork.ladder.last(callee, 'INVITE'), status)
  const written = contacts.length === 0 ? '' : `Contact: ${contacts.join(', ')}\r\n`
  fork.ladder.say(callee, text.replace('Contact: <>\r\n', written))
}

function at(fork: Fork, name: string, params = ''): string {
  return `<sip:${name}@${named(fork.callees, name).address}>${params}`
}

function left({ ladder }: Fork): readonly string[] {
  return ladder.take().filter((line) => line.startsWith('set -> '))
}

function inviteOf(fork: Fork, name: string): string {
  return fork.ladder.last(named(fork.callees, name), 'INVITE')
}

function branchOf(text: string): string {
  return vias(parsed(text))[0]?.branch ?? ''
}

describe('a 3xx is followed (RFC 3261 16.7 step 4)', () => {
  test('its contact is called in the commit that ends the redirected branch; the 302 goes no further', () => {
    const fork = calling()
    redirect(fork, 'a', [at(fork, 'b')])
    expect(fork.ladder.take()).toEqual([
      'a -> set: 302 INVITE',
      'commit: tx 1.2, tx 1, timer c.1.2, cancel c.1.1',
      'set -> a: ACK',
      'set -> b: INVITE',
    ])
    fork.answer('b', 200)
    expect(left(fork)).toEqual(['set -> caller: 200 INVITE'])
    expect(fork.ladder.store.counter('calls.confirmed')).toBe(1)
  })

  test('16.6: what leaves is the INVITE as it came, with another Request-URI, branch and nothing else', () => {
    const fork = calling()
    const first = inviteOf(fork, 'a')
    redirect(fork, 'a', [at(fork, 'b')])
    const second = inviteOf(fork, 'b')
    expect(parsedRequest(second).requestUri).toBe(`sip:b@${named(fork.callees, 'b').address}`)
    expect(branchOf(second)).not.toBe(branchOf(first))
    expect(maxForwards(parsed(second))).toBe(69)
    expect(values(parsed(second), 'Record-Route')).toEqual(values(parsed(first), 'Record-Route'))
    const rest = (text: string): string =>
      text
        .replace(branchOf(text), '')
        .replace(/^INVITE \S+ /, '')
        .replace(/Max-Breadth: \d+\r\n/, '')
    expect(rest(second)).toBe(rest(first))
  })

  test('off: the 302 goes up, with its contact', () => {
    const fork = calling({ followsRedirects: false })
    redirect(fork, 'a', [at(fork, 'b')])
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> caller: 302 INVITE'])
    expect(values(parsed(fork.ladder.last(fork.caller, '302 INVITE')), 'Contact')).toEqual([at(fork, 'b')])
  })

  test('by q: the highest at once, equal ones together, the lower ones when those have failed', () => {
    const fork = calling()
    redirect(fork, 'a', [at(fork, 'd', ';q=0.2'), at(fork, 'b', ';q=0.7'), at(fork, 'c', ';q=0.7')])
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> b: INVITE', 'set -> c: INVITE'])
    expect(header(parsed(inviteOf(fork, 'b')), 'Max-Breadth')).toBe('30')
    fork.answer('b', 486)
    fork.answer('c', 480)
    expect(left(fork)).toEqual(['set -> b: ACK', 'set -> c: ACK', 'set -> d: INVITE'])
    fork.answer('d', 404)
    expect(left(fork)).toEqual(['set -> d: ACK', 'set -> caller: 486 INVITE'])
    fork.ladder.pass(70)
    expect(fork.ladder.store.counts()).toMatchObject({ groups: 0, entities: 0, timersPending: 0 })
  })

  test('its contacts come before the next group of the next hops', () => {
    const fork = calling({ targets: 'a|e' })
    redirect(fork, 'a', [at(fork, 'b'), at(fork, 'c', ';q=0.1')])
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> b: INVITE'])
    fork.answer('b', 486)
    expect(left(fork)).toEqual(['set -> b: ACK', 'set -> c: INVITE'])
    fork.answer('c', 486)
    expect(left(fork)).toEqual(['set -> c: ACK', 'set -> e: INVITE'])
  })

  test('while others of its group ring, its contacts are called at once', () => {
    const fork = calling({ targets: 'a,e' })
    fork.answer('e', 180)
    redirect(fork, 'a', [at(fork, 'b')])
    fork.answer('b', 180)
    fork.ladder.take()
    fork.answer('b', 200)
    expect(left(fork)).toEqual(['set -> caller: 200 INVITE', 'set -> e: CANCEL'])
  })

  test('a redirection by whom a redirection led to is followed too', () => {
    const fork = calling()
    redirect(fork, 'a', [at(fork, 'b')])
    redirect(fork, 'b', [at(fork, 'c')], 301)
    fork.answer('c', 200)
    expect(left(fork).slice(-1)).toEqual(['set -> caller: 200 INVITE'])
    expect(maxForwards(parsed(inviteOf(fork, 'c')))).toBe(69)
    expect(values(parsed(inviteOf(fork, 'c')), 'Record-Route')).toHaveLength(1)
  })

  test('a caller on a stream: two Record-Route values, not four', () => {
    const fork = calling({ callerStream: '1.abc.1/7' })
    redirect(fork, 'a', [at(fork, 'b')])
    redirect(fork, 'b', [at(fork, 'c')])
    expect(values(parsed(inviteOf(fork, 'c')), 'Record-Route')).toEqual(
      values(parsed(inviteOf(fork, 'b')), 'Record-Route'),
    )
  })

  test('headers and method of a contact are no part of a Request-URI (19.1.1)', () => {
    const fork = calling()
    const address = named(fork.callees, 'b').address
    redirect(fork, 'a', [`<sip:b@${address};method=INVITE;x=1?Subject=a>`])
    expect(parsedRequest(inviteOf(fork, 'b')).requestUri).toBe(`sip:b@${address};x=1`)
  })
})

describe('a redirection that leads nowhere', () => {
  test('16.5: a URI once: a contact that was tried is not tried again, and the 302 goes up as it is', () => {
    const fork = calling()
    redirect(fork, 'a', [at(fork, 'b')])
    const sent = fork.ladder.sent.length
    redirect(fork, 'b', [at(fork, 'b'), '<sip:callee@127.31.1.1:5060>'])
    expect(fork.ladder.sent.slice(sent).map(({ to }) => to)).toEqual(['b', 'caller'])
    expect(values(parsed(fork.ladder.last(fork.caller, '302 INVITE')), 'Contact')).toHaveLength(2)
  })

  test('two that point at each other end', () => {
    const fork = calling()
    redirect(fork, 'a', [at(fork, 'b')])
    redirect(fork, 'b', [at(fork, 'c')])
    redirect(fork, 'c', [at(fork, 'b')])
    expect(left(fork).slice(-2)).toEqual(['set -> c: ACK', 'set -> caller: 302 INVITE'])
  })

  test('one contact twice is one target', () => {
    const fork = calling()
    redirect(fork, 'a', [at(fork, 'b'), at(fork, 'b', ';q=0.5')])
    fork.answer('b', 486)
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> b: INVITE', 'set -> b: ACK', 'set -> caller: 486 INVITE'])
  })

  test('contacts that nobody here can call stay in what goes up, the others do not', () => {
    const fork = calling()
    redirect(fork, 'a', [at(fork, 'b'), '<tel:+4930123456>', '<mailto:a@example.com>'])
    fork.answer('b', 486)
    const final = parsed(fork.ladder.last(fork.caller, '302 INVITE'))
    expect(values(final, 'Contact')).toEqual(['<tel:+4930123456>', '<mailto:a@example.com>'])
    expect(header(final, 'To')).toContain('tag=a-tag')
  })

  test('305 and 380 say something else by their Contact: they go up', () => {
    for (const status of [305, 380]) {
      const fork = calling()
      redirect(fork, 'a', [at(fork, 'b')], status)
      expect(left(fork)).toEqual(['set -> a: ACK', `set -> caller: ${status} INVITE`])
    }
  })

  test('26.2.2: what was asked for by sips is not looked for by sip', () => {
    const fork = calling()
    redirect(fork, 'a', [`<sips:b@${named(fork.callees, 'b').address}>`])
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> caller: 302 INVITE'])
  })

  test('16.5: where the Request-URI itself led, others answer for it', () => {
    const fork = calling()
    const route = ['Route', `<sip:${named(fork.callees, 'a').address};lr>`] as const
    const routed = calling({ headers: [route] })
    redirect(routed, 'a', [at(fork, 'b')])
    expect(left(routed)).toEqual(['set -> a: ACK', 'set -> caller: 302 INVITE'])
  })

  test('no more than 16 targets in all; the others stay in what goes up', () => {
    const fork = calling()
    const many = Array.from({ length: 20 }, (_, i) => `<sip:x${i}@127.31.1.99:${5100 + i}>`)
    redirect(fork, 'a', many)
    expect(left(fork).filter((line) => line.endsWith('INVITE'))).toHaveLength(15)
  })
})

describe('bounds of calls (decision 0040)', () => {
  const to = (fork: Fork, name: string): number =>
    fork.ladder.store.counter(`calls.to ${named(fork.callees, name).flow.host}:5064`)
  /** Another call holds it. */
  const fill = ({ ladder }: Fork, counter: string): void => ladder.hold(counter)

  test('a call that is led elsewhere counts there too, in its direction and by its next hop, until it ends', () => {
    const fork = calling({ bounds: { calls: 5, in: 5, out: 5, route: 5 } })
    redirect(fork, 'a', [at(fork, 'b'), at(fork, 'c', ';q=0.1')])
    fork.answer('b', 200)
    const { store } = fork.ladder
    const counted = (): readonly number[] => ['calls.all', 'calls.in', 'calls.out'].map((name) => store.counter(name))
    expect([counted(), ['a', 'b', 'c'].map((name) => to(fork, name))]).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ])
    const leg = callerLeg(fork.ladder.last(fork.caller, '200 INVITE'))
    fork.ladder.say(fork.caller, inDialog(fork.caller, leg, 'ACK', 1))
    const bye = inDialog(fork.caller, leg, 'BYE', 2)
    fork.ladder.say(fork.caller, bye)
    const b = named(fork.callees, 'b')
    fork.ladder.say(b, response(b, fork.ladder.last(b, 'BYE'), 200))
    expect([counted(), ['a', 'b', 'c'].map((name) => to(fork, name))]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ])
  })

  test.each([
    ['route', { route: 1 }, 'calls.to 127.31.1.4:5064'],
    ['out', { out: 1 }, 'calls.out'],
  ] as const)(
    'a contact behind a full bound (%s) is not called; it stays in what goes up',
    (_what, bounds, counter) => {
      const fork = calling({ bounds })
      fill(fork, counter)
      redirect(fork, 'a', [at(fork, 'b')])
      expect(left(fork)).toEqual(['set -> a: ACK', 'set -> caller: 302 INVITE'])
      expect(values(parsed(fork.ladder.last(fork.caller, '302 INVITE')), 'Contact')).toEqual([at(fork, 'b')])
      expect(fork.ladder.store.counter(counter)).toBe(0)
    },
  )

  test('the others are', () => {
    const fork = calling({ bounds: { route: 1 } })
    fill(fork, 'calls.to 127.31.1.4:5064')
    redirect(fork, 'a', [at(fork, 'b'), at(fork, 'c')])
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> c: INVITE'])
  })
})

describe('a redirection, a CANCEL and a death', () => {
  test('once the caller has given up nobody else is called', () => {
    const fork = calling()
    fork.answer('a', 180)
    fork.ladder.say(fork.caller, follower(fork.sent, 'CANCEL'))
    fork.ladder.take()
    redirect(fork, 'a', [at(fork, 'b')])
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> caller: 302 INVITE'])
  })

  test('a CANCEL goes to whom a redirection led to', () => {
    const fork = calling()
    redirect(fork, 'a', [at(fork, 'b'), at(fork, 'c', ';q=0.1')])
    fork.answer('b', 180)
    fork.ladder.take()
    fork.ladder.say(fork.caller, follower(fork.sent, 'CANCEL'))
    expect(left(fork)).toEqual(['set -> caller: 200 CANCEL', 'set -> b: CANCEL'])
    fork.answer('b', 487)
    expect(left(fork)).toEqual(['set -> b: ACK', 'set -> caller: 487 INVITE'])
  })

  test('nothing leaves before its commit, and the owner after it sends the same bytes', () => {
    const fork = calling({ streams: ['b'] })
    fork.ladder.stalled = true
    redirect(fork, 'a', [`<sip:b@${named(fork.callees, 'b').address};transport=tcp>`, at(fork, 'c', ';q=0.1')])
    expect(left(fork)).toEqual([])
    fork.ladder.release()
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> b: INVITE'])
    const sent = fork.ladder.sent.at(-1)?.data
    fork.ladder.takeover()
    expect(left(fork)).toContain('set -> b: INVITE')
    expect(fork.ladder.sent.filter(({ to }) => to === 'b').map(({ data }) => data)).toEqual([sent, sent])
  })

  test('a 302 that comes again, at the next owner too, gets its ACK and nothing else', () => {
    const fork = calling()
    redirect(fork, 'a', [at(fork, 'b')])
    fork.ladder.takeover()
    fork.ladder.take()
    redirect(fork, 'a', [at(fork, 'b')])
    redirect(fork, 'a', [at(fork, 'c')])
    expect(left(fork)).toEqual(['set -> a: ACK', 'set -> a: ACK'])
  })

  test('its call goes on like any other: ACK and BYE reach whom the redirection led to', () => {
    const fork = calling()
    redirect(fork, 'a', [at(fork, 'b')])
    fork.answer('b', 200)
    const leg = callerLeg(fork.ladder.last(fork.caller, '200 INVITE'))
    fork.ladder.say(fork.caller, inDialog(fork.caller, leg, 'ACK', 1))
    fork.ladder.take()
    fork.ladder.say(fork.caller, inDialog(fork.caller, leg, 'BYE', 2))
    expect(left(fork)).toEqual(['set -> b: BYE'])
  })
})

describe('several 3xx that are not followed', () => {
  test('the caller gets the contacts of all of them, each URI once', () => {
    const fork = calling({ targets: 'a,e', followsRedirects: false })
    redirect(fork, 'e', [at(fork, 'b'), at(fork, 'c')])
    redirect(fork, 'a', [at(fork, 'b')], 301)
    const final = parsed(fork.ladder.last(fork.caller, '301 INVITE'))
    expect(values(final, 'Contact')).toEqual([at(fork, 'b'), at(fork, 'c')])
  })

  test('not those of a 305', () => {
    const fork = calling({ targets: 'a,e', followsRedirects: false })
    redirect(fork, 'e', [at(fork, 'b')], 305)
    redirect(fork, 'a', [at(fork, 'c')])
    expect(values(parsed(fork.ladder.last(fork.caller, '302 INVITE')), 'Contact')).toEqual([at(fork, 'c')])
  })
})
