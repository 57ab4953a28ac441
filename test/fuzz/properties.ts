// What must hold of any bytes: nothing throws, nothing is slow, no value makes a line of its own, what is relayed is what came
// with exactly the changes asked for, what is printed reads the same, and a stream's messages don't depend on how it is cut.

import { isDeepStrictEqual } from 'node:util'
import type { Random } from '../../src/base/random.ts'
import { buildRequest, buildResponse } from '../../src/sip/build.ts'
import { edit } from '../../src/sip/edit.ts'
import * as sip from '../../src/sip/message.ts'
import type { SipMessage } from '../../src/sip/message.ts'
import { nameAddrText, parseNameAddr } from '../../src/sip/name-addr.ts'
import { paramsText } from '../../src/sip/params.ts'
import { StreamFramer } from '../../src/sip/stream.ts'
import type { FrameEvent } from '../../src/sip/stream.ts'
import { equalUris, parseUri, uriText } from '../../src/sip/uri.ts'
import { parseVia, viaText } from '../../src/sip/via.ts'
import { proxied } from '../torture/proxied.ts'
import { pick } from './input.ts'
import type { Input } from './input.ts'
import { costMs, isSlow } from './slow.ts'

export type Fate = 'forwarded' | 'answered' | 'dropped'

export interface Checked {
  readonly fate: Fate
  /** Whether the parser took it. */
  readonly isMessage: boolean
  /** Of the proxy's whole work on it. */
  readonly ms: number
}

/** A property that does not hold. */
class Violation extends Error {}

export function check({ text, random }: Input): Checked {
  const parsed = sip.parseMessage(text)
  const message = parsed.ok ? parsed.value : parsed.error.answerable
  if (message !== null) {
    noLineBreaks(everything(message))
    if (message.kind === 'request')
      answersOnly(message.text, buildResponse(message, 400, hostile(random), { toTag: hostile(random) }))
  }
  if (parsed.ok) {
    same('print of a message that nobody changed', edit(parsed.value).print(), parsed.value.text)
    spliced(parsed.value, random)
    reprinted(parsed.value)
  }
  built(random)
  framed(text, random)
  let fate: Fate = 'dropped'
  const work = (): void => {
    const outcome = proxied(text)
    fate = outcome.kind
    if (outcome.kind === 'dropped') return
    // A refused message may be answered without what it has not: only its lines are looked at then.
    if (!parsed.ok) answersOnly(text, outcome.text)
    else read(outcome.text)
  }
  const ms = costMs(work)
  if (isSlow(ms, work)) throw new Violation(`slow: ${ms.toFixed(1)} ms for ${text.length} characters`)
  return { fate, isMessage: parsed.ok, ms }
}

function same(what: string, is: unknown, should: unknown): void {
  if (isDeepStrictEqual(is, should)) return
  throw new Violation(`${what}: ${JSON.stringify(is)}, not ${JSON.stringify(should)}`)
}

const NAMES = ['via', 'contact', 'x-folded', 'route', 'nothing'] as const

function everything(message: SipMessage): readonly unknown[] {
  return [
    ...(message.kind === 'request' ? [message.method, message.requestUri] : [message.reason]),
    ...[sip.callId(message), sip.cseq(message).method, sip.from(message), sip.to(message), sip.topVia(message)],
    ...[sip.vias(message), sip.routes(message), sip.recordRoutes(message), sip.contacts(message)],
    ...NAMES.map((name) => [sip.header(message, name), sip.headers(message, name), sip.values(message, name)]),
  ]
}

/** No accessor gives a line break away. */
function noLineBreaks(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('\r') || value.includes('\n')) throw new Violation(`a line break in ${JSON.stringify(value)}`)
  } else if (value instanceof Map) {
    for (const pair of value) noLineBreaks(pair)
  } else if (value !== null && typeof value === 'object') for (const part of Object.values(value)) noLineBreaks(part)
}

/** A value that would like to be more than one. */
function hostile(random: Random): string {
  return pick(random, ['\r\nEvil: 1', 'a\nEvil: 1', 'a\r\n\r\nBODY', '\r', 'a', 'a\r\n b', '"\r\n', 'a, b;c=<d>'])
}

/** The lines of a head with their folds, read without the codec: the start line, the headers. */
function linesOf(text: string): string[] {
  const end = text.indexOf('\r\n\r\n')
  return text.slice(0, end < 0 ? text.length : end).split(/\r\n(?![ \t])/)
}

/** Whether `some` are among `all`, in their order. */
function isWithin(some: readonly string[], all: readonly string[]): boolean {
  let at = 0
  for (const line of all) if (at < some.length && line === some[at]) at++
  return at === some.length
}

