// SIP messages as the phones read and print them. Written apart from src/sip on purpose, in another manner: every header
// line is kept whole, so that what a proxy did to a message can be told line by line. Strict: whatever is not as RFC 3261
// section 7 has it is a problem with words.

import type { Speaks } from '../ladder.ts'
import { nameOf } from '../sip-network.ts'
import type { SocketAddress } from '../sip-network.ts'

export interface HeaderLine {
  /** Full name in lower case, compact forms spelled out. */
  readonly name: string
  readonly value: string
  /** As it was on the wire, folds included, without the last CRLF. */
  readonly raw: string
}

interface Common {
  readonly lines: readonly HeaderLine[]
  readonly body: string
}

export interface RequestMessage extends Common {
  readonly kind: 'request'
  readonly method: string
  readonly uri: string
}

export interface ResponseMessage extends Common {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
}

export type Message = RequestMessage | ResponseMessage

/** RFC 3261 7.3.3 and 20. */
const compactNames: ReadonlyMap<string, string> = new Map([
  ['v', 'via'],
  ['f', 'from'],
  ['t', 'to'],
  ['i', 'call-id'],
  ['m', 'contact'],
  ['l', 'content-length'],
  ['c', 'content-type'],
  ['k', 'supported'],
  ['s', 'subject'],
  ['e', 'content-encoding'],
])

