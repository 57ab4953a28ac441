// The checker itself must be able to fail: a right call passes, and each way to break it is found.

import { describe, expect, test } from 'vitest'
import { checkWire } from './wire-check.ts'
import { peerFault } from './sip-peer.ts'
import type { WireMessage } from './wire-check.ts'

const set = '127.0.0.10:5060'
const caller = '127.0.0.1:5060'
const callee = '127.0.0.2:5070'
const phones = ['127.0.0.1', '127.0.0.2']

const callerVia = 'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-a1'
const ourVia = (branch: string): string => `Via: SIP/2.0/UDP 127.0.0.10:5060;branch=z9hG4bK1${branch}`
const recordRoute = 'Record-Route: <sip:key@127.0.0.10:5060;lr>'
const sdp = 'v=0\r\ns=\xe9\r\n'

interface Shape {
  readonly start: string
  readonly heads: readonly string[]
  readonly cseq: string
  readonly to?: string
  readonly rest?: readonly string[]
  readonly body?: string
}

function sip({ start, heads, cseq, to = 'To: <sip:b@x>', rest = [], body = '' }: Shape): string {
  const common = [
    'From: "A, B" <sip:a@x>;tag=1',
    to,
    'Call-ID: one@x',
    `CSeq: ${cseq}`,
    ...rest,
    `Content-Length: ${body.length}`,
  ]
  return `${[start, ...heads, ...common].join('\r\n')}\r\n\r\n${body}`
}

const [answered, odd] = ['To: <sip:b@x>;tag=2', ['X-Odd:  a ,b', 'Subject: folded\r\n  here']]

const inviteIn = sip({
  start: 'INVITE sip:b@127.0.0.10:5060 SIP/2.0',
  heads: [callerVia, 'Max-Forwards: 70'],
  cseq: '1 INVITE',
  rest: [...odd, 'Contact: <sip:a@127.0.0.1:5060>'],
  body: sdp,
})
const inviteOut = sip({
  start: 'INVITE sip:b@127.0.0.10:5060 SIP/2.0',
  heads: [ourVia('i'), callerVia, recordRoute, 'Max-Forwards: 69'],
  cseq: '1 INVITE',
  rest: [...odd, 'Contact: <sip:a@127.0.0.1:5060>'],
  body: sdp,
})
const trying = sip({ start: 'SIP/2.0 100 Trying', heads: [callerVia], cseq: '1 INVITE' })
const contact = ['Contact: <sip:b@127.0.0.2:5070>']
const okIn = sip({
  start: 'SIP/2.0 200 OK',
  heads: [ourVia('i'), callerVia, recordRoute],
  cseq: '1 INVITE',
  to: answered,
  rest: contact,
  body: sdp,
})
const okOut = sip({
  start: 'SIP/2.0 200 OK',
  heads: [callerVia, recordRoute],
  cseq: '1 INVITE',
  to: answered,
  rest: contact,
  body: sdp,
})
const byeVia = callerVia.replace('a1', 'a3')
const route = 'Route: <sip:key@127.0.0.10:5060;lr>'
const byeIn = sip({
  start: 'BYE sip:b@127.0.0.2:5070 SIP/2.0',
  heads: [byeVia, route, 'Max-Forwards: 70'],
  cseq: '2 BYE',
  to: answered,
})
const byeOut = sip({
  start: 'BYE sip:b@127.0.0.2:5070 SIP/2.0',
  heads: [ourVia('b'), byeVia, 'Max-Forwards: 69'],
  cseq: '2 BYE',
  to: answered,
})
const byeOkIn = sip({ start: 'SIP/2.0 200 OK', heads: [ourVia('b'), byeVia], cseq: '2 BYE', to: answered })
const byeOkOut = sip({ start: 'SIP/2.0 200 OK', heads: [byeVia], cseq: '2 BYE', to: answered })

const fromCaller = (text: string): WireMessage => ({ from: caller, to: set, text })
const toCaller = (text: string): WireMessage => ({ from: set, to: caller, text })
const fromCallee = (text: string): WireMessage => ({ from: callee, to: set, text })
const toCallee = (text: string): WireMessage => ({ from: set, to: callee, text })

const call: readonly WireMessage[] = [
  fromCaller(inviteIn),
  toCallee(inviteOut),
  toCaller(trying),
  fromCallee(okIn),
  toCaller(okOut),
  fromCaller(byeIn),
  toCallee(byeOut),
  fromCallee(byeOkIn),
  toCaller(byeOkOut),
]

/** The call with one message changed. */
function broken(text: string, from: string, to: string): readonly WireMessage[] {
  const changed = text.replace(from, to)
  if (changed === text) throw new Error(`nothing to break: ${from}`)
  return call.map((message) => (message.text === text ? { ...message, text: changed } : message))
}

function faults(messages: readonly WireMessage[]): string[] {
  return checkWire(messages, set, phones).faults.map((fault) => fault.split('\n')[0] as string)
}

