import { describe, expect, test } from 'vitest'
import { hashKey } from '../base/hash.ts'
import { instant, stamp } from '../base/instant.ts'
import { parseBlock } from '../proxy/access.ts'
import { groupOfCallId, makeToken } from '../proxy/token.ts'
import { callId, header } from '../sip/message.ts'
import type { CallContext, NextHop } from './contract.ts'
import { receive } from './receive.ts'
import { refuse } from './refuse.ts'
import { inDialog, parsed, parsedRequest, phone, request } from './testing/phone.ts'
import { talking } from './testing/scene.ts'

const caller = phone('caller', '127.32.0.2', 5062)
const key = hashKey(new Uint8Array(16).fill(3))
const second = hashKey(new Uint8Array(16).fill(4))

function context(nextHop: NextHop | null = null, current = 1): CallContext {
  return {
    now: instant(0),
    cluster: stamp(0),
    settings: { sip: { host: '127.32.0.1', port: 5060 }, nextHop },
    keys: {
      current,
      at: () => current,
      key: (generation) => (generation === 1 ? key : generation === 2 ? second : null),
    },
    format: 2,
    acceptsCalls: true,
    keepsRelays: true,
    view: () => null,
    counter: () => 0,
    admit: () => 'admit',
  }
}

const somewhere: NextHop = { host: '127.32.0.3', port: 5060, transport: null }

function answerTo(text: string, ctx = context(somewhere)): string {
  const received = receive(text, caller.flow, ctx)
  if (received.kind !== 'answer') return received.kind
  return received.sends.map((one) => one.data.slice(8, 11)).join()
}

describe('refusals that keep no state (RFC 3261 16.3)', () => {
  const invite = request(caller, 'INVITE', 'sip:x@127.32.0.9')

  test.each([
    ['Max-Forwards 0', invite.replace('Max-Forwards: 70', 'Max-Forwards: 0'), '483'],
    ['Proxy-Require', invite.replace('Max-Forwards', 'Proxy-Require: magic\r\nMax-Forwards'), '420'],
    ['Max-Breadth 0 (RFC 5393)', invite.replace('Max-Forwards', 'Max-Breadth: 0\r\nMax-Forwards'), '440'],
    ['Max-Breadth 1', invite.replace('Max-Forwards', 'Max-Breadth: 1\r\nMax-Forwards'), 'group'],
    ['another version', invite.replace('SIP/2.0\r\n', 'SIP/3.0\r\n'), '505'],
    ['a CSeq of another method', invite.replace('CSeq: 1 INVITE', 'CSeq: 1 BYE'), '400'],
    ['no From', invite.replace(/From: [^\r]*\r\n/, ''), '400'],
    ['a message that is too long', invite.replace('Max-Forwards', `X: ${'a'.repeat(9_000)}\r\nMax-Forwards`), '513'],
  ])('%s', (_why, text, status) => {
    expect(answerTo(text)).toBe(status)
  })

  test('20.29: 420 says what is not supported', () => {
    const text = invite.replace('Max-Forwards', 'Proxy-Require: magic\r\nMax-Forwards')
    const received = receive(text, caller.flow, context(somewhere))
    const answer = received.kind === 'answer' ? received.sends[0] : undefined
    expect(header(parsed(answer?.data ?? ''), 'Unsupported')).toBe('magic')
    expect(answer?.flow).toEqual(caller.flow)
  })

  test('an ACK is never answered', () => {
    expect(answerTo(request(caller, 'ACK', 'sip:x@127.32.0.9').replace('Max-Forwards: 70', 'Max-Forwards: 0'))).toBe(
      'drop',
    )
    expect(answerTo(request(caller, 'ACK', 'sip:x@127.32.0.9').replace('Call-ID', 'Call-XX'))).toBe('drop')
  })

  test('noise is dropped with a stable reason', () => {
    expect(receive('\u0000\u0001', caller.flow, context())).toMatchObject({ kind: 'drop' })
    expect(receive('', caller.flow, context())).toEqual({ kind: 'drop', reason: 'empty' })
  })

  test.each([
    ['a name in Via', 'SIP/2.0/UDP phone.example.com;branch=z9hG4bK1'],
    ['the address of somebody else', 'SIP/2.0/UDP 192.0.2.77;branch=z9hG4bK1'],
    ['somebody else in received', 'SIP/2.0/UDP 127.32.0.2;received=192.0.2.77;branch=z9hG4bK1'],
    ['somebody else in maddr, by name', 'SIP/2.0/UDP phone.example.com;maddr=victim.example.com;branch=z9hG4bK1'],
    ['a Via that can hardly be read', 'SIP/2.0/UDP 192.0.2.77;;,;,,'],
  ])('18.2.1, 18.2.2: a refusal goes to where the request came from: %s', (_what, via) => {
    for (const [header, value] of [
      ['Max-Forwards: 70', 'Max-Forwards: 0'],
      ['CSeq: 1 INVITE', 'CSeq: 1 BYE'],
    ] as const) {
      const text = invite.replace(/Via: [^\r]*/, `Via: ${via}`).replace(header, value)
      const received = receive(text, caller.flow, context(somewhere))
      const sends = received.kind === 'answer' ? received.sends : []
      expect(sends.map(({ flow }) => flow)).toEqual([{ ...caller.flow, port: 5060 }])
      expect(sends[0]?.data).toContain(`;received=${caller.flow.host}`)
    }
  })

  test('18.2.2: to a request that came on a stream, on that stream, whatever its Via calls it', () => {
    const flow = { ...caller.flow, transport: 'tcp' as const, stream: '1/1/1' }
    const text = invite.replace('SIP/2.0/UDP', 'SIP/2.0/TLS').replace('Max-Forwards: 70', 'Max-Forwards: 0')
    const received = receive(text, flow, context(somewhere))
    expect(received.kind === 'answer' && received.sends[0]?.flow).toMatchObject({ transport: 'tcp', stream: '1/1/1' })
  })

  test('the same request gets the same answer each time (8.2.7)', () => {
    const text = invite.replace('Max-Forwards: 70', 'Max-Forwards: 0')
    expect(receive(text, caller.flow, context())).toEqual(receive(text, caller.flow, context()))
  })

  test('503 with Retry-After', () => {
    const out = refuse(parsedRequest(invite), caller.flow, 503, 7, context())
    expect(header(parsed(out.data), 'Retry-After')).toBe('7')
  })
})