/** The message of one datagram, or what is wrong with it. */
export function readMessage(text: string): Message | string {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return 'no empty line ends the headers'
  const raws = unfold(text.slice(0, end).split('\r\n'))
  const body = text.slice(end + 4)
  const lines: HeaderLine[] = []
  for (const raw of raws.slice(1)) {
    const colon = raw.indexOf(':')
    if (colon < 1) return `no header: "${raw}"`
    const written = raw.slice(0, colon).trimEnd().toLowerCase()
    if (/[^a-z0-9\-.!%*_+`'~]/.test(written)) return `not a header name: "${written}"`
    const value = raw
      .slice(colon + 1)
      .replaceAll(/\r\n[ \t]+/g, ' ')
      .trim()
    lines.push({ name: compactNames.get(written) ?? written, value, raw })
  }
  const common = { lines, body }
  for (const name of ['call-id', 'cseq', 'from', 'to', 'content-length']) {
    let count = 0
    for (const line of lines) if (line.name === name) count++
    if (count !== 1) return `${count} ${name} headers`
  }
  if (valueOf(common, 'content-length') !== String(body.length)) {
    return `Content-Length ${valueOf(common, 'content-length')}, body ${body.length}`
  }
  if (valueOf(common, 'via') === null) return 'no Via'
  return readStart(raws[0] ?? '', common)
}

function readStart(start: string, common: Common): Message | string {
  const status = /^SIP\/2\.0 ([1-6][0-9][0-9]) (.*)$/.exec(start)
  if (status !== null) return { kind: 'response', status: Number(status[1]), reason: status[2] ?? '', ...common }
  const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(start)
  if (request === null) return `not a start line: "${start}"`
  const message: Message = { kind: 'request', method: request[1] as string, uri: request[2] as string, ...common }
  if (cseqOf(message).method !== message.method) return `CSeq of ${cseqOf(message).method} in ${message.method}`
  return message
}

function unfold(lines: readonly string[]): readonly string[] {
  const whole: string[] = []
  for (const line of lines) {
    if (/^[ \t]/.test(line) && whole.length > 1) whole.push(`${whole.pop()}\r\n${line}`)
    else whole.push(line)
  }
  return whole
}

function startLine(message: Message): string {
  return message.kind === 'request'
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`
}

export function printMessage(message: Message): string {
  return `${startLine(message)}\r\n${message.lines.map(({ raw }) => `${raw}\r\n`).join('')}\r\n${message.body}`
}

/** A header line as a phone writes it. */
export function header(name: string, value: string): HeaderLine {
  const lower = name.toLowerCase()
  return { name: compactNames.get(lower) ?? lower, value, raw: `${name}: ${value}` }
}

/** The first header of that name (lower case), or null. */
export function valueOf(message: Common, name: string): string | null {
  for (const line of message.lines) if (line.name === name) return line.value
  return null
}

/** All values of a header that may be a list, in order. */
export function listOf(message: Common, name: string): readonly string[] {
  const values: string[] = []
  for (const line of message.lines) if (line.name === name) values.push(...splitList(line.value))
  return values
}

/** Commas outside quotes and angle brackets. */
function splitList(value: string): readonly string[] {
  if (!value.includes(',')) return [value.trim()]
  const parts: string[] = []
  let depth = 0
  let quoted = false
  let part = ''
  for (const letter of value) {
    if (letter === '"') quoted = !quoted
    else if (!quoted && letter === '<') depth++
    else if (!quoted && letter === '>') depth--
    if (letter === ',' && !quoted && depth === 0) {
      parts.push(part.trim())
      part = ''
    } else part += letter
  }
  return [...parts, part.trim()]
}

export function cseqOf(message: Common): { readonly number: number; readonly method: string } {
  const match = /^([0-9]+)[ \t]+([A-Z]+)$/.exec(valueOf(message, 'cseq') ?? '')
  return { number: Number(match?.[1] ?? Number.NaN), method: match?.[2] ?? '' }
}

export function callIdOf(message: Common): string {
  return valueOf(message, 'call-id') ?? ''
}

/** A parameter behind a value: `tag` of From, `branch` of a Via. Null = absent; '' = without a value. */
export function parameterOf(value: string, name: string): string | null {
  const outside = value.replace(/^[^<;]*<[^>]*>/, '')
  for (const part of outside.split(';').slice(1)) {
    const equals = part.indexOf('=')
    const key = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase()
    if (key === name) return equals < 0 ? '' : part.slice(equals + 1).trim()
  }
  return null
}

export function tagOf(message: Common, name: 'from' | 'to'): string | null {
  return parameterOf(valueOf(message, name) ?? '', 'tag')
}

/** The URI inside angle brackets, or the whole value without parameters. */
export function uriIn(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? (value.split(';')[0] ?? '').trim()
}

/** Host and port of a SIP or SIPS URI. */
export function addressIn(uri: string): { readonly host: string; readonly port: number } | null {
  const match = /^sips?:(?:[^@]*@)?(?:\[([0-9a-f:.]+)\]|([^:;?[\]]+))(?::([0-9]+))?(?:[;?]|$)/.exec(uri)
  return match === null ? null : { host: (match[1] ?? match[2]) as string, port: Number(match[3] ?? 5060) }
}

/** Where somebody wants to be called who speaks that (RFC 7118 5.2: `ws` is all that a URI says of WebSocket, and sips makes it secure). */
export function phoneUri(user: string, at: SocketAddress, by: Speaks): string {
  const named = by === 'wss' ? 'ws' : by
  return `${by === 'wss' ? 'sips' : 'sip'}:${user}@${nameOf(at)}${by === 'udp' ? '' : `;transport=${named}`}`
}

/** The top Via. */
export function topVia(message: Common): string {
  return listOf(message, 'via')[0] ?? ''
}

/** RFC 3261 17.2.3: what a transaction is known by. */
export function branchOf(message: Common): string {
  return parameterOf(topVia(message), 'branch') ?? ''
}

/** `host:port` that a Via says it was sent by. */
export function sentByOf(via: string): string {
  return (via.split(';')[0] ?? '').trim().split(/[ \t]+/)[1] ?? ''
}

/** A request that the set made by itself has no Via but the set's; nor has what it sends hop by hop. */
export function isOwn(message: RequestMessage): boolean {
  return message.method !== 'CANCEL' && message.method !== 'ACK' && listOf(message, 'via').length === 1
}
