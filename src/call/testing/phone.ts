// The messages of a simple phone, for the tests of the call room.

import { buildRequest, buildResponse } from '../../sip/build.ts'
import type { HeaderList } from '../../sip/build.ts'
import { contacts, cseq, header, parseMessage, values } from '../../sip/message.ts'
import type { SipMessage, SipRequest } from '../../sip/message.ts'
import { must } from '../../base/assert.ts'
import type { Flow } from '../../wire/entry.ts'

export interface Phone {
  readonly name: string
  readonly flow: Flow
  /** host:port as SIP writes it. */
  readonly address: string
  readonly contact: string
}

export function phone(name: string, host: string, port: number, stream = ''): Phone {
  const transport = stream === '' ? 'udp' : 'tcp'
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const named = transport === 'udp' ? '' : ';transport=tcp'
  return { name, flow: { transport, host, port, stream }, address, contact: `sip:${name}@${address}${named}` }
}

export function parsed(text: string): SipMessage {
  const result = parseMessage(text)
  if (!result.ok) throw new Error(`${result.error.code}: ${text}`)
  return result.value
}

export function parsedRequest(text: string): SipRequest {
  const message = parsed(text)
  if (message.kind !== 'request') throw new Error(`not a request: ${text}`)
  return message
}

export interface RequestOptions {
  readonly branch?: string
  readonly callId?: string
  readonly cseq?: number
  readonly to?: string
  readonly headers?: HeaderList
  readonly body?: string
}

/** A request outside a dialog. */
export function request(from: Phone, method: string, requestUri: string, options: RequestOptions = {}): string {
  const number = options.cseq ?? 1
  return buildRequest({
    method,
    requestUri,
    headers: [
      ['Via', via(from, options.branch ?? `z9hG4bK-${from.name}-${method}-${number}`)],
      ['Max-Forwards', '70'],
      ['From', `<sip:${from.name}@example.com>;tag=${from.name}-tag`],
      ['To', options.to ?? '<sip:callee@example.com>'],
      ['Call-ID', options.callId ?? 'call-1'],
      ['CSeq', `${number} ${method}`],
      ['Contact', `<${from.contact}>`],
      ...(options.headers ?? []),
    ],
    body: options.body ?? '',
  })
}

/** CANCEL or the ACK for a failure: the INVITE's Via, Request-URI and Route. */
export function follower(invite: string, method: string, response?: string): string {
  const sent = parsedRequest(invite)
  const named = (name: string): string => must(header(sent, name), name)
  return buildRequest({
    method,
    requestUri: sent.requestUri,
    headers: [
      ['Via', named('Via')],
      ['Max-Forwards', '70'],
      ...values(sent, 'Route').map((value) => ['Route', value] as const),
      ['From', named('From')],
      ['To', response === undefined ? named('To') : must(header(parsed(response), 'To'), 'To')],
      ['Call-ID', named('Call-ID')],
      ['CSeq', `${cseq(sent).number} ${method}`],
    ],
  })
}

/** A response, with the phone's tag and Contact. */
export function response(of: Phone, to: string, status: number, headerList: HeaderList = [], tag?: string): string {
  const asked = parsedRequest(to)
  const dialog = status > 100 && cseq(asked).method !== 'CANCEL'
  const own: HeaderList = dialog
    ? [...values(asked, 'Record-Route').map((v) => ['Record-Route', v] as const), ['Contact', `<${of.contact}>`]]
    : []
  return buildResponse(asked, status, undefined, { toTag: tag ?? `${of.name}-tag`, headers: [...own, ...headerList] })
}

/** What a phone knows of its dialog. */
export interface Leg {
  readonly callId: string
  readonly local: string
  readonly remote: string
  readonly target: string
  readonly routes: readonly string[]
}

/** The caller's leg, from the 2xx it got. */
export function callerLeg(answer: string): Leg {
  const message = parsed(answer)
  return {
    callId: must(header(message, 'Call-ID'), 'Call-ID'),
    local: must(header(message, 'From'), 'From'),
    remote: must(header(message, 'To'), 'To'),
    target: contactUri(message),
    routes: [...values(message, 'Record-Route')].reverse(),
  }
}

/** The callee's leg, from the INVITE it got and its own tag. */
export function calleeLeg(of: Phone, invite: string): Leg {
  const message = parsed(invite)
  return {
    callId: must(header(message, 'Call-ID'), 'Call-ID'),
    local: `${must(header(message, 'To'), 'To')};tag=${of.name}-tag`,
    remote: must(header(message, 'From'), 'From'),
    target: contactUri(message),
    routes: values(message, 'Record-Route'),
  }
}

/** A request in a dialog. */
export function inDialog(from: Phone, leg: Leg, method: string, number: number, options: RequestOptions = {}): string {
  return buildRequest({
    method,
    requestUri: leg.target,
    headers: [
      ['Via', via(from, options.branch ?? `z9hG4bK-${from.name}-${method}-${number}`)],
      ['Max-Forwards', '70'],
      ...leg.routes.map((value) => ['Route', value] as const),
      ['From', leg.local],
      ['To', leg.remote],
      ['Call-ID', leg.callId],
      ['CSeq', `${number} ${method}`],
      ['Contact', `<${from.contact}>`],
      ...(options.headers ?? []),
    ],
  })
}

function via(from: Phone, branch: string): string {
  return `SIP/2.0/${from.flow.transport.toUpperCase()} ${from.address};branch=${branch}`
}

function contactUri(message: SipMessage): string {
  const list = contacts(message)
  return must(list === '*' ? undefined : list[0], 'a Contact').uri
}

/** `INVITE`, `180 INVITE`. */
export function label(text: string): string {
  const message = parsed(text)
  return message.kind === 'request' ? message.method : `${message.status} ${cseq(message).method}`
}
