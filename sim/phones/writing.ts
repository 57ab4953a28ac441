// What phones write: requests and responses with the headers RFC 3261 wants, in orders and forms that differ from phone to
// phone, with headers and bodies no proxy knows, so that a relayed message shows every byte that was touched.

import type { Draw } from '../draws.ts'
import type { talk } from '../ladder.ts'
import type { Dialog } from './dialog.ts'
import { cseqOf, header, listOf, phoneUri, topVia, valueOf } from './message.ts'
import type { HeaderLine, RequestMessage, ResponseMessage } from './message.ts'
import type { Phone } from './phone.ts'
import { hostOf, nameOf } from '../sip-network.ts'

/** A request: the call's first INVITE without a dialog, all others inside it. */
export function request(
  phone: Phone,
  method: 'INVITE' | 'BYE' | 'PRACK' | (typeof talk)[number],
  dialog: Dialog | null,
  branch: string,
  drawn: Draw,
  body: string,
  more: readonly HeaderLine[] = [],
): RequestMessage {
  const { options } = phone
  const cseq = dialog === null ? drawn.within(1, 1_000_000, 10) : dialog.nextCseq()
  const lines: HeaderLine[] = [
    viaLine(phone, branch, drawn),
    ...(dialog?.routeLines() ?? (options.routes?.() ?? []).map((route) => header('Route', route))),
    header('Max-Forwards', '70'),
    header(drawn.chance(300_000, 11) ? 'f' : 'From', dialog?.local ?? fromLine(phone)),
    header(drawn.chance(300_000, 12) ? 't' : 'To', dialog?.remote ?? `<${options.requestUri}>`),
    header(drawn.chance(300_000, 13) ? 'i' : 'Call-ID', phone.callId),
    header('CSeq', `${cseq} ${method}`),
    ...(hasContact.has(method) ? [header(drawn.chance(300_000, 14) ? 'm' : 'Contact', contactLine(phone))] : []),
    ...more,
    ...extras(drawn),
    ...bodyLines(body, drawn),
  ]
  return { kind: 'request', method, uri: dialog?.target ?? options.requestUri, lines, body }
}

/** The ACK of a 2xx (13.2.2.4) if there is a dialog, else that of another final (17.1.1.3). */
export function ackFor(
  phone: Phone,
  invite: RequestMessage,
  dialog: Dialog | null,
  branch: string,
  response: ResponseMessage | null = null,
): RequestMessage {
  const to = dialog?.remote ?? (response === null ? null : valueOf(response, 'to')) ?? ''
  const via =
    dialog === null
      ? header('Via', topVia(invite))
      : header('Via', `SIP/2.0/${protocolOf(phone)} ${sentBy(phone)};branch=${branch}`)
  const routes = dialog?.routeLines() ?? listOf(invite, 'route').map((route) => header('Route', route))
  const lines = [
    via,
    ...routes,
    header('Max-Forwards', '70'),
    header('From', valueOf(invite, 'from') ?? ''),
    header('To', to),
    header('Call-ID', phone.callId),
    header('CSeq', `${cseqOf(invite).number} ACK`),
    header('Content-Length', '0'),
  ]
  return { kind: 'request', method: 'ACK', uri: dialog?.target ?? invite.uri, lines, body: '' }
}

/** 9.1: the INVITE's own Request-URI, Via, From, To, Call-ID, CSeq number and Route. */
export function cancelFor(invite: RequestMessage): RequestMessage {
  const lines = [
    header('Via', topVia(invite)),
    ...listOf(invite, 'route').map((route) => header('Route', route)),
    header('Max-Forwards', '70'),
    header('From', valueOf(invite, 'from') ?? ''),
    header('To', valueOf(invite, 'to') ?? ''),
    header('Call-ID', valueOf(invite, 'call-id') ?? ''),
    header('CSeq', `${cseqOf(invite).number} CANCEL`),
    header('Content-Length', '0'),
  ]
  return { kind: 'request', method: 'CANCEL', uri: invite.uri, lines, body: '' }
}

/** 8.2.6 and 12.1.1. */
export function responseTo(
  received: RequestMessage,
  status: number,
  phone: Phone,
  drawn: Draw,
  more: readonly HeaderLine[] = [],
): ResponseMessage {
  const to = valueOf(received, 'to') ?? ''
  const tagged = status === 100 || /;\s*tag=/.test(to) ? to : `${to};tag=${phone.tag}`
  const makesDialog = received.method === 'INVITE' && status > 100 && status < 300
  const body = received.method === 'INVITE' && status >= 183 && status < 300 ? sessionBody(drawn, status) : ''
  const copied = (name: string): readonly HeaderLine[] => received.lines.filter((line) => line.name === name)
  const lines = [
    ...copied('via'),
    ...(makesDialog ? copied('record-route') : []),
    ...copied('from'),
    header('To', tagged),
    ...copied('call-id'),
    ...copied('cseq'),
    ...(makesDialog || (refreshes.has(received.method) && status < 300) ? [header('Contact', contactLine(phone))] : []),
    ...(status >= 300 && status <= 302 ? (phone.options.contacts ?? []).map((one) => header('Contact', one)) : []),
    ...more,
    ...sessionTimer(received, status, phone),
    ...(status > 100 ? extras(drawn) : []),
    ...bodyLines(body, drawn),
  ]
  return { kind: 'response', status, reason: reasons.get(status) ?? 'Whatever', lines, body }
}

