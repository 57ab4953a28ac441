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
  isSpaceCode,
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
  const stop = inBrackets ? bracketEnd(text, uriStart, end) : addrSpecEnd(text, uriStart, end)
  if (stop < 0) return null
  const uriEnd = trimEnd(text, uriStart, stop)
  if (!looksLikeUri(text, uriStart, uriEnd)) return null

  const params = new Map<string, string | null>()
  if (!readParams(text, inBrackets ? stop + 1 : stop, end, params)) return null
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

function bracketEnd(text: string, at: number, end: number): number {
  for (let i = at; i < end; i++) if (text.charCodeAt(i) === GREATER) return i
  return -1
}

/** Outside brackets a semicolon begins the header's parameters, and a URI with a comma or a question mark must not stand
 * (RFC 3261 20.10). */
function addrSpecEnd(text: string, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === SEMICOLON || isSpaceCode(code)) return i
    if (code === COMMA || code === QUESTION) return -1
  }
  return end
}

/** A scheme, a colon and something, in printable characters. */
function looksLikeUri(text: string, start: number, end: number): boolean {
  const colon = tokenEnd(text, start, end)
  if (colon + 1 >= end || text.charCodeAt(colon) !== COLON || !isAlphaCode(text.charCodeAt(start))) return false
  for (let i = colon + 1; i < end; i++) if (!isBareCode(text.charCodeAt(i))) return false
  return true
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
