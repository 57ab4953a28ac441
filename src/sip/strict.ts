// The fields that the proxy decides by are read strictly and at once; everything else in a message is opaque until asked
// for (sip-library's rule, docs/decisions).

import { type CSeq, parseCSeq } from './cseq.ts'
import { type HeaderIndex, nextOfKind, valueEnd, valueSpans, valueStart } from './header-index.ts'
import { Kind } from './header-name.ts'
import { sipLimits } from './limits.ts'
import { type NameAddr, parseNameAddr } from './name-addr.ts'
import { digits, isBareCode } from './scan.ts'
import { parseUri } from './uri.ts'
import { type Via, parseBadVia, parseVia } from './via.ts'

/** Why a message is refused: a stable code, the status and the reason phrase of the answer. */
export interface Fault {
  readonly code: string
  readonly status: 400 | 505 | 513
  readonly reason: string
}

export function fault(code: string, reason: string, status: 400 | 505 | 513 = 400): Fault {
  return { code, status, reason }
}

/** Each is null where the header is missing or can't be read. */
export interface StrictFields {
  /** With a fault, perhaps one of which no more than the sender could be read: for the answer. */
  readonly topVia: Via | null
  readonly from: NameAddr | null
  readonly to: NameAddr | null
  readonly callId: string | null
  readonly cseq: CSeq | null
  readonly maxForwards: number | null
  readonly contentLength: number | null
  /** The first thing that is wrong with them. */
  readonly fault: Fault | null
}

/** Reads the strict fields. `method`: what CSeq must name, null in a response. */
export function readStrict(text: string, index: HeaderIndex, method: string | null): StrictFields {
  let wrong: Fault | null = null
  const refuse = (code: string, reason: string, status: 400 | 505 | 513 = 400): null => {
    wrong ??= fault(code, reason, status)
    return null
  }
  const { count, topVia, isBad } = readVias(text, index)
  if (count === 0) refuse('via-missing', 'Missing Via')
  else if (isBad) refuse('via', 'Bad Via')
  else if (count > sipLimits.vias) refuse('too-many-vias', 'Too Many Via', 513)

  const single = (kind: Kind, code: string, name: string, needed: boolean): number => {
    const header = nextOfKind(index, kind)
    if (header < 0 && needed) refuse(`${code}-missing`, `Missing ${name}`)
    // 7.3.1: only lists may have several lines.
    if (header >= 0 && nextOfKind(index, kind, header + 1) >= 0) refuse(`${code}-repeated`, `Repeated ${name}`)
    return header
  }
  const from = readParty(text, index, single(Kind.FROM, 'from', 'From', true)) ?? refuse('from', 'Bad From')
  const to = readParty(text, index, single(Kind.TO, 'to', 'To', true)) ?? refuse('to', 'Bad To')
  const callId =
    readCallId(text, index, single(Kind.CALL_ID, 'call-id', 'Call-ID', true)) ?? refuse('call-id', 'Bad Call-ID')

  const cseqAt = single(Kind.CSEQ, 'cseq', 'CSeq', true)
  const cseq = cseqAt < 0 ? null : parseCSeq(text, valueStart(index, cseqAt), valueEnd(index, cseqAt))
  if (cseq === null) refuse('cseq', 'Bad CSeq')
  // 8.1.1.5: the method of CSeq is that of the request.
  else if (method !== null && cseq.method !== method) refuse('cseq-method', 'CSeq Method Mismatch')

  const forwardsAt = single(Kind.MAX_FORWARDS, 'max-forwards', 'Max-Forwards', false)
  // 20.22: 0 to 255; a larger number is as good as 255.
  const forwards = forwardsAt < 0 ? null : digits(text, valueStart(index, forwardsAt), valueEnd(index, forwardsAt), 255)
  if (forwards === -1) refuse('max-forwards', 'Bad Max-Forwards')
  const lengthAt = single(Kind.CONTENT_LENGTH, 'content-length', 'Content-Length', false)
  const length = lengthAt < 0 ? null : readContentLength(text, index, lengthAt)
  if (length === -1) refuse('content-length', 'Bad Content-Length')

  const routes = readRoutes(text, index, Kind.ROUTE)
  if (routes === 'too-many') refuse('too-many-routes', 'Too Many Route', 513)
  else if (routes === 'bad') refuse('route', 'Bad Route')
  const recorded = readRoutes(text, index, Kind.RECORD_ROUTE)
  if (recorded === 'too-many') refuse('too-many-record-routes', 'Too Many Record-Route', 513)
  else if (recorded === 'bad') refuse('record-route', 'Bad Record-Route')
  return {
    topVia,
    from,
    to,
    callId,
    cseq,
    maxForwards: forwards === -1 ? null : forwards,
    contentLength: length === -1 ? null : length,
    fault: wrong,
  }
}

/** The number of a Content-Length (1*DIGIT, 20.14), or -1. A number no message can have stays too large. */
export function readContentLength(text: string, index: HeaderIndex, header: number): number {
  return digits(text, valueStart(index, header), valueEnd(index, header), sipLimits.message + 1)
}

interface TopVia {
  readonly count: number
  readonly topVia: Via | null
  readonly isBad: boolean
}

function readVias(text: string, index: HeaderIndex): TopVia {
  let count = 0
  let topVia: Via | null = null
  let isBad = false
  for (let header = nextOfKind(index, Kind.VIA); header >= 0; header = nextOfKind(index, Kind.VIA, header + 1)) {
    const spans = valueSpans(text, valueStart(index, header), valueEnd(index, header))
    if (count === 0 && spans.length > 0) {
      topVia = parseVia(text, spans[0], spans[1])
      isBad = topVia === null
      topVia ??= parseBadVia(text, spans[0], spans[1])
    }
    count += spans.length / 2
  }
  return { count, topVia, isBad }
}

/** From or To: a name-addr or addr-spec; a tag, if there is one, is bare (20.20: a token). */
function readParty(text: string, index: HeaderIndex, header: number): NameAddr | null {
  if (header < 0) return null
  const party = parseNameAddr(text, valueStart(index, header), valueEnd(index, header))
  if (party === null || !party.params.has('tag')) return party
  return party.tag === null || party.tag.startsWith('"') ? null : party
}

/** callid = word [ "@" word ]: printable, no white space. Opaque otherwise, and compared byte by byte (20.8). */
function readCallId(text: string, index: HeaderIndex, header: number): string | null {
  if (header < 0) return null
  const start = valueStart(index, header)
  const end = valueEnd(index, header)
  for (let i = start; i < end; i++) if (!isCallIdCode(text.charCodeAt(i))) return null
  return end > start ? text.slice(start, end) : null
}

/** Words hold quotes and angle brackets too. */
function isCallIdCode(code: number): boolean {
  return isBareCode(code) || code === 0x22 || code === 0x3c || code === 0x3e
}

/** Whether every Route or Record-Route value is a name-addr with a URI that can be read. */
function readRoutes(text: string, index: HeaderIndex, kind: Kind): 'good' | 'bad' | 'too-many' {
  let count = 0
  for (let header = nextOfKind(index, kind); header >= 0; header = nextOfKind(index, kind, header + 1)) {
    const spans = valueSpans(text, valueStart(index, header), valueEnd(index, header))
    count += spans.length / 2
    if (count > sipLimits.routes) return 'too-many'
    for (let i = 0; i < spans.length; i += 2) {
      const route = parseNameAddr(text, spans[i], spans[i + 1], true)
      if (route === null || parseUri(route.uri) === null) return 'bad'
    }
  }
  return 'good'
}
