import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { values, vias } from '../sip/message.ts'
import type { Ladder } from './testing/ladder.ts'
import { callerLeg, follower, inDialog, parsed, parsedRequest, request, response } from './testing/phone.ts'
import { calling, ringing, talking } from './testing/scene.ts'

const streams = { callerStream: '1.abc.1/7', calleeStream: '2.def.1/9' } as const

describe('streams (design.md 8, RFC 3261 18)', () => {
  test('a call on TCP: answers go out on the stream the INVITE came on, requests to the next hop address', () => {
    const { ladder, caller, callee, callerLeg: leg } = talking(streams)
    const [invite, trying] = ladder.sent
    expect(invite?.flow).toEqual({ transport: 'tcp', host: '127.31.0.3', port: 5064, stream: '' })
    expect(trying?.flow).toEqual({ transport: 'tcp', host: '127.31.0.2', port: 5062, stream: '1.abc.1/7' })
    expect(values(parsed(must(invite, 'INVITE').data), 'Record-Route')[0]).toMatch(
      /^<sip:127.31.0.1:5060;transport=tcp;lr;hf=1[0-9a-f]{32}>$/,
    )
    ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    expect(ladder.take().at(-1)).toBe('set -> caller: 200 BYE')
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
  })

  test('17.2.1: on a stream a failure is not repeated', () => {
    const { ladder, callee, invite } = ringing(streams)
    ladder.say(callee, response(callee, invite, 486))
    ladder.take()
    ladder.pass(20)
    expect(ladder.take()).toEqual([])
  })

  test('18.2.2: when the stream is gone, an answer goes to received or sent-by by another connection, once', () => {
    const { ladder, caller, callee, invite } = ringing(streams)
    ladder.say(callee, response(callee, invite, 486))
    const final = ladder.last(caller, '486 INVITE')
    const flow = must(ladder.sent.at(-1), 'the 486').flow
    ladder.take()
    ladder.step({ kind: 'unsent', what: 'response 1', flow, data: final, reason: 'no-stream' })
    const again = must(ladder.sent.at(-1), 'the 486 again')
    expect(again.data).toBe(final)
    expect(again.flow).toEqual({ transport: 'tcp', host: '127.31.0.2', port: 5062, stream: '' })
    ladder.take()
    ladder.step({ kind: 'unsent', what: again.what, flow: again.flow, data: final, reason: 'unreachable' })
    expect(ladder.take()).toEqual([])
  })

  test('an answer whose owner died finds the stream that our own Via names', () => {
    const { ladder, caller, callee, callerLeg: leg } = talking(streams)
    ladder.say(caller, inDialog(caller, leg, 'INFO', 2))
    const answer = response(callee, ladder.last(callee, 'INFO'), 200)
    ladder.takeover()
    ladder.say(callee, answer)
    expect(must(ladder.sent.at(-1), 'the 200').flow.stream).toBe('1.abc.1/7')
    // The token covers the stream: whoever names another is not relayed.
    ladder.take()
    ladder.say(callee, answer.replace('hfs=1.abc.1~7', 'hfs=1.abc.1~8').replaceAll('z9hG4bK1', 'z9hG4bK2'))
    expect(ladder.take()).toEqual(['callee -> set: 200 INFO'])
  })

  test('16.6 step 4: two Record-Route values where the transport changes; each side uses its own', () => {
    const {
      ladder,
      caller,
      callee,
      callerLeg: leg,
      calleeLeg,
    } = talking({ callerStream: '1.abc.1/7', transport: 'udp' })
    expect(leg.routes.map((route) => route.includes('transport=tcp'))).toEqual([true, false])
    expect(calleeLeg.routes.map((route) => route.includes('transport=tcp'))).toEqual([false, true])
    ladder.say(caller, inDialog(caller, leg, 'INFO', 2))
    expect(must(ladder.sent.at(-1), 'INFO').flow.transport).toBe('udp')
    expect(values(parsedRequest(ladder.last(callee, 'INFO')), 'Route')).toEqual([])
    // The caller's Contact names no transport: that of its side counts.
    const bare = { ...calleeLeg, target: 'sip:caller@127.31.0.2:5062' }
    ladder.say(callee, inDialog(callee, bare, 'INFO', 1))
    expect(must(ladder.sent.at(-1), 'INFO').flow).toEqual({
      transport: 'tcp',
      host: '127.31.0.2',
      port: 5062,
      stream: '',
    })
  })
})

