// URIs: sip and sips in parts (RFC 3261 19.1), any other scheme as it is (tel:, urn:, unknown ones).

import {
  AT,
  COLON,
  hostEnd,
  hostReference,
  hostText,
  isAlphaCode,
  isBareCode,
  isDigitCode,
  isUnreservedCode,
  portNumber,
} from './scan.ts'
import { sameHost } from './host.ts'
import { type Params, paramsText } from './params.ts'

export interface SipUri {
  readonly kind: 'sip'
  /** sips */
  readonly secure: boolean
  /** As on the wire, escapes kept. */
  readonly user: string | null
  readonly password: string | null
  /** An IPv6 address is without brackets. */
  readonly host: string
  readonly port: number | null
  /** In normal form (`normalEscapes`), names in lower case. */
  readonly params: Params
  /** What follows the question mark, as on the wire; '' if nothing does. */
  readonly headers: string
}

export interface OtherUri {
  readonly kind: 'other'
  /** Lower-case. */
  readonly scheme: string
  /** The whole URI as on the wire. */
  readonly text: string
}

export type Uri = SipUri | OtherUri

/** The URI that the whole text is, or null. */
export function parseUri(text: string): Uri | null {
  let colon = 0
  for (; colon < text.length; colon++) if (!isSchemeCode(text.charCodeAt(colon))) break
  if (colon === 0 || colon + 1 >= text.length || text.charCodeAt(colon) !== COLON) return null
  if (!isAlphaCode(text.charCodeAt(0))) return null
  for (let i = colon + 1; i < text.length; i++) if (!isBareCode(text.charCodeAt(i))) return null
  const scheme = text.slice(0, colon).toLowerCase()
  if (scheme === 'sip' || scheme === 'sips') return parseSip(text, colon + 1, scheme === 'sips')
  return { kind: 'other', scheme, text }
}

/** scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) */
function isSchemeCode(code: number): boolean {
  return isAlphaCode(code) || isDigitCode(code) || code === 0x2b || code === 0x2d || code === 0x2e
}

function parseSip(text: string, start: number, secure: boolean): SipUri | null {
  let user: string | null = null
  let password: string | null = null
  // Only userinfo ends with `@`: in parameters and headers it is escaped.
  const at = text.indexOf('@', start)
  if (at >= 0) {
    const colon = text.indexOf(':', start)
    const userEnd = colon >= 0 && colon < at ? colon : at
    if (userEnd === start) return null
    user = text.slice(start, userEnd)
    if (userEnd < at) password = text.slice(userEnd + 1, at)
  }

  const hostStart = at < 0 ? start : at + 1
  const hostStop = hostEnd(text, hostStart, text.length)
  if (hostStop < 0) return null
  let rest = hostStop
  let port: number | null = null
  if (text.charCodeAt(rest) === COLON) {
    const portStart = ++rest
    while (rest < text.length && isDigitCode(text.charCodeAt(rest))) rest++
    port = portNumber(text, portStart, rest)
    if (port < 0) return null
  }

  const question = text.indexOf('?', rest)
  const params = uriParams(text, rest, question < 0 ? text.length : question)
  if (params === null) return null
  const headers = question < 0 ? '' : text.slice(question + 1)
  return { kind: 'sip', secure, user, password, host: hostText(text, hostStart, hostStop), port, params, headers }
}

const NO_PARAMS: ReadonlyMap<string, string | null> = new Map()

/** `*( ";" name [ "=" value ] )` in [start, end), or null if it isn't that, or has one twice (19.1.1). */
function uriParams(text: string, start: number, end: number): Params | null {
  if (start === end) return NO_PARAMS
  if (text.charAt(start) !== ';') return null
  const params = new Map<string, string | null>()
  for (const part of text.slice(start + 1, end).split(';')) {
    const equal = part.indexOf('=')
    const name = normalEscapes(equal < 0 ? part : part.slice(0, equal)).toLowerCase()
    if (name === '' || params.has(name)) return null
    params.set(name, equal < 0 ? null : normalEscapes(part.slice(equal + 1)))
  }
  return params
}

/** The text with escapes of unreserved characters undone and the others in upper case: two texts mean the same if these
 * are equal (RFC 3261 19.1.4). Nothing else is undone, so no control character can come out of it. */
export function normalEscapes(text: string): string {
  let percent = text.indexOf('%')
  if (percent < 0) return text
  let normal = ''
  let at = 0
  while (percent >= 0) {
    const high = hexDigit(text.charCodeAt(percent + 1))
    const low = hexDigit(text.charCodeAt(percent + 2))
    normal += text.slice(at, percent)
    at = percent + 1
    if (high < 0 || low < 0) normal += '%25'
    else {
      const code = high * 16 + low
      at = percent + 3
      normal += isUnreservedCode(code) ? String.fromCharCode(code) : text.slice(percent, at).toUpperCase()
    }
    percent = text.indexOf('%', at)
  }
  return normal + text.slice(at)
}

function hexDigit(code: number): number {
  if (isDigitCode(code)) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** The URI as it is printed: what `parseUri` reads back. */
export function uriText(uri: Uri): string {
  if (uri.kind === 'other') return uri.text
  const password = uri.password === null ? '' : `:${uri.password}`
  const userinfo = uri.user === null ? '' : `${uri.user}${password}${String.fromCharCode(AT)}`
  const port = uri.port === null ? '' : `:${uri.port}`
  const headers = uri.headers === '' ? '' : `?${uri.headers}`
  return `${uri.secure ? 'sips' : 'sip'}:${userinfo}${hostReference(uri.host)}${port}${paramsText(uri.params)}${headers}`
}

// 19.1.4: these must be in both or in neither, all others count only where both have them. `transport` is in its list of
// examples only: without it a URI may resolve to another transport.
const DECISIVE_PARAMS = ['user', 'ttl', 'method', 'maddr', 'transport']

/** Whether two URIs mean the same resource by RFC 3261 19.1.4. (Not an equivalence: with `;a=1` and `;a=2` both equal to
 * neither.) */
export function equalUris(a: Uri, b: Uri): boolean {
  if (a.kind === 'other' || b.kind === 'other') return equalOther(a, b)
  if (a.secure !== b.secure || a.port !== b.port || !sameHost(a.host, b.host)) return false
  if (!equalPart(a.user, b.user) || !equalPart(a.password, b.password)) return false
  for (const name of DECISIVE_PARAMS) if (a.params.has(name) !== b.params.has(name)) return false
  for (const [name, value] of a.params) {
    const other = b.params.get(name)
    if (other !== undefined && value?.toLowerCase() !== other?.toLowerCase()) return false
  }
  return comparableHeaders(a.headers) === comparableHeaders(b.headers)
}

function equalOther(a: Uri, b: Uri): boolean {
  if (a.kind !== 'other' || b.kind !== 'other' || a.scheme !== b.scheme) return false
  const afterScheme = (uri: OtherUri): string => normalEscapes(uri.text.slice(uri.scheme.length))
  return afterScheme(a) === afterScheme(b)
}

/** userinfo is compared with its case. */
function equalPart(a: string | null, b: string | null): boolean {
  if (a === null || b === null) return a === b
  return normalEscapes(a) === normalEscapes(b)
}

/** The header component in an order of its own: it never counts, names have no case. */
function comparableHeaders(headers: string): string {
  const named = headers.split('&').map((header) => {
    const equal = header.indexOf('=')
    const name = normalEscapes(equal < 0 ? header : header.slice(0, equal)).toLowerCase()
    return equal < 0 ? name : `${name}=${normalEscapes(header.slice(equal + 1))}`
  })
  return named.sort().join('&')
}
