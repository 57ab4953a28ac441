// SIP messages as values: the text as it came, an index of where its headers are, and the fields that the proxy decides
// by (strict.ts). Everything else is read when asked for. A string read from a message may be a slice of the whole: what
// enters state is made `flat` first (base/bytes.ts).

import { type Result, err, ok } from '../base/result.ts'
import type { CSeq } from './cseq.ts'
import {
  type HeaderFault,
  type HeaderIndex,
  indexHeaders,
  lineStart,
  nameEndOf,
  nextOfKind,
  nextOfName,
  valueEnd,
  valueSpans,
  valueStart,
} from './header-index.ts'
import { Kind, longName } from './header-name.ts'
import { sipLimits } from './limits.ts'
import { type NameAddr, parseNameAddr } from './name-addr.ts'
import { CR, LF, unfold } from './scan.ts'
import { type StartLine, readStartLine } from './start-line.ts'
import { type Fault, type StrictFields, fault, readStrict } from './strict.ts'
import { type Via, parseVia } from './via.ts'

interface MessageBase {
  /** The whole message as latin1, one character a byte. Invariant: ends where the body ends. */
  readonly text: string
  /** For this room only. */
  readonly index: HeaderIndex
  /** For this room only. */
  readonly strict: StrictFields
}

export interface SipRequest extends MessageBase {
  readonly kind: 'request'
  readonly method: string
  readonly requestUri: string
}

export interface SipResponse extends MessageBase {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
}

export type SipMessage = SipRequest | SipResponse

export interface ParseError extends Fault {
  /** A request from which `buildResponse` can still make an answer: its top Via can be read, and it is no ACK. What else
   * is missing in it reads as empty. null = drop and count. */
  readonly answerable: SipRequest | null
}

/** The message that `input` (one datagram, or one framed message of a stream) holds. Empty lines before it and what
 * follows its body are left away (RFC 3261 7.5, 18.3). */
export function parseMessage(input: string): Result<SipMessage, ParseError> {
  const whole = afterEmptyLines(input)
  const tooLong = whole.length > sipLimits.message
  const text = tooLong ? whole.slice(0, sipLimits.message) : whole
  const lineEnd = text.indexOf('\r')
  if (lineEnd <= 0) return err({ ...fault('empty', 'Bad Request'), answerable: null })

  const start = readStartLine(text.slice(0, lineEnd))
  const index = indexHeaders(text, text.charCodeAt(lineEnd + 1) === LF ? lineEnd + 2 : lineEnd)
  const strict = readStrict(text, index, start.kind === 'request' ? start.method : null)
  const end = strict.contentLength === null ? text.length : index.bodyStart + strict.contentLength
  const wrong = tooLong
    ? fault('message-too-long', 'Message Too Large', 513)
    : (limitFault(lineEnd, index) ??
      startFault(start) ??
      indexFault(index.fault) ??
      strict.fault ??
      lengthFault(end, text))
  if (wrong !== null) return err({ ...wrong, answerable: answerable(start, text, index, strict) })

  const message = end === text.length ? text : text.slice(0, end)
  return start.kind === 'response'
    ? ok({ kind: 'response', status: start.status, reason: start.reason, text: message, index, strict })
    : ok({ kind: 'request', method: start.method, requestUri: start.requestUri, text: message, index, strict })
}

function afterEmptyLines(input: string): string {
  let at = 0
  while (input.charCodeAt(at) === CR && input.charCodeAt(at + 1) === LF) at += 2
  return at === 0 ? input : input.slice(at)
}

function limitFault(startLine: number, index: HeaderIndex): Fault | null {
  if (startLine > sipLimits.line || index.longest > sipLimits.line)
    return fault('line-too-long', 'Header Too Long', 513)
  return index.count > sipLimits.headers ? fault('too-many-headers', 'Too Many Headers', 513) : null
}

function startFault(start: StartLine): Fault | null {
  if (start.kind !== 'bad') return null
  if (start.fault === 'version') return fault('version', 'Version Not Supported', 505)
  return start.fault === 'request-uri' ? fault('request-uri', 'Bad Request-URI') : fault('start-line', 'Bad Start Line')
}

function indexFault(found: HeaderFault | null): Fault | null {
  return found === null ? null : fault(found, found === 'header-name' ? 'Bad Header Name' : 'Bad Line Break')
}

/** 18.3: a datagram that ends before its body does is refused. */
function lengthFault(end: number, text: string): Fault | null {
  return end > text.length ? fault('content-length-too-long', 'Content-Length Too Long') : null
}