describe('the check of captured messages', () => {
  test('accepts a call that is relayed as RFC 3261 section 16 says, and counts it', () => {
    expect(checkWire(call, set, phones)).toEqual({
      faults: [],
      relayed: { INVITE: 1, '200 INVITE': 1, BYE: 1, '200 BYE': 1 },
      own: { '100 INVITE': 1 },
      repeated: 0,
      lostProvisionals: [],
    })
  })

  test('accepts identical bytes again as a retransmission', () => {
    const report = checkWire([...call, toCallee(inviteOut)], set, phones)
    expect(report).toMatchObject({ faults: [], repeated: 1 })
  })

  test('accepts the source noted in the topmost Via (18.2.1)', () => {
    const noted = `${callerVia};received=127.0.0.1`
    const messages = call.map((message) =>
      message.text === inviteIn ? message : { ...message, text: message.text.replace(callerVia, noted) },
    )
    expect(faults(messages)).toEqual([])
  })

  test.each([
    ['16.6.1 a byte of the body', inviteOut, 's=\xe9', 's=\xe8', /body is not byte for byte/],
    ['16.6.1 a header that is gone', inviteOut, 'X-Odd:  a ,b\r\n', '', /other headers changed/],
    ['16.6.1 a header that lost a space', inviteOut, 'X-Odd:  a ,b', 'X-Odd: a ,b', /other headers changed/],
    ['16.6.1 a header that was unfolded', inviteOut, 'folded\r\n  here', 'folded here', /other headers changed/],
    [
      '16.6.1 headers in another order',
      inviteOut,
      'Call-ID: one@x\r\nCSeq: 1 INVITE',
      'CSeq: 1 INVITE\r\nCall-ID: one@x',
      /other headers/,
    ],
    ['16.6.3 Max-Forwards as it came', inviteOut, 'Max-Forwards: 69', 'Max-Forwards: 70', /Max-Forwards/],
    ['16.6.4 no Record-Route', inviteOut, `${recordRoute}\r\n`, '', /Record-Route/],
    ['16.6.4 a Record-Route without lr', inviteOut, ';lr>', '>', /Record-Route/],
    ["16.6.4 a stranger's Record-Route", inviteOut, 'key@127.0.0.10', 'key@127.0.0.11', /Record-Route/],
    ['16.6.8 no Via of its own', inviteOut, `${ourVia('i')}\r\n`, '', /Via/],
    ["16.6.8 the caller's Via changed", inviteOut, 'branch=z9hG4bK-a1', 'branch=z9hG4bK-a2', /Vias below/],
    [
      '16.6.8 the Vias in another order',
      inviteOut,
      `${ourVia('i')}\r\n${callerVia}`,
      `${callerVia}\r\n${ourVia('i')}`,
      /topmost Via/,
    ],
    ['16.6.8 a branch without its cookie', inviteOut, 'z9hG4bK1i', 'i', /cookie/],
    ['16.6.8 one branch for two requests', byeOut, 'z9hG4bK1b', 'z9hG4bK1i', /used before/],
    ['16.4 its own Route left in', byeOut, 'Max-Forwards', `${route}\r\nMax-Forwards`, /Route is not/],
    ['16.5 another Request-URI', byeOut, 'BYE sip:b@127.0.0.2:5070', 'BYE sip:b@127.0.0.3:5070', /Request-URI/],
    ['16.7.3 its own Via left in', okOut, callerVia, `${ourVia('i')}\r\n${callerVia}`, /no such response/],
    ['16.7.3 no Via left', okOut, `${callerVia}\r\n`, '', /no such response/],
    ['16.7 another status', okOut, '200 OK', '202 OK', /no such response/],
    ['16.7 another reason', okOut, '200 OK', '200 Fine', /status line/],
    ['16.7 a byte of the body back', okOut, 's=\xe9', 's=\xea', /body is not byte for byte/],
    ['16.7 Record-Route dropped on the way back', okOut, `${recordRoute}\r\n`, '', /Record-Route/],
    [
      '18.3 a wrong Content-Length',
      okOut,
      `Content-Length: ${sdp.length}`,
      `Content-Length: ${sdp.length + 1}`,
      /Content-Length/,
    ],
    ['a response of its own', trying, '100 Trying', '183 Progress', /no such response/],
  ])('finds %s', (_what, text, from, to, fault) => {
    expect(faults(broken(text, from, to)).join('\n')).toMatch(fault)
  })

  test('finds what was not relayed, and what passed by', () => {
    expect(faults(call.slice(0, -1)).join()).toMatch(/came in and was not relayed/)
    expect(faults([...call, { from: caller, to: callee, text: byeIn }]).join()).toMatch(/passes by the set/)
  })

  test('tells provisional responses that were not relayed apart: nobody repeats those', () => {
    const ringing = okIn.replace('200 OK', '180 Ringing')
    const report = checkWire([...call.slice(0, 3), fromCallee(ringing), ...call.slice(3)], set, phones)
    expect(report).toMatchObject({ faults: [], lostProvisionals: [ringing] })
  })

  test('finds a request that nobody sent', () => {
    expect(faults([toCallee(byeOut)]).join()).toMatch(/no such request/)
  })
})

describe('the independent reader', () => {
  test('reads a right message and refuses broken ones', () => {
    expect(peerFault(inviteOut)).toBeNull()
    expect(peerFault(inviteOut.replace(`Content-Length: ${sdp.length}`, 'Content-Length: 99'))).toMatch(/length/)
    expect(peerFault(byeOut.replace('CSeq: 2 BYE', 'CSeq: 2 INVITE'))).toMatch(/CSeq/)
    expect(peerFault(byeOut.replace(/Via: [^\r]*\r\n/g, ''))).toMatch(/Via/)
    expect(peerFault('BYE\r\n\r\n')).toMatch(/read/)
  })
})
