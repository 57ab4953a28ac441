// Messages that are none, or that nobody may relay: the set answers them with a refusal or drops them, and goes on.

import { nameOf } from '../sip-network.ts'
import type { TransportOptions } from './transport.ts'

/** Answers to nonsense carry it back. */
const nonsenseBranch = 'z9hG4bKnonsense'

/** Whether it is the set's answer to nonsense. */
export function answersNonsense(text: string): boolean {
  return text.startsWith('SIP/2.0 ') && text.includes(nonsenseBranch)
}

type Kind = (lines: readonly string[]) => string

const print: Kind = (lines) => `${lines.join('\r\n')}\r\n\r\n`
const without =
  (name: string): Kind =>
  (lines) =>
    print(lines.filter((line) => !line.startsWith(name)))
const instead =
  (name: string, line: string): Kind =>
  (lines) =>
    print(lines.map((one) => (one.startsWith(name) ? line : one)))

/** Those that a stream can carry: their ends can be told. */
const framed: readonly Kind[] = [
  without('Call-ID'),
  without('Via'),
  without('From'),
  without('CSeq'),
  instead('CSeq', 'CSeq: 1 BYE'),
  instead('CSeq', 'CSeq: 99999999999 INVITE'),
  print,
  instead('Max-Forwards', 'Max-Forwards: many'),
  instead('INVITE', 'INVITE sip:nobody@127.0.0.10 SIP/3.0'),
  instead('INVITE', 'INVITE sip:[::1 SIP/2.0'),
  instead('INVITE', 'SIP/2.0 200 OK'),
  instead('INVITE', 'SIP/2.0 99 Odd'),
  instead('Content-Length', 'Call-ID: another@sim\r\nContent-Length: 0'),
  instead('Content-Length', `X-Long: ${'x'.repeat(20_000)}\r\nContent-Length: 0`),
]
const bare: readonly Kind[] = [
  () => '\u0000\u00ff\u0080 nonsense',
  () => 'INVITE',
  (lines) => lines.join('\r\n'),
  instead('Content-Length', 'Content-Length: 4000'),
  instead('Content-Length', 'Content-Length: -1'),
  instead('Content-Length', 'Content-Length: 0\r\nContent-Length: 7'),
]

/** The `nth` nonsense of a phone, of its call as far as one can tell. */
export function nonsense(
  { address, transport, callId, requestUri, call, side }: Omit<TransportOptions, 'oddity'>,
  nth: number,
): string {
  const kinds = transport === 'udp' ? [...framed, ...bare] : framed
  const lines = [
    `INVITE ${requestUri} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} ${nameOf(address)};branch=${nonsenseBranch}${call}${side}${nth}`,
    'Max-Forwards: 0',
    `From: <sip:nonsense@${address.host}>;tag=nonsense`,
    `To: <${requestUri}>`,
    `Call-ID: ${nth % 2 === 0 ? callId : `nonsense-${callId}`}`,
    'CSeq: 1 INVITE',
    'Content-Length: 0',
  ]
  return (kinds[(call * 7 + nth) % kinds.length] as Kind)(lines)
}