/** Each line of a response is one of the request's or one that 8.2.6 has the server write. */
function answersOnly(request: string, response: string): void {
  const asked = new Set(request.split(/\r\n(?![ \t])/).map(nameOf))
  for (const line of linesOf(response).slice(1)) {
    const name = nameOf(line)
    if (asked.has(name) || /^(?:content-length|unsupported|accept)$/.test(name)) continue
    throw new Violation(`the answer has a line of its own: ${JSON.stringify(line)}`)
  }
}

function nameOf(line: string): string {
  return line
    .slice(0, Math.max(0, line.indexOf(':')))
    .trim()
    .toLowerCase()
}

/** 16.6: lines are added, and no other changes. */
function spliced(before: SipMessage, random: Random): void {
  const value = hostile(random)
  const change = edit(before)
    .prependVia(value)
    .prependRecordRoute(value)
    .prependRoute(value)
    .set('X-Fuzz', value)
    .maxForwards(9)
  const there = linesOf(change.topViaParam('received', value).print())
  const lines = linesOf(before.text)
  const isChanged = (line: string): boolean => /^(?:via|v|max-forwards|x-fuzz)[ \t]*:/i.test(line)
  const kept = lines.filter((line) => !isChanged(line))
  const hops = lines.some((line) => nameOf(line) === 'max-forwards') ? 0 : 1
  const isNew = lines.every((line) => nameOf(line) !== 'x-fuzz')
  if (isNew) same('lines after a splice', there.length, lines.length + 4 + hops)
  if (!isWithin(kept, there)) throw new Violation(`a line was changed: ${JSON.stringify(there)}`)

  // One hop on, and back.
  const hop = read(edit(before).prependVia('SIP/2.0/UDP p;branch=z').maxForwards(9).print())
  if (hop === null) return
  same('Vias after a hop', sip.values(hop, 'via'), ['SIP/2.0/UDP p;branch=z', ...sip.values(before, 'via')])
  same('body after a hop', sip.body(hop), sip.body(before))
  const back = read(edit(hop).removeTopVia().print())
  if (back !== null) same('Vias after the way back', sip.values(back, 'via'), sip.values(before, 'via'))
  const routes = sip.values(before, 'route')
  const rest = edit(before).removeTopRoute().removeLastRoute().print()
  const without = read(rest)
  if (without !== null) same('Routes without first and last', sip.values(without, 'route'), routes.slice(1, -1))
}

/** Null only over a limit: what was near it may be over it with a line more. */
function read(text: string): SipMessage | null {
  const parsed = sip.parseMessage(text)
  if (parsed.ok) return parsed.value
  if (parsed.error.status === 513) return null
  throw new Violation(`what leaves can't be read: ${parsed.error.code}: ${JSON.stringify(text)}`)
}

/** What is printed is read as what it was. */
function reprinted(message: SipMessage): void {
  for (const via of sip.vias(message)) same('Via', parseVia(viaText(via)), via)
  const contacts = sip.contacts(message)
  const parties = [sip.from(message), sip.to(message), ...(contacts === '*' ? [] : contacts), ...sip.routes(message)]
  for (const party of parties) {
    same('name-addr', parseNameAddr(nameAddrText(party, paramsText(party.params))), party)
    const uri = parseUri(party.uri)
    if (uri === null) continue
    same('URI', parseUri(uriText(uri)), uri)
    if (!equalUris(uri, uri)) throw new Violation(`a URI that is not itself: ${party.uri}`)
  }
}

/** Our own requests have as many lines as were asked for. */
function built(random: Random): void {
  const values = Array.from({ length: 1 + random.below(4) }, () => hostile(random))
  const text = buildRequest({
    method: 'INFO',
    requestUri: hostile(random),
    headers: values.map((value) => ['X-A', value]),
    body: 'b',
  })
  same('lines of a request of ours', linesOf(text).length, values.length + 2)
}

/** All of a stream at once, and cut anywhere: the same messages. */
function framed(text: string, random: Random): void {
  const stream = random.below(4) === 0 ? `${text}\r\n\r\n${text}` : text
  const whole = new StreamFramer().push(stream)
  const framer = new StreamFramer()
  const events: FrameEvent[] = []
  const most = 1 + random.below(stream.length < 2_000 ? 40 : 4_000)
  for (let at = 0; at < stream.length;) {
    const to = at + 1 + random.below(most)
    events.push(...framer.push(stream.slice(at, to)))
    at = to
  }
  same('what a stream has, cut', events, whole)
}
