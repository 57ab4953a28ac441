// Header parameters: `*( SEMI name [ EQUAL value ] )` (RFC 3261 25.1, generic-param). In Maps: a parameter may be called
// `__proto__`.

import { COMMA, EQUAL, QUOTE, SEMICOLON, isBareCode, quotedEnd, skipSpace, tokenEnd, unfold } from './scan.ts'

/** Parameters by lower-case name, in their order. A value is as on the wire, unfolded, a quoted one with its quotes; null
 * = a name alone. */
export type Params = ReadonlyMap<string, string | null>

/** Reads the parameters in [start, end) into `params`. False if one is malformed or there twice (RFC 3261 7.3.1). */
export function readParams(text: string, start: number, end: number, params: Map<string, string | null>): boolean {
  let at = skipSpace(text, start, end)
  while (at < end) {
    if (text.charCodeAt(at) !== SEMICOLON) return false
    at = skipSpace(text, at + 1, end)
    const nameEnd = tokenEnd(text, at, end)
    if (nameEnd === at) return false
    const name = text.slice(at, nameEnd).toLowerCase()
    let value: string | null = null
    at = skipSpace(text, nameEnd, end)
    if (at < end && text.charCodeAt(at) === EQUAL) {
      at = skipSpace(text, at + 1, end)
      const valueEnd = paramValueEnd(text, at, end)
      if (valueEnd <= at) return false
      value = unfold(text, at, valueEnd)
      at = skipSpace(text, valueEnd, end)
    }
    if (params.has(name)) return false
    params.set(name, value)
  }
  return true
}

/** Where the value that begins at `at` ends, quoted or bare; -1 or `at` if there is none. Bare values may hold more than
 * tokens: `received` has colons (RFC 5118 4.5), and real tags have what they like. */
function paramValueEnd(text: string, at: number, end: number): number {
  if (at < end && text.charCodeAt(at) === QUOTE) return quotedEnd(text, at, end)
  let i = at
  for (; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === SEMICOLON || code === COMMA || !isBareCode(code)) break
  }
  return i
}

/** `;name=value` and so on, in the Map's order. */
export function paramsText(params: Params): string {
  let text = ''
  for (const [name, value] of params) text += value === null ? `;${name}` : `;${name}=${value}`
  return text
}

/** One header value with the parameter `name` set to `value` (null: the name alone): replaced where it stands, else added
 * at the end. All else stays as it is. The value is well-formed and has no semicolon before its parameters. */
export function withParam(text: string, name: string, value: string | null): string {
  const written = value === null ? `;${name}` : `;${name}=${value}`
  let at = text.indexOf(';')
  while (at >= 0 && at < text.length) {
    const nameStart = skipSpace(text, at + 1, text.length)
    const nameEnd = tokenEnd(text, nameStart, text.length)
    let end = nameEnd
    let next = skipSpace(text, nameEnd, text.length)
    if (next < text.length && text.charCodeAt(next) === EQUAL) {
      end = paramValueEnd(text, skipSpace(text, next + 1, text.length), text.length)
      if (end < 0) break
      next = skipSpace(text, end, text.length)
    }
    if (text.slice(nameStart, nameEnd).toLowerCase() === name) return text.slice(0, at) + written + text.slice(end)
    if (next <= at || text.charCodeAt(next) !== SEMICOLON) break
    at = next
  }
  return text + written
}