describe('requests to the set itself (interface.md)', () => {
  const own = 'sip:127.32.0.1:5060'

  test.each([
    ['OPTIONS', own, null, '200'],
    ['OPTIONS', own, somewhere, '200'],
    ['OPTIONS', 'sip:ping@127.32.0.1', null, '200'],
    ['OPTIONS', 'sip:ping@127.32.0.1', somewhere, 'group'],
    ['INVITE', 'sip:x@127.32.0.1', null, '404'],
    ['REGISTER', own, null, '404'],
    ['INVITE', 'sip:x@127.32.0.1', somewhere, 'group'],
    ['INVITE', 'sip:x@127.32.0.1:5099', null, 'group'],
  ] as const)('%s %s with next hop %j: %s', (method, uri, nextHop, outcome) => {
    expect(answerTo(request(caller, method, uri), context(nextHop))).toBe(outcome)
  })
})

describe('the group of a message (design.md 3)', () => {
  const groupOf = (text: string, ctx: CallContext): string | null => {
    const received = receive(text, caller.flow, ctx)
    return received.kind === 'group' ? received.group : null
  }
  const invite = request(caller, 'INVITE', 'sip:x@127.32.0.9')

  test('a new call: a hash of its Call-ID, the same under every generation of the set key', () => {
    const first = groupOf(invite, context(somewhere))
    expect(first).toMatch(/^[0-9a-f]{16}$/)
    expect(groupOf(invite, context(somewhere, 2))).toBe(first)
    expect(groupOf(invite.replace('call-1', 'call-2'), context(somewhere))).not.toBe(first)
  })

  test('the key in our Route wins over the Call-ID, a forged one is none', () => {
    const { ladder, callerLeg } = talking()
    const group = ladder.view?.key
    const other = inDialog(caller, { ...callerLeg, callId: 'another' }, 'INFO', 2)
    expect(groupOf(other, ladder.ctx)).toBe(group)
    const forged = other.replace(/;hf=1[0-9a-f]{16}/, `;hf=1${'0'.repeat(16)}`)
    expect(groupOf(forged, ladder.ctx)).not.toBe('0'.repeat(16))
    expect(groupOf(forged, ladder.ctx)).not.toBe(group)
  })

  test('only an INVITE without a To tag opens a call', () => {
    const opens = (text: string): boolean | null => {
      const received = receive(text, caller.flow, context(somewhere))
      return received.kind === 'group' ? received.opens : null
    }
    expect(opens(invite)).toBe(true)
    expect(opens(invite.replace('<sip:callee@example.com>', '<sip:callee@example.com>;tag=x'))).toBe(false)
    expect(opens(request(caller, 'MESSAGE', 'sip:x@127.32.0.9'))).toBe(false)
  })

  test('18.1.2: a response whose top Via is not ours is dropped', () => {
    const { ladder } = talking()
    const answer = ladder.sent.find((one) => one.data.startsWith('SIP/2.0 200'))
    expect(receive(answer?.data ?? '', caller.flow, ladder.ctx)).toEqual({ kind: 'drop', reason: 'via-not-ours' })
  })

  test('before the set has a key nothing is taken', () => {
    const without = { ...context(), keys: { current: 0, at: () => 0, key: () => null } }
    expect(receive(invite, caller.flow, without)).toEqual({ kind: 'drop', reason: 'no-set-key' })
  })

  test('RFC 5393: our own request that comes back unchanged is a loop; changed, a spiral', () => {
    const { ladder, invite: sent } = talking()
    const back = receive(sent, caller.flow, ladder.ctx)
    expect(back.kind === 'answer' ? back.reason : back.kind).toBe('loop')
    const spiral = sent.replace(/^INVITE [^ ]*/, 'INVITE sip:other@127.31.0.1:5060')
    expect(receive(spiral, caller.flow, ladder.ctx).kind).toBe('group')
  })
})

