// The scanners under every parser of this room: they look at one character after the other, never go back, and make no
// regular expression (time is linear in the length for any input). All work on a range [at, end) of one string; folding
// (RFC 3261 7.3.1) is white space to them.

export const TAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SPACE = 0x20
export const QUOTE = 0x22
export const COMMA = 0x2c
export const SLASH = 0x2f
export const COLON = 0x3a
export const SEMICOLON = 0x3b
export const LESS = 0x3c
export const EQUAL = 0x3d
export const GREATER = 0x3e
export const QUESTION = 0x3f
export const AT = 0x40
const OPEN_BRACKET = 0x5b
export const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d

const DIGITS = '0123456789'
const ALPHANUMERIC = `${DIGITS}abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ`

/** A set of characters as a table: 1 for those in it. */
function table(characters: string): Uint8Array {
  const set = new Uint8Array(256)
  for (let i = 0; i < characters.length; i++) set[characters.charCodeAt(i)] = 1
  return set
}

// RFC 3261 25.1.
const TOKEN = table(`${ALPHANUMERIC}-.!%*_+\`'~`)
const UNRESERVED = table(`${ALPHANUMERIC}-_.!~*'()`)
// hostname, and the underscore that real names have.
const HOST = table(`${ALPHANUMERIC}-._`)
const IPV6 = table(`${DIGITS}abcdefABCDEF:.`)
// All printable ones but quotes and angle brackets, and the bytes of UTF-8.
const BARE = new Uint8Array(256).fill(1, 0x21, 0x7f).fill(1, 0x80)
for (const code of [QUOTE, LESS, GREATER]) BARE[code] = 0

export function isTokenCode(code: number): boolean {
  return TOKEN[code] === 1
}

export function isUnreservedCode(code: number): boolean {
  return UNRESERVED[code] === 1
}

export function isDigitCode(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

export function isAlphaCode(code: number): boolean {
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x7a
}

export function isSpaceCode(code: number): boolean {
  return code <= SPACE && (code === SPACE || code === CR || code === LF || code === TAB)
}

/** Neither white space, nor a control character, nor a quote or angle bracket: what may stand bare in a URI or value. */
export function isBareCode(code: number): boolean {
  return BARE[code] === 1
}

/** Where white space that begins at `at` ends. */
export function skipSpace(text: string, at: number, end: number): number {
  let i = at
  while (i < end && isSpaceCode(text.charCodeAt(i))) i++
  return i
}

/** Where the text before the white space that ends at `end` ends. */
export function trimEnd(text: string, start: number, end: number): number {
  let i = end
  while (i > start && isSpaceCode(text.charCodeAt(i - 1))) i--
  return i
}

/** Where the token that begins at `at` ends; `at` if there is none. */
export function tokenEnd(text: string, at: number, end: number): number {
  let i = at
  while (i < end && TOKEN[text.charCodeAt(i)] === 1) i++
  return i
}

/** Whether the whole text is one token (a method, a header name). */
export function isToken(text: string): boolean {
  return text.length > 0 && tokenEnd(text, 0, text.length) === text.length
}

/** Where the quoted string that begins with the quote at `at` ends (after its closing quote), or -1. */
export function quotedEnd(text: string, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) return i + 1
    if (code === BACKSLASH) i++
  }
  return -1
}

/** Where the host that begins at `at` ends: a name, an IPv4 address, or an IPv6 reference with its brackets; -1 if there
 * is none. Whether an IPv6 address is one, the socket will say. */
export function hostEnd(text: string, at: number, end: number): number {
  let i = at
  if (text.charCodeAt(at) !== OPEN_BRACKET) {
    while (i < end && HOST[text.charCodeAt(i)] === 1) i++
    return i > at ? i : -1
  }
  for (i++; i < end && IPV6[text.charCodeAt(i)] === 1; i++);
  return i > at + 2 && i < end && text.charCodeAt(i) === CLOSE_BRACKET ? i + 1 : -1
}

/** A host as values carry it: an IPv6 reference without its brackets. */
export function hostText(text: string, start: number, end: number): string {
  const bracketed = text.charCodeAt(start) === OPEN_BRACKET
  return bracketed ? text.slice(start + 1, end - 1) : text.slice(start, end)
}

/** A host as messages carry it: an IPv6 address in brackets. */
export function hostReference(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** The number that the digits in [start, end) write, or `most` if it is larger; -1 if they are none or not only digits. */
export function digits(text: string, start: number, end: number, most: number): number {
  if (start >= end) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if (!isDigitCode(code)) return -1
    value = Math.min(value * 10 + (code - 0x30), most)
  }
  return value
}

/** The port that the digits in [start, end) write, or -1. */
export function portNumber(text: string, start: number, end: number): number {
  const port = digits(text, start, end, 65_536)
  return port > 65_535 ? -1 : port
}

/** The range as one line: a line break and the white space around it become one space (RFC 3261 7.3.1). */
export function unfold(text: string, start: number, end: number): string {
  const range = text.slice(start, end)
  let fold = range.indexOf('\r')
  if (fold < 0) return range
  let line = ''
  let at = 0
  while (fold >= 0) {
    line += `${range.slice(at, trimEnd(range, at, fold))} `
    at = skipSpace(range, fold, range.length)
    fold = range.indexOf('\r', at)
  }
  return line + range.slice(at)
}

/** Inserted text can't begin a new line: CR and LF in it become spaces. Everything that is read from a message is free of
 * them already; this is the second lock on the door. */
export function oneLine(text: string): string {
  if (!text.includes('\r') && !text.includes('\n')) return text
  return text.replaceAll('\r', ' ').replaceAll('\n', ' ')
}