function answerable(start: StartLine, text: string, index: HeaderIndex, strict: StrictFields): SipRequest | null {
  if (start.kind === 'response' || start.method === '' || start.method === 'ACK' || strict.topVia === null) return null
  return { kind: 'request', method: start.method, requestUri: start.requestUri, text, index, strict }
}

/** The first value line of a header, unfolded and trimmed, or null. Any case, long or compact form. */
export function header(message: SipMessage, name: string): string | null {
  const found = nextOfName(message.text, message.index, longName(name))
  return found < 0 ? null : lineValue(message, found)
}

/** Each line of a header, unfolded and trimmed. */
export function headers(message: SipMessage, name: string): readonly string[] {
  const { text, index } = message
  const long = longName(name)
  const lines: string[] = []
  for (let at = nextOfName(text, index, long); at >= 0; at = nextOfName(text, index, long, at + 1)) {
    lines.push(lineValue(message, at))
  }
  return lines
}

/** The comma-separated values of all lines of a list header, unfolded and trimmed. */
export function values(message: SipMessage, name: string): readonly string[] {
  const { text, index } = message
  const long = longName(name)
  const list: string[] = []
  for (let at = nextOfName(text, index, long); at >= 0; at = nextOfName(text, index, long, at + 1)) {
    const spans = valueSpans(text, valueStart(index, at), valueEnd(index, at))
    for (let i = 0; i < spans.length; i += 2) list.push(unfold(text, spans[i] as number, spans[i + 1] as number))
  }
  return list
}

/** All header lines in their order: the name as it came, the value unfolded and trimmed. */
export function headerLines(message: SipMessage): readonly (readonly [name: string, value: string])[] {
  const { text, index } = message
  const lines: (readonly [string, string])[] = []
  for (let at = 0; at < index.count; at++) {
    lines.push([text.slice(lineStart(index, at), nameEndOf(index, at)), lineValue(message, at)])
  }
  return lines
}

function lineValue(message: SipMessage, header: number): string {
  return unfold(message.text, valueStart(message.index, header), valueEnd(message.index, header))
}

export function body(message: SipMessage): string {
  return message.text.slice(message.index.bodyStart)
}

/** '' only in a message that was refused. */
export function callId(message: SipMessage): string {
  return message.strict.callId ?? ''
}

const NO_CSEQ: CSeq = { number: 0, method: '' }

export function cseq(message: SipMessage): CSeq {
  return message.strict.cseq ?? NO_CSEQ
}

/** 0 to 255, null if there is none. */
export function maxForwards(message: SipMessage): number | null {
  return message.strict.maxForwards
}

export function topVia(message: SipMessage): Via | null {
  return message.strict.topVia
}

/** The Via stack, topmost first, up to the first value that can't be read. */
export function vias(message: SipMessage): readonly Via[] {
  const stack: Via[] = []
  for (const value of values(message, 'via')) {
    const via = parseVia(value)
    if (via === null) break
    stack.push(via)
  }
  return stack
}

const NOBODY: NameAddr = { display: '', uri: '', params: new Map(), tag: null }

/** Empty only in a message that was refused. */
export function from(message: SipMessage): NameAddr {
  return message.strict.from ?? NOBODY
}

/** Empty only in a message that was refused. */
export function to(message: SipMessage): NameAddr {
  return message.strict.to ?? NOBODY
}

export function fromTag(message: SipMessage): string | null {
  return from(message).tag
}

export function toTag(message: SipMessage): string | null {
  return to(message).tag
}

/** The contacts that can be read, or `*` (RFC 3261 10.2.2). */
export function contacts(message: SipMessage): readonly NameAddr[] | '*' {
  const list = values(message, 'contact')
  return list.length === 1 && list[0] === '*' ? '*' : readable(list)
}

/** The route set still to be visited, next hop first. */
export function routes(message: SipMessage): readonly NameAddr[] {
  return nextOfKind(message.index, Kind.ROUTE) < 0 ? [] : readable(values(message, 'route'))
}

export function recordRoutes(message: SipMessage): readonly NameAddr[] {
  return nextOfKind(message.index, Kind.RECORD_ROUTE) < 0 ? [] : readable(values(message, 'record-route'))
}

function readable(list: readonly string[]): readonly NameAddr[] {
  const parsed: NameAddr[] = []
  for (const value of list) {
    const one = parseNameAddr(value)
    if (one !== null) parsed.push(one)
  }
  return parsed
}