describe('who is not on the access list (decision 0026)', () => {
  const listed = { kind: 'group' }
  const allowed = context(somewhere)
  const closed: CallContext = {
    ...allowed,
    settings: { ...allowed.settings, access: [block('192.0.2.0/24')] },
  }
  const other = { ...caller.flow, host: '192.0.2.9' }
  const invite = request(caller, 'INVITE', 'sip:x@127.32.0.9')

  test('gets 403 for what would be relayed, and nothing for an ACK', () => {
    expect(answerTo(invite, closed)).toBe('403')
    expect(answerTo(request(caller, 'MESSAGE', 'sip:x@127.32.0.9'), closed)).toBe('403')
    expect(answerTo(request(caller, 'CANCEL', 'sip:x@127.32.0.9'), closed)).toBe('403')
    expect(answerTo(request(caller, 'ACK', 'sip:x@127.32.0.9'), closed)).toBe('drop')
    expect(receive(invite, other, closed)).toMatchObject(listed)
  })

  test('is told what the set can do, as anybody is', () => {
    expect(answerTo(request(caller, 'OPTIONS', 'sip:127.32.0.1'), closed)).toBe('200')
  })

  test("may go on in a call that was let in, by its Record-Route and its Call-ID's own key alone", () => {
    const bye = request(caller, 'BYE', 'sip:x@127.32.0.9').replace(/To: [^\r]*/, '$&;tag=other')
    expect(answerTo(bye, closed)).toBe('403')
    const routed = (call: string, text = bye): string => {
      const token = makeToken(closed.keys, groupOfCallId(closed.keys, call), '')
      return text.replace('Max-Forwards', `Route: <sip:127.32.0.1;lr;hf=${token}>\r\nMax-Forwards`)
    }
    const own = callId(parsed(bye))
    expect(receive(routed(own), caller.flow, closed)).toMatchObject(listed)
    expect(answerTo(routed('of-another-call'), closed)).toBe('403')
    expect(answerTo(routed(own).replace(/(hf=.{8})./, '$1x'), closed)).toBe('403')
    // What begins a dialog is nobody's but who is let in, whatever Route it has.
    expect(answerTo(routed(callId(parsed(invite)), invite), closed)).toBe('403')
  })
})

function block(text: string) {
  const read = parseBlock(text)
  if (!read.ok) throw new Error(read.error)
  return read.value
}
