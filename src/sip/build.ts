// Messages of our own: requests (RFC 3261 8.1.1) and responses (8.2.6). What is given is guarded against line breaks;
// Content-Length is always ours.

import { assert } from '../base/assert.ts'
import { kindOf, lineStart, nextOfName, valueEnd, valueSpans, valueStart } from './header-index.ts'
import { Kind, longName } from './header-name.ts'
import { type SipRequest, toTag } from './message.ts'
import { withParam } from './params.ts'
import { isToken, oneLine } from './scan.ts'

export type HeaderList = readonly (readonly [name: string, value: string])[]

export interface RequestParts {
  readonly method: string
  readonly requestUri: string
  /** In the order in which they are printed; a Content-Length among them is left away. */
  readonly headers: HeaderList
  /** Latin1, as all text here. */
  readonly body?: string
}

export function buildRequest(parts: RequestParts): string {
  assert(isToken(parts.method), 'a method is a token')
  return `${parts.method} ${oneLine(parts.requestUri)} SIP/2.0\r\n${headerLines(parts.headers)}${bodyPart(parts.body ?? '')}`
}

export interface ResponseParts {
  /** Added to To if it has no tag yet, except in a 100 (8.2.6.2). */
  readonly toTag?: string
  /** After those that 8.2.6 copies. */
  readonly headers?: HeaderList
  readonly body?: string
  /** Parameters of the topmost Via that the server adds (18.2.1 `received`, RFC 3581 `rport`). */
  readonly viaParams?: readonly (readonly [name: string, value: string | null])[]
}

/** A response to `request` by 8.2.6: its Via stack, From, To, Call-ID and CSeq, line by line as they came. Works on what
 * `parseMessage` refused with `answerable`: what is missing there is missing here. */
export function buildResponse(request: SipRequest, status: number, reason?: string, parts: ResponseParts = {}): string {
  assert(status >= 100 && status <= 699, 'a status is 100 to 699')
  const { text, index } = request
  const addTag = parts.toTag !== undefined && status !== 100 && request.strict.to !== null && toTag(request) === null
  let out = `SIP/2.0 ${status} ${oneLine(reason ?? reasonPhrase(status))}\r\n`
  const seen = new Set<Kind>()
  for (let line = 0; line < index.count; line++) {
    const kind = kindOf(index, line)
    if (kind < Kind.VIA || kind > Kind.CSEQ) continue
    const start = lineStart(index, line)
    // A Via line without a value is not the topmost.
    const isEmptyVia =
      kind === Kind.VIA &&
      !seen.has(kind) &&
      valueSpans(text, valueStart(index, line), valueEnd(index, line)).length === 0
    const isFirst = !seen.has(kind) && !isEmptyVia
    if (!isEmptyVia) seen.add(kind)
    if (kind === Kind.VIA && isFirst && parts.viaParams !== undefined) out += topViaLine(request, line, parts.viaParams)
    else if (kind === Kind.TO && isFirst && addTag) {
      out += `${text.slice(start, valueEnd(index, line))};tag=${oneLine(parts.toTag ?? '')}\r\n`
    }
    // A second From of a request that was refused for it is not repeated.
    else if (kind === Kind.VIA || isFirst) out += text.slice(start, lineStart(index, line + 1))
  }
  // 8.2.6.1: a 100 carries the request's Timestamp.
  const timestamp = status === 100 ? nextOfName(text, index, 'timestamp') : -1
  if (timestamp >= 0) out += text.slice(lineStart(index, timestamp), lineStart(index, timestamp + 1))
  return out + headerLines(parts.headers ?? []) + bodyPart(parts.body ?? '')
}

function topViaLine(request: SipRequest, line: number, params: readonly (readonly [string, string | null])[]): string {
  const { text, index } = request
  const end = valueSpans(text, valueStart(index, line), valueEnd(index, line))[1] ?? valueEnd(index, line)
  let value = text.slice(valueStart(index, line), end)
  for (const [name, to] of params) {
    assert(isToken(name), 'a parameter name is a token')
    value = withParam(value, name.toLowerCase(), to === null ? null : oneLine(to))
  }
  return (
    text.slice(lineStart(index, line), valueStart(index, line)) + value + text.slice(end, lineStart(index, line + 1))
  )
}

function headerLines(headers: HeaderList): string {
  let lines = ''
  for (const [name, value] of headers) {
    assert(isToken(name), 'a header name is a token')
    if (longName(name) !== 'content-length') lines += `${name}: ${oneLine(value)}\r\n`
  }
  return lines
}

function bodyPart(body: string): string {
  return `Content-Length: ${body.length}\r\n\r\n${body}`
}

// RFC 3261 21, and what later RFCs added for the same range.
const PHRASES: ReadonlyMap<number, string> = new Map([
  [100, 'Trying'],
  [180, 'Ringing'],
  [181, 'Call Is Being Forwarded'],
  [182, 'Queued'],
  [183, 'Session Progress'],
  [199, 'Early Dialog Terminated'],
  [200, 'OK'],
  [202, 'Accepted'],
  [204, 'No Notification'],
  [300, 'Multiple Choices'],
  [301, 'Moved Permanently'],
  [302, 'Moved Temporarily'],
  [305, 'Use Proxy'],
  [380, 'Alternative Service'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [402, 'Payment Required'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [407, 'Proxy Authentication Required'],
  [408, 'Request Timeout'],
  [410, 'Gone'],
  [412, 'Conditional Request Failed'],
  [413, 'Request Entity Too Large'],
  [414, 'Request-URI Too Long'],
  [415, 'Unsupported Media Type'],
  [416, 'Unsupported URI Scheme'],
  [420, 'Bad Extension'],
  [421, 'Extension Required'],
  [422, 'Session Interval Too Small'],
  [423, 'Interval Too Brief'],
  [428, 'Use Identity Header'],
  [429, 'Provide Referrer Identity'],
  [430, 'Flow Failed'],
  [433, 'Anonymity Disallowed'],
  [436, 'Bad Identity-Info'],
  [437, 'Unsupported Certificate'],
  [438, 'Invalid Identity Header'],
  [439, 'First Hop Lacks Outbound Support'],
  [440, 'Max-Breadth Exceeded'],
  [469, 'Bad Info Package'],
  [470, 'Consent Needed'],
  [480, 'Temporarily Unavailable'],
  [481, 'Call/Transaction Does Not Exist'],
  [482, 'Loop Detected'],
  [483, 'Too Many Hops'],
  [484, 'Address Incomplete'],
  [485, 'Ambiguous'],
  [486, 'Busy Here'],
  [487, 'Request Terminated'],
  [488, 'Not Acceptable Here'],
  [489, 'Bad Event'],
  [491, 'Request Pending'],
  [493, 'Undecipherable'],
  [494, 'Security Agreement Required'],
  [500, 'Server Internal Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Server Time-out'],
  [505, 'Version Not Supported'],
  [513, 'Message Too Large'],
  [580, 'Precondition Failure'],
  [600, 'Busy Everywhere'],
  [603, 'Decline'],
  [604, 'Does Not Exist Anywhere'],
  [606, 'Not Acceptable'],
])

const CLASSES: readonly string[] = [
  '',
  'Progress',
  'Success',
  'Redirection',
  'Client Error',
  'Server Error',
  'Global Failure',
]

/** The phrase of a status, its class's name if it has none of its own. */
export function reasonPhrase(status: number): string {
  return PHRASES.get(status) ?? CLASSES[Math.floor(status / 100)] ?? ''
}