/** Who it is, in each of its dialogs. */
function fromLine({ user, tag, options: { call, address } }: Phone): string {
  return `"Phone ${call}" <sip:${user}@${hostOf(address)}>;tag=${tag}`
}

export function contactLine({ side, moves, options: { address, transport, name, line } }: Phone): string {
  if (line !== undefined) return `<${line.contact}>`
  if (name !== undefined) return `<sip:${side}@${name}>`
  return `<${phoneUri(side, address, transport)}${moves === 0 ? '' : `;move=${moves}`}>`
}

/** RFC 4028. */
function sessionTimer({ method }: RequestMessage, status: number, phone: Phone): readonly HeaderLine[] {
  const { sessionExpires } = phone.options.flow
  if (sessionExpires === 0 || status < 200 || status >= 300 || (method !== 'INVITE' && method !== 'UPDATE')) return []
  return [header('Session-Expires', `${sessionExpires};refresher=uac`)]
}

/** Whose 2xx says where its phone is. */
const refreshes: ReadonlySet<string> = new Set(['UPDATE', 'SUBSCRIBE'])

/** RFC 3261 12.2, RFC 3311, RFC 3515, RFC 6665. */
const hasContact: ReadonlySet<string> = new Set(['INVITE', 'UPDATE', 'REFER', 'SUBSCRIBE', 'NOTIFY'])

const reasons: ReadonlyMap<number, string> = new Map([
  [100, 'Trying'],
  [180, 'Ringing'],
  [183, 'Session Progress'],
  [200, 'OK'],
  [302, 'Moved Temporarily'],
  [480, 'Temporarily Unavailable'],
  [481, 'Call/Transaction Does Not Exist'],
  [486, 'Busy Here'],
  [487, 'Request Terminated'],
  [488, 'Not Acceptable Here'],
  [491, 'Request Pending'],
  [500, 'Server Internal Error'],
  [501, 'Not Implemented'],
  [503, 'Service Unavailable'],
  [603, 'Decline'],
])

function viaLine(phone: Phone, branch: string, drawn: Draw): HeaderLine {
  const rport = drawn.chance(500_000, 15) ? ';rport' : ''
  const name = drawn.chance(300_000, 16) ? 'v' : 'Via'
  return header(name, `SIP/2.0/${protocolOf(phone)} ${sentBy(phone, rport)};branch=${branch}`)
}

/** Where it thinks it is. Behind a translator of addresses that is of no use, and it asks for the source's (RFC 3581). */
function sentBy({ options: { address, line } }: Phone, rport = ''): string {
  return line === undefined ? `${nameOf(address)}${rport}` : `${nameOf(line.inside)};rport`
}

function protocolOf({ options }: Phone): string {
  return options.transport.toUpperCase()
}

/** Headers that no proxy may touch: unknown, folded, odd in case and space, with bytes above ASCII. */
function extras(drawn: Draw): readonly HeaderLine[] {
  const all: readonly HeaderLine[] = [
    header('User-Agent', 'holdfast sim phone'),
    header('Allow', 'INVITE, ACK, CANCEL, BYE'),
    { name: 'x-folded', value: 'one two', raw: 'X-Folded: one\r\n  two' },
    { name: 'x-spaced', value: 'a  b', raw: 'x-SPACED  :   a  b  ' },
    header('Subject', 'caf\u00c3\u00a9, "quoted, \\" comma" <sip:not@a.route>;lr'),
    header('X-Empty', ''),
    header('Supported', 'timer, replaces'),
  ]
  const first = drawn.below(all.length, 17)
  const count = drawn.within(0, all.length - 1, 18)
  return Array.from({ length: count }, (_, i) => all[(first + i) % all.length] as HeaderLine)
}

function bodyLines(body: string, drawn: Draw): readonly HeaderLine[] {
  const length = header(drawn.chance(300_000, 19) ? 'l' : 'Content-Length', String(body.length))
  return body === '' ? [length] : [header('Content-Type', 'application/sdp'), length]
}

/** Not quite SDP: bytes of every kind, CRLFs and an empty line among them. */
export function sessionBody(drawn: Draw, nth: number, isLong = false): string {
  const length = drawn.within(0, 120, 20, nth)
  let noise = ''
  for (let i = 0; i < length; i++) noise += String.fromCharCode(drawn.below(256, 21, nth, i))
  return `v=0\r\no=- ${nth} 1 IN IP4 192.0.2.1\r\ns=-\r\n\r\n${noise}\r\n${isLong ? 'a=long\r\n'.repeat(200) : ''}`
}
