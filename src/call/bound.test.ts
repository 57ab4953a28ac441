// Phones that can't be called back (RFC 7118 5.2.2, RFC 5626 4.3): their dialogs are bound to the connection that they made.

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { seconds } from '../base/instant.ts'
import type { Transport } from '../sip/transport.ts'
import type { Lifetime } from './contract.ts'
import { Ladder } from './testing/ladder.ts'
import { calleeLeg, callerLeg, inDialog, phone, request, response } from './testing/phone.ts'
import type { Leg, Phone } from './testing/phone.ts'

const SET = '127.32.0.1'
const callee = phone('callee', '127.32.0.3', 5064)

function client(transport: Transport, stream: string, contact: string): Phone {
  const flow = { transport, host: '127.32.0.2', port: 40_000, stream }
  return { name: 'caller', flow, address: 'df7jal23ls0d.invalid', contact }
}

const behindWs = 'sip:caller@df7jal23ls0d.invalid;transport=ws'
const caller = client('ws', '1.a.1/3', behindWs)
/** The same phone once it has connected again, to another replica. */
const back = client('ws', '2.b.1/8', behindWs)

interface Talk {
  readonly ladder: Ladder
  readonly callerLeg: Leg
  readonly calleeLeg: Leg
}

function talking(from = caller, lifetime: Lifetime = {}): Talk {
  const ladder = calling(from, lifetime)
  const invite = must(ladder.sent[0], 'the INVITE').data
  ladder.say(callee, response(callee, invite, 200))
  const answer = must(ladder.sent.at(-1), 'the 200').data
  const leg = callerLeg(answer)
  ladder.say(from, inDialog(from, leg, 'ACK', 1))
  ladder.take()
  return { ladder, callerLeg: leg, calleeLeg: calleeLeg(callee, invite) }
}

/** The INVITE has been forwarded. */
function calling(from = caller, lifetime: Lifetime = {}): Ladder {
  const udp = { transport: 'udp', host: SET, port: 5060 } as const
  const own = { transport: from.flow.transport, host: SET, port: 8080 }
  const sip = { host: SET, port: 5060, listeners: [udp, own] }
  const ladder = new Ladder({ sip, lifetime, nextHop: { host: '127.32.0.3', port: 5064, transport: 'udp' } }, [callee])
  ladder.say(from, request(from, 'INVITE', `sip:callee@${SET}`))
  return ladder
}

/** Where the last message went. */
function streamOf(ladder: Ladder): string {
  return must(ladder.sent.at(-1), 'something').flow.stream
}

/** The last send finds its connection gone. */
function isGone(ladder: Ladder): void {
  const { what, flow, data } = must(ladder.sent.at(-1), 'something')
  ladder.step({ kind: 'unsent', what, flow, data, reason: 'no-stream' })
}

