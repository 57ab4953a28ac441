// A relayed message is its own text with a few places changed: order, unknown headers, folding and body stay byte-exact
// (RFC 3261 16.6, 16.7). All that is said to an `Edit` is about the message as it came; `print` may be called once.

import { assert } from '../base/assert.ts'
import {
  type HeaderIndex,
  lineStart,
  nextOfKind,
  nextOfName,
  valueEnd,
  valueSpans,
  valueStart,
} from './header-index.ts'
import { Kind, longName } from './header-name.ts'
import type { SipMessage } from './message.ts'
import { withParam } from './params.ts'
import { isToken, oneLine } from './scan.ts'

type ListKind = typeof Kind.VIA | typeof Kind.ROUTE | typeof Kind.RECORD_ROUTE

/** One value of a list header, where it stands and what becomes of it. */
interface ListValue {
  readonly line: number
  readonly start: number
  readonly end: number
  /** Its text if that changed, '' if the value is gone, null if it stays. */
  text: string | null
}

/** What is to be done with the values of one list header. */
interface ListEdit {
  readonly name: string
  /** New values, topmost first, each on a line of its own before the first line. */
  readonly added: string[]
  removedTop: number
  removedLast: number
  readonly topParams: [name: string, value: string | null][]
}

export class Edit {
  readonly #message: SipMessage
  #startLine: string | null = null
  readonly #lists = new Map<Kind, ListEdit>()
  /** By lower-case long name: the header's new line, or '' to remove it. */
  readonly #lines = new Map<string, string>()
  /** Lines after the last header. */
  #appended = ''

  constructor(message: SipMessage) {
    this.#message = message
  }

