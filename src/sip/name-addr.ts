// name-addr and addr-spec with header parameters: From, To, Contact, Route, Record-Route (RFC 3261 20.10, 25.1).

import { type Params, readParams } from './params.ts'
import {
  BACKSLASH,
  COLON,
  COMMA,
  GREATER,
  LESS,
  QUESTION,
  QUOTE,
  SEMICOLON,
  isAlphaCode,
  isBareCode,
  quotedEnd,
  skipSpace,
  tokenEnd,
  trimEnd,
  unfold,
} from './scan.ts'

export interface NameAddr {
  /** Without quotes and escapes; '' if there is none. Bytes, not UTF-8: one character a byte. */
  readonly display: string
  /** As on the wire, without angle brackets. */
  readonly uri: string
  /** The header's parameters (not the URI's). */
  readonly params: Params
  readonly tag: string | null
}

/** The one value that [start, end) holds, or null. `bracketed`: only a name-addr will do (Route, Record-Route). */
export function parseNameAddr(text: string, start = 0, end = text.length, bracketed = false): NameAddr | null {
  let at = skipSpace(text, start, end)
  let display = ''
  if (at < end && text.charCodeAt(at) === QUOTE) {
    const close = quotedEnd(text, at, end)
    if (close < 0) return null
    display = unescape(unfold(text, at + 1, close - 1))
    at = skipSpace(text, close, end)
    if (at === end || text.charCodeAt(at) !== LESS) return null
  } else {
    // An unquoted display name may hold more than the tokens of the grammar, if a `<` follows (RFC 4475 3.1.2.15).
    const less = displayEnd(text, at, end)
    if (less >= 0) {
      display = unfold(text, at, trimEnd(text, at, less))
      at = less
    }
  }

  const inBrackets = at < end && text.charCodeAt(at) === LESS
  if (!inBrackets && bracketed) return null
  const uriStart = inBrackets ? skipSpace(text, at + 1, end) : at
  const uriEnd = uriStop(text, uriStart, end, inBrackets)
  if (uriEnd < 0) return null
  at = uriEnd
  if (inBrackets) {
    at = skipSpace(text, uriEnd, end)
    if (at === end || text.charCodeAt(at) !== GREATER) return null
    at++
  }

  const params = new Map<string, string | null>()
  if (!readParams(text, at, end, params)) return null
  return { display, uri: text.slice(uriStart, uriEnd), params, tag: params.get('tag') ?? null }
}

/** The place of the `<` that ends an unquoted display name, or -1 if this is an addr-spec. */
function displayEnd(text: string, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === LESS) return i
    if (code === QUOTE || code === SEMICOLON) return -1
  }
  return -1
}

/** Where the URI that begins at `start` ends: a scheme, a colon and something, in printable characters; -1 if it is none.
 * Outside brackets a semicolon begins the header's parameters, and a URI with a comma or a question mark must not stand
 * (RFC 3261 20.10). */
function uriStop(text: string, start: number, end: number, inBrackets: boolean): number {
  let at = tokenEnd(text, start, end)
  if (at === end || text.charCodeAt(at) !== COLON || !isAlphaCode(text.charCodeAt(start))) return -1
  const rest = ++at
  for (; at < end; at++) {
    const code = text.charCodeAt(at)
    if (!isBareCode(code)) break
    if (inBrackets) continue
    if (code === SEMICOLON) break
    if (code === COMMA || code === QUESTION) return -1
  }
  return at === rest ? -1 : at
}

/** The inside of a quoted string without its backslashes. */
function unescape(quoted: string): string {
  let slash = quoted.indexOf('\\')
  if (slash < 0) return quoted
  let plain = ''
  let at = 0
  while (slash >= 0 && slash + 1 < quoted.length) {
    plain += quoted.slice(at, slash) + quoted.charAt(slash + 1)
    at = slash + 2
    slash = quoted.indexOf('\\', at)
  }
  return plain + quoted.slice(at)
}

/** The value as it is printed: what `parseNameAddr` reads back. Always with angle brackets. */
export function nameAddrText(value: Pick<NameAddr, 'display' | 'uri'>, params = ''): string {
  let quoted = ''
  for (const character of value.display) {
    const code = character.charCodeAt(0)
    quoted += code === QUOTE || code === BACKSLASH ? `\\${character}` : character
  }
  return `${quoted === '' ? '' : `"${quoted}" `}<${value.uri}>${params}`
}