describe('a phone behind a WebSocket', () => {
  test('is called on its own connection, whichever replica holds it', () => {
    const { ladder, calleeLeg: leg } = talking()
    ladder.say(callee, inDialog(callee, leg, 'BYE', 1))
    expect(ladder.take()).toContain('set -> ws df7jal23ls0d.invalid:80 1.a.1/3: BYE')
  })

  test('a request waits while the connection is gone, and goes on the next one', () => {
    const { ladder, callerLeg, calleeLeg: leg } = talking()
    ladder.say(callee, inDialog(callee, leg, 'BYE', 1))
    const bye = must(ladder.sent.at(-1), 'BYE').data
    isGone(ladder)
    ladder.pass(10)
    ladder.take()
    ladder.say(back, inDialog(back, callerLeg, 'INFO', 2))
    expect(ladder.take()).toEqual([
      'caller -> set: INFO',
      'set -> callee: INFO',
      'commit: dialog 1, tx 1',
      // As at a takeover: what the connection may have taken with it.
      'set -> ws 127.32.0.2:80 2.b.1/8: 200 INVITE',
      'set -> ws df7jal23ls0d.invalid:80 2.b.1/8: BYE',
    ])
    expect(must(ladder.sent.at(-1), 'BYE').data).toBe(bye)
    ladder.say(back, response(back, bye, 200))
    expect(ladder.take().at(-1)).toBe('set -> callee: 200 BYE')
    ladder.pass(40)
    expect(ladder.idle).toBe(true)
  })

  test('nobody came back in 64*T1: a re-INVITE gets 408, and a BYE ends the call', () => {
    const { ladder, calleeLeg: leg } = talking()
    ladder.pass(40)
    ladder.say(callee, inDialog(callee, leg, 'INVITE', 1))
    isGone(ladder)
    ladder.take()
    ladder.pass(31)
    expect(ladder.take()).toEqual([])
    ladder.pass(2)
    expect(ladder.take()).toContain('set -> callee: 408 INVITE')
    ladder.say(callee, inDialog(callee, leg, 'BYE', 2))
    isGone(ladder)
    ladder.pass(70)
    expect(ladder.idle).toBe(true)
  })

  test('a re-INVITE waits too, and a new owner knows the new connection', () => {
    const { ladder, callerLeg, calleeLeg: leg } = talking()
    ladder.say(callee, inDialog(callee, leg, 'INVITE', 1))
    isGone(ladder)
    ladder.say(back, inDialog(back, callerLeg, 'INFO', 2))
    expect(ladder.take()).toContain('set -> ws df7jal23ls0d.invalid:80 2.b.1/8: INVITE')
    ladder.takeover()
    expect(ladder.take()).toContain('set -> ws df7jal23ls0d.invalid:80 2.b.1/8: INVITE')
    ladder.say(callee, inDialog(callee, leg, 'UPDATE', 2))
    expect(streamOf(ladder)).toBe('2.b.1/8')
  })

  test('18.2.2: what was answered to it is not sent where it can’t be, and comes when it is back', () => {
    const { ladder, callerLeg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'INFO', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'INFO'), 200))
    const sent = ladder.sent.length
    isGone(ladder)
    expect(ladder.sent.length).toBe(sent)
    ladder.say(back, inDialog(back, callerLeg, 'INFO', 3))
    expect(ladder.take().filter((line) => line.includes('200 INFO'))).toEqual([
      'callee -> set: 200 INFO',
      expect.stringMatching(/^set -> ws .* 1\.a\.1\/3: 200 INFO$/),
      expect.stringMatching(/^set -> ws .* 2\.b\.1\/8: 200 INFO$/),
    ])
  })

  test('whose BYE was answered on a dead connection says it again, and gets the answer', () => {
    const { ladder, callerLeg: leg } = talking()
    ladder.say(caller, inDialog(caller, leg, 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    isGone(ladder)
    ladder.take()
    ladder.say(back, inDialog(caller, leg, 'BYE', 2))
    expect(ladder.take()).toContain('set -> ws 127.32.0.2:80 2.b.1/8: 200 BYE')
    ladder.takeover()
    expect(ladder.take().filter((line) => line.endsWith('200 BYE'))).toEqual([
      'set -> ws 127.32.0.2:80 2.b.1/8: 200 BYE',
    ])
  })

  test('that hung up by itself, and has its answer, is not waited for when the other side’s BYE finds no connection', () => {
    const { ladder, callerLeg, calleeLeg: leg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.take()
    ladder.say(callee, inDialog(callee, leg, 'BYE', 1))
    expect(ladder.take().at(-1)).toBe('set -> ws df7jal23ls0d.invalid:80 1.a.1/3: BYE')
    isGone(ladder)
    expect(ladder.take().at(-1)).toBe('set -> callee: 480 BYE')
    ladder.pass(70)
    expect(ladder.idle).toBe(true)
  })

  test('that hung up by itself, and whose answer to the other side’s BYE was lost, is waited for T2', () => {
    const { ladder, callerLeg, calleeLeg: leg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.say(callee, inDialog(callee, leg, 'BYE', 1))
    ladder.say(callee, response(callee, ladder.last(callee, 'BYE'), 200))
    ladder.take()
    ladder.pass(3)
    expect(ladder.take()).toEqual([])
    ladder.pass(2)
    expect(ladder.take().at(-1)).toBe('set -> callee: 480 BYE')
    ladder.pass(70)
    expect(ladder.idle).toBe(true)
  })

  test('that hung up by itself, and has no answer yet, comes back for it: the other side’s BYE waits', () => {
    const { ladder, callerLeg, calleeLeg: leg } = talking()
    ladder.say(caller, inDialog(caller, callerLeg, 'BYE', 2))
    ladder.say(callee, inDialog(callee, leg, 'BYE', 1))
    isGone(ladder)
    expect(ladder.take().join()).not.toContain('480')
    ladder.say(back, inDialog(back, callerLeg, 'BYE', 2))
    expect(ladder.take()).toContain('set -> ws df7jal23ls0d.invalid:80 2.b.1/8: BYE')
  })

  test('that can be called, and asks on a connection of its own, gets the answer on the next one that it asks on', () => {
    const { ladder, calleeLeg: leg } = talking()
    const asking = (stream: string): Phone => {
      return { ...callee, flow: { transport: 'ws', host: '127.32.0.3', port: 40_001, stream } }
    }
    ladder.say(asking('1.a.1/4'), inDialog(asking(''), leg, 'BYE', 1))
    const bye = must(ladder.sent.at(-1), 'the BYE').data
    ladder.say(asking('2.b.1/9'), inDialog(asking(''), leg, 'BYE', 1))
    ladder.say(caller, response(caller, bye, 200))
    expect(streamOf(ladder)).toBe('2.b.1/9')
    ladder.say(asking('3.c.1/2'), inDialog(asking(''), leg, 'BYE', 1))
    expect(streamOf(ladder)).toBe('3.c.1/2')
    ladder.takeover()
    ladder.say(asking('3.c.1/7'), inDialog(asking(''), leg, 'BYE', 1))
    expect(streamOf(ladder)).toBe('3.c.1/7')
  })

  test('that says its re-INVITE on one connection and answers on another gets the 200 on a third, as its ACK was lost', () => {
    const { ladder, callerLeg, calleeLeg: leg } = talking()
    ladder.say(callee, inDialog(callee, leg, 'INVITE', 1))
    const theirs = must(
      ladder.sent.findLast(({ data }) => data.startsWith('INVITE')),
      'the re-INVITE',
    ).data
    ladder.say(back, inDialog(back, callerLeg, 'INVITE', 2))
    ladder.say(caller, response(caller, theirs, 491))
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 200))
    expect(streamOf(ladder)).toBe('2.b.1/8')
    ladder.take()
    const again = client('ws', '3.c.1/2', behindWs)
    ladder.say(again, inDialog(again, callerLeg, 'OPTIONS', 3))
    expect(ladder.take().filter((line) => line.includes('200 INVITE'))).toContainEqual(
      expect.stringMatching(/^set -> ws .* 3\.c\.1\/2: 200 INVITE$/),
    )
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 200))
    expect(streamOf(ladder)).toBe('3.c.1/2')
  })

  test('that was hung up on by the set, and had no connection then, gets the BYE when it is back', () => {
    const { ladder, callerLeg: leg } = talking(caller, { maxCall: seconds(60) })
    ladder.pass(60)
    ladder.take()
    ladder.say(back, inDialog(back, leg, 'INFO', 2))
    expect(ladder.take()).toContain('set -> ws df7jal23ls0d.invalid:80 2.b.1/8: BYE')
  })

  test('that connects again while it rings, and says its INVITE again, gets all answers on its new connection', () => {
    const ladder = calling()
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 180))
    ladder.say(back, request(caller, 'INVITE', `sip:callee@${SET}`))
    expect(ladder.take().at(-1)).toMatch(/^set -> ws .* 2\.b\.1\/8: 180 INVITE$/)
    ladder.takeover()
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), 200))
    expect(ladder.take().at(-1)).toMatch(/^set -> ws .* 2\.b\.1\/8: 200 INVITE$/)
  })

  test('whose 200 was lost with its connection gets it, and its dialog is bound to the new one', () => {
    const ladder = calling()
    const invite = ladder.last(callee, 'INVITE')
    ladder.say(callee, response(callee, invite, 200))
    isGone(ladder)
    ladder.take()
    ladder.say(back, request(caller, 'INVITE', `sip:callee@${SET}`))
    expect(ladder.take().filter((line) => line.includes('200 INVITE'))).toEqual([
      expect.stringMatching(/^set -> ws .* 2\.b\.1\/8: 200 INVITE$/),
    ])
    ladder.say(callee, inDialog(callee, calleeLeg(callee, invite), 'BYE', 1))
    expect(streamOf(ladder)).toBe('2.b.1/8')
  })

  test('only who knows Call-ID and both tags takes the dialog over, and only by the same transport', () => {
    const { ladder, callerLeg, calleeLeg: leg } = talking()
    const stranger = { ...callerLeg, local: callerLeg.local.replace('caller-tag', 'other-tag') }
    ladder.say(back, inDialog(back, stranger, 'INFO', 2))
    ladder.say({ ...back, flow: { ...back.flow, transport: 'wss' } }, inDialog(back, callerLeg, 'INFO', 3))
    ladder.say(callee, inDialog(callee, leg, 'BYE', 1))
    expect(streamOf(ladder)).toBe('1.a.1/3')
  })
})

describe('a phone on TCP', () => {
  test('with `ob` in its Contact is called on its connection, one without at its address', () => {
    const contact = 'sip:caller@127.32.0.2:5062;transport=tcp'
    for (const [own, expected] of [
      [`${contact};ob`, 'set -> tcp 127.32.0.2:5062 1.a.1/3: BYE'],
      [contact, 'set -> tcp 127.32.0.2:5062: BYE'],
    ] as const) {
      const { ladder, calleeLeg: leg } = talking(client('tcp', '1.a.1/3', own))
      ladder.say(callee, inDialog(callee, leg, 'BYE', 1))
      expect(ladder.take()).toContain(expected)
    }
  })
})