describe('datagrams (RFC 3261 18.2, RFC 3581)', () => {
  test('18.2.1, 18.2.2: `received` where sent-by is another address; answers go there, to the port of sent-by', () => {
    const { ladder, caller, callee, sent } = calling()
    const behind = { ...caller.flow, host: '127.31.0.77', port: 40_000 }
    ladder.arrive(behind, sent.replaceAll('z9hG4bK-caller-INVITE-1', 'z9hG4bK-behind'))
    const via = vias(parsed(ladder.last(callee, 'INVITE')))[1]
    expect([via?.received, via?.rport]).toEqual(['127.31.0.77', null])
    const trying = must(ladder.sent.at(-1), '100')
    expect([trying.flow.host, trying.flow.port]).toEqual(['127.31.0.77', 5062])
  })

  test('RFC 3581: with rport the answer goes to where the request came from', () => {
    const { ladder, callee, caller, sent } = calling()
    const behind = { ...caller.flow, port: 40_001 }
    ladder.arrive(behind, sent.replace('z9hG4bK-caller-INVITE-1', 'z9hG4bK-behind;rport'))
    const via = vias(parsed(ladder.last(callee, 'INVITE')))[1]
    expect([via?.received, via?.rport]).toEqual(['127.31.0.2', 40_001])
    const trying = must(ladder.sent.at(-1), '100')
    expect([trying.flow.host, trying.flow.port]).toEqual(['127.31.0.2', 40_001])
  })

  test('IPv6: Via, Record-Route and routes from end to end', () => {
    const { ladder, caller, callee, callerLeg: leg, invite } = talking({ hosts: ['::1', '2001:db8::2', '2001:db8::3'] })
    expect(values(parsed(invite), 'Via')[0]).toMatch(/^SIP\/2.0\/UDP \[::1\]:5060;/)
    expect(values(parsed(invite), 'Record-Route')[0]).toMatch(/^<sip:\[::1\]:5060;lr;hf=/)
    ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
    expect(must(ladder.sent.at(-1), 'BYE').flow.host).toBe('2001:db8::3')
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    expect(ladder.take().at(-1)).toBe('set -> caller: 200 BYE')
  })
})

