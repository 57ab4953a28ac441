// Messages for this room's tests.

import { type SipMessage, type SipRequest, type SipResponse, parseMessage } from '../message.ts'

export const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n'

/** An INVITE as phones send it. */
export const INVITE = lines(
  'INVITE sip:bob@example.com;transport=udp SIP/2.0',
  'Via: SIP/2.0/UDP 127.0.0.2:5062;rport;branch=z9hG4bKa1',
  'Max-Forwards: 70',
  'From: "Alice" <sip:alice@example.com>;tag=9fxc',
  'To: <sip:bob@example.com>',
  'Call-ID: 3848276298@127.0.0.2',
  'CSeq: 1 INVITE',
  'Contact: <sip:alice@127.0.0.2:5062>',
  'Allow: INVITE, ACK, CANCEL, BYE',
  'X-Folded: one,',
  '\ttwo',
  'Content-Type: application/sdp',
  `Content-Length: ${SDP.length}`,
  '',
  SDP,
)

/** A request inside a dialog, with lists that share lines, compact forms and folding. */
export const BYE = lines(
  'BYE sip:bob@127.0.0.3 SIP/2.0',
  'v: SIP/2.0/UDP 127.0.0.4;branch=z9hG4bKtop , SIP/2.0/TCP [2001:db8::1]:5061 ;branch=z9hG4bKmid;received=127.0.0.9',
  'Max-Forwards: 69',
  'Route: <sip:one@127.0.0.10;lr>, "Two, too" <sip:127.0.0.11;lr>',
  'VIA : SIP / 2.0 / UDP 127.0.0.2',
  '  ;branch=z9hG4bKlast',
  'f: sip:alice@example.com;tag=9fxc',
  't: sip:bob@example.com;tag=314',
  'Route: <sip:127.0.0.12;lr>',
  'i: 3848276298@127.0.0.2',
  'CSeq: 2 BYE',
  'l: 0',
  '',
  '',
)

export const OK = lines(
  'SIP/2.0 200 OK',
  'Via: SIP/2.0/UDP 127.0.0.10:5060;branch=z9hG4bKproxy',
  'Via: SIP/2.0/UDP 127.0.0.2:5062;rport=5062;branch=z9hG4bKa1',
  'Record-Route: <sip:token@127.0.0.10:5060;lr>',
  'From: "Alice" <sip:alice@example.com>;tag=9fxc',
  'To: <sip:bob@example.com>;tag=314',
  'Call-ID: 3848276298@127.0.0.2',
  'CSeq: 1 INVITE',
  'Contact: <sip:bob@127.0.0.3>',
  'Content-Length: 4',
  '',
  'body',
)

/** Lines joined by CRLF. */
export function lines(...all: readonly string[]): string {
  return all.join('\r\n')
}

/** An OPTIONS of which one header is replaced (or added as the last one), or that gets `extra` lines. */
export function options(replace: Readonly<Record<string, string | null>> = {}, extra: readonly string[] = []): string {
  const headers = new Map<string, string | null>([
    ['Via', 'SIP/2.0/UDP 127.0.0.2;branch=z9hG4bKo'],
    ['Max-Forwards', '70'],
    ['From', '<sip:alice@example.com>;tag=a'],
    ['To', '<sip:bob@example.com>'],
    ['Call-ID', 'c1'],
    ['CSeq', '7 OPTIONS'],
    ['Content-Length', '0'],
  ])
  for (const [name, value] of Object.entries(replace)) headers.set(name, value)
  const kept = [...headers].filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}`)
  return lines('OPTIONS sip:bob@example.com SIP/2.0', ...kept, ...extra, '', '')
}

/** The message, which must be readable. */
export function read(text: string): SipMessage {
  const parsed = parseMessage(text)
  if (!parsed.ok) throw new Error(`${parsed.error.code}: ${parsed.error.reason}`)
  return parsed.value
}

export function readRequest(text: string): SipRequest {
  const message = read(text)
  if (message.kind !== 'request') throw new Error('a response')
  return message
}

export function readResponse(text: string): SipResponse {
  const message = read(text)
  if (message.kind !== 'response') throw new Error('a request')
  return message
}

/** The code with which the message is refused, 'ok' if it isn't. */
export function refusal(text: string): string {
  const parsed = parseMessage(text)
  return parsed.ok ? 'ok' : parsed.error.code
}