  /** Another Request-URI (16.6 step 2). */
  requestUri(uri: string): this {
    assert(this.#message.kind === 'request', 'a response has no Request-URI')
    this.#startLine = `${this.#message.method} ${oneLine(uri)} SIP/2.0\r\n`
    return this
  }

  /** A Via value on top of the stack (16.6 step 8); a later one goes above it. */
  prependVia(value: string): this {
    this.#list(Kind.VIA).added.unshift(oneLine(value))
    return this
  }

  /** The topmost Via value goes (16.7 step 3). */
  removeTopVia(): this {
    this.#list(Kind.VIA).removedTop++
    return this
  }

  /** A parameter of the topmost Via value: `received` (18.2.1), `rport` (RFC 3581). Replaced, or added at its end. */
  topViaParam(name: string, value: string | null): this {
    assert(isToken(name), 'a parameter name is a token')
    this.#list(Kind.VIA).topParams.push([name.toLowerCase(), value === null ? null : oneLine(value)])
    return this
  }

  /** A Record-Route value before all others (16.6 step 4); a later one goes before it. */
  prependRecordRoute(value: string): this {
    this.#list(Kind.RECORD_ROUTE).added.unshift(oneLine(value))
    return this
  }

  /** The topmost Record-Route value goes: one that we put there ourselves. */
  removeTopRecordRoute(): this {
    this.#list(Kind.RECORD_ROUTE).removedTop++
    return this
  }

  prependRoute(value: string): this {
    this.#list(Kind.ROUTE).added.unshift(oneLine(value))
    return this
  }

  removeTopRoute(): this {
    this.#list(Kind.ROUTE).removedTop++
    return this
  }

  removeLastRoute(): this {
    this.#list(Kind.ROUTE).removedLast++
    return this
  }

  /** 16.6 step 3: replaced, or added where there was none. */
  maxForwards(value: number): this {
    return this.set('Max-Forwards', String(value))
  }

  /** The header's first line becomes `name: value` and its other lines go; without one, it is added as the last header. */
  set(name: string, value: string): this {
    const long = longName(name)
    assert(isToken(name) && long !== 'content-length', 'a header name is a token, and the body keeps its length')
    this.#lines.set(long, `${name}: ${oneLine(value)}\r\n`)
    return this
  }

  /** One more line of that header, after all others (16.7 step 7). */
  append(name: string, value: string): this {
    const long = longName(name)
    assert(isToken(name) && long !== 'content-length', 'a header name is a token, and the body keeps its length')
    this.#appended += `${name}: ${oneLine(value)}\r\n`
    return this
  }

  /** All lines of the header go. */
  remove(name: string): this {
    const long = longName(name)
    assert(long !== 'content-length', 'the body keeps its length')
    this.#lines.set(long, '')
    return this
  }

  /** 18.3: on a stream the header is a must. A datagram may come without one, and a WebSocket's frame (RFC 7118). */
  contentLength(): this {
    const { strict, text, index } = this.#message
    if (strict.contentLength !== null) return this
    this.#lines.set('content-length', `Content-Length: ${text.length - index.bodyStart}\r\n`)
    return this
  }

  print(): string {
    const { text, index } = this.#message
    const replaced = this.#replacedLines()
    const first = lineStart(index, 0)
    let out = this.#startLine ?? text.slice(0, first)
    // A list that the message doesn't have yet begins at the top (7.3.1: what proxies need comes first).
    const additions = new Map<number, string>()
    for (const [kind, list] of this.#lists) {
      const line = nextOfKind(index, kind)
      if (line < 0) out += addedLines(list)
      else if (list.added.length > 0) additions.set(line, addedLines(list))
    }

    let copied = first
    for (let line = 0; line < index.count; line++) {
      const start = lineStart(index, line)
      const addition = additions.get(line)
      if (addition !== undefined) {
        out += text.slice(copied, start) + addition
        copied = start
      }
      const replacement = replaced.get(line)
      if (replacement === undefined) continue
      out += text.slice(copied, start) + replacement
      copied = lineStart(index, line + 1)
    }

    const last = lineStart(index, index.count)
    out += text.slice(copied, last)
    for (const [long, line] of this.#lines) if (line !== '' && nextOfName(text, index, long) < 0) out += line
    return out + this.#appended + text.slice(last)
  }

  #list(kind: ListKind): ListEdit {
    let list = this.#lists.get(kind)
    if (list === undefined) {
      const name = kind === Kind.VIA ? 'Via' : kind === Kind.ROUTE ? 'Route' : 'Record-Route'
      list = { name, added: [], removedTop: 0, removedLast: 0, topParams: [] }
      this.#lists.set(kind, list)
    }
    return list
  }

  /** The lines that change: their new text with its line break, '' if they go. */
  #replacedLines(): Map<number, string> {
    const { text, index } = this.#message
    const replaced = new Map<number, string>()
    for (const [kind, list] of this.#lists) replaceListLines(text, index, kind, list, replaced)
    for (const [long, line] of this.#lines) {
      let next = line
      for (let at = nextOfName(text, index, long); at >= 0; at = nextOfName(text, index, long, at + 1)) {
        replaced.set(at, next)
        next = ''
      }
    }
    return replaced
  }
}

export function edit(message: SipMessage): Edit {
  return new Edit(message)
}

function addedLines(list: ListEdit): string {
  let lines = ''
  for (const value of list.added) lines += `${list.name}: ${value}\r\n`
  return lines
}

function replaceListLines(
  text: string,
  index: HeaderIndex,
  kind: Kind,
  list: ListEdit,
  replaced: Map<number, string>,
): void {
  if (list.removedTop === 0 && list.removedLast === 0 && list.topParams.length === 0) return
  const all = listValues(text, index, kind)
  const top = all[0]
  if (top !== undefined && list.topParams.length > 0) {
    top.text = text.slice(top.start, top.end)
    for (const [name, value] of list.topParams) top.text = withParam(top.text, name, value)
  }
  for (let i = 0; i < list.removedTop; i++) gone(all[i])
  for (let i = 1; i <= list.removedLast; i++) gone(all[all.length - i])
  for (let from = 0; from < all.length;) {
    let to = from + 1
    while (all[to]?.line === all[from]?.line) to++
    const ofLine = all.slice(from, to)
    if (ofLine.some((value) => value.text !== null))
      replaced.set((ofLine[0] as ListValue).line, listLine(text, index, ofLine))
    from = to
  }
}

function gone(value: ListValue | undefined): void {
  if (value !== undefined) value.text = ''
}

function listValues(text: string, index: HeaderIndex, kind: Kind): ListValue[] {
  const all: ListValue[] = []
  for (let line = nextOfKind(index, kind); line >= 0; line = nextOfKind(index, kind, line + 1)) {
    const spans = valueSpans(text, valueStart(index, line), valueEnd(index, line))
    for (let i = 0; i < spans.length; i += 2) {
      all.push({ line, start: spans[i] as number, end: spans[i + 1] as number, text: null })
    }
  }
  return all
}

/** A line of a list with what is left of its values; between two that stay, the text stays as it was. */
function listLine(text: string, index: HeaderIndex, ofLine: readonly ListValue[]): string {
  let line = ''
  let previous: ListValue | null = null
  for (const value of ofLine) {
    if (value.text === '') continue
    // What stands before the first value is the header's name; between values it is comma and white space.
    line +=
      previous === null
        ? text.slice(lineStart(index, value.line), (ofLine[0] as ListValue).start)
        : text.slice(previous.end, value.start)
    line += value.text ?? text.slice(value.start, value.end)
    previous = value
  }
  return line === '' ? '' : `${line}\r\n`
}