describe('a late send comes back (design.md 1)', () => {
  test('the INVITE goes again while it is calling, not once something came of it', () => {
    const { ladder, callee, invite } = calling(streams)
    const late = { kind: 'unsent', what: 'invite 1.1', flow: callee.flow, data: invite, reason: 'late' } as const
    ladder.step(late)
    expect(ladder.take()).toEqual(['set -> callee: INVITE'])
    ladder.say(callee, response(callee, invite, 486))
    ladder.take()
    ladder.step(late)
    expect(ladder.take()).toEqual([])
  })

  test('a response goes again while it is the last word', () => {
    const { ladder, caller, callee, invite } = ringing()
    const ring = ladder.last(caller, '180 INVITE')
    const late = { kind: 'unsent', what: 'response 1', flow: caller.flow, reason: 'late' } as const
    ladder.step({ ...late, data: ring })
    expect(ladder.take()).toEqual(['set -> caller: 180 INVITE'])
    ladder.say(callee, response(callee, invite, 200))
    ladder.take()
    ladder.step({ ...late, data: ring })
    expect(ladder.take()).toEqual([])
    ladder.step({ ...late, data: ladder.last(caller, '200 INVITE') })
    expect(ladder.take()).toEqual(['set -> caller: 200 INVITE'])
  })

  test('an answer that another owner relayed goes again on a stream: nobody repeats its request there', () => {
    const { ladder, caller, callee, callerLeg: leg } = talking(streams)
    ladder.say(caller, inDialog(caller, leg, 'UPDATE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'UPDATE'), 200))
    const { what, flow, data } = must(ladder.sent.at(-1), 'the 200')
    ladder.takeover()
    ladder.take()
    ladder.step({ kind: 'unsent', what, flow, data, reason: 'late' })
    expect(ladder.take()).toEqual(['set -> caller: 200 UPDATE'])
    ladder.step({ kind: 'unsent', what, flow: { ...flow, transport: 'udp', stream: '' }, data, reason: 'late' })
    expect(ladder.take()).toEqual([])
  })

  test('16.9: a BYE that can not be delivered is answered 500 and ends the call', () => {
    const { ladder, caller, callee, callerLeg: leg } = talking()
    ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
    const { what, flow, data } = must(ladder.sent.at(-1), 'BYE')
    ladder.take()
    ladder.step({ kind: 'unsent', what, flow, data, reason: 'unreachable' })
    expect(ladder.take().at(-1)).toBe('set -> caller: 500 BYE')
    expect(ladder.store.counter('calls.confirmed')).toBe(0)
    expect(callerLeg(ladder.last(caller, '200 INVITE')).target).toBe(callee.contact)
  })
})

describe('18.1.1: a request that is too long for a datagram goes by TCP', () => {
  const long = 'x'.repeat(1_400)
  const unreachable = (ladder: Ladder): void => {
    const { what, flow, data } = must(
      ladder.sent.findLast(({ flow: to }) => to.transport === 'tcp'),
      'by TCP',
    )
    ladder.step({ kind: 'unsent', what, flow, data, reason: 'unreachable' })
  }
  const places = (ladder: Ladder, method: string): string[] =>
    ladder.sent
      .filter(({ data }) => data.startsWith(`${method} `))
      .map(({ flow }) => `${flow.transport} ${flow.host}:${flow.port}`)

  test('but not where nobody listens to TCP', () => {
    const { ladder } = calling({ body: long, by: 'udp' })
    expect(must(ladder.sent[0], 'INVITE').flow.transport).toBe('udp')
  })

  test('an INVITE: its Via says TCP, its Record-Route and the dialog stay on UDP', () => {
    const { ladder, caller, callee } = calling({ body: long })
    const sent = must(ladder.sent[0], 'INVITE')
    expect(sent.flow).toEqual({ ...callee.flow, transport: 'tcp' })
    const message = parsedRequest(sent.data)
    expect(values(message, 'Via')[0]).toMatch(/^SIP\/2.0\/TCP 127.31.0.1:5060;branch=z9hG4bK1[^;]*;hf=[0-9a-f]*;hfu$/)
    expect(values(message, 'Record-Route')).toEqual([expect.not.stringContaining('transport')])
    // 17.1.1.2: nothing is repeated on it.
    ladder.take()
    ladder.pass(3)
    expect(ladder.take()).toEqual([])
    ladder.say(callee, response(callee, sent.data, 200))
    const leg = callerLeg(ladder.last(caller, '200 INVITE'))
    ladder.say(caller, inDialog(caller, { ...leg, target: 'sip:callee@127.31.0.3:5064' }, 'INFO', 2))
    expect(places(ladder, 'INFO')).toEqual(['udp 127.31.0.3:5064'])
  })

  test('where nobody takes TCP it goes by UDP after all, as another attempt that is committed first', () => {
    const { ladder, caller, callee } = calling({ body: long })
    const first = must(ladder.sent[0], 'INVITE').data
    ladder.take()
    unreachable(ladder)
    expect(ladder.take()).toEqual(['commit: tx 1, tx 1.1', 'set -> callee: INVITE'])
    const second = ladder.last(callee, 'INVITE')
    expect(places(ladder, 'INVITE')).toEqual(['tcp 127.31.0.3:5064', 'udp 127.31.0.3:5064'])
    const [before, after] = [first, second].map((text) => must(vias(parsed(text))[0], 'Via'))
    expect([before?.transport, after?.transport, after?.params.has('hfu')]).toEqual(['TCP', 'UDP', false])
    expect(after?.branch).not.toBe(before?.branch)
    // RFC 5393: the loop part stays.
    expect(after?.branch?.split('.')[1]).toBe(before?.branch?.split('.')[1])
    const rest = (text: string): string => text.slice(text.indexOf('Via: SIP/2.0/UDP 127.31.0.2'))
    expect(rest(second)).toBe(rest(first))

    // What is said of the first attempt now counts for nothing; the second is repeated, answered, acknowledged.
    unreachable(ladder)
    expect(ladder.take()).toEqual([])
    ladder.pass(1)
    expect(ladder.take()).toEqual(['set -> callee: INVITE'])
    ladder.say(callee, response(callee, second, 486))
    expect(ladder.take()).toEqual([
      'callee -> set: 486 INVITE',
      expect.stringContaining('commit'),
      'set -> callee: ACK',
      'set -> caller: 486 INVITE',
    ])
    expect(ladder.last(caller, '486 INVITE')).toContain('486')
  })

  test('a new owner sends it by TCP again, and by UDP if that fails', () => {
    const { ladder, callee } = calling({ body: long })
    ladder.takeover()
    expect(places(ladder, 'INVITE')).toEqual(['tcp 127.31.0.3:5064', 'tcp 127.31.0.3:5064'])
    unreachable(ladder)
    expect(places(ladder, 'INVITE').at(-1)).toBe('udp 127.31.0.3:5064')
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 180))
    expect(ladder.take()).toContain('set -> caller: 180 INVITE')
  })

  test('one that its caller gave up is not tried again', () => {
    const { ladder, caller, sent } = calling({ body: long })
    ladder.say(caller, follower(sent, 'CANCEL'))
    ladder.take()
    unreachable(ladder)
    expect(places(ladder, 'INVITE')).toEqual(['tcp 127.31.0.3:5064'])
    expect(ladder.take().at(-1)).toMatch(/^set -> caller: (?:487|500) INVITE$/)
  })

  test('another request, with its own branch for each attempt', () => {
    const { ladder, caller, callee } = calling()
    ladder.say(caller, request(caller, 'MESSAGE', 'sip:callee@127.31.0.1:5060', { body: long }))
    expect(places(ladder, 'MESSAGE')).toEqual(['tcp 127.31.0.3:5064'])
    unreachable(ladder)
    expect(places(ladder, 'MESSAGE')).toEqual(['tcp 127.31.0.3:5064', 'udp 127.31.0.3:5064'])
    ladder.say(callee, response(callee, ladder.last(callee, 'MESSAGE'), 200))
    expect(ladder.take().at(-1)).toBe('set -> caller: 200 MESSAGE')
  })

  test('1,300 bytes still go by UDP; so does what goes to a next hop that is named one for UDP', () => {
    const bare = must(calling({ body: 'x'.repeat(400) }).ladder.sent[0], 'INVITE').data.length
    const at = (bytes: number): string =>
      must(calling({ body: 'x'.repeat(400 + bytes - bare) }).ladder.sent[0], 'INVITE').flow.transport
    expect([at(1_300), at(1_301)]).toEqual(['udp', 'tcp'])
    const named = calling({ body: long, transport: 'udp' })
    expect(places(named.ladder, 'INVITE')).toEqual(['udp 127.31.0.3:5064'])
  })
})
