// Start lines (RFC 3261 7.1, 7.2), read strictly: single spaces, a token, a URI, the version.

import { isDigitCode, isToken } from './scan.ts'
import { isName } from './header-name.ts'
import { parseUri } from './uri.ts'

export type StartLine =
  | { readonly kind: 'request'; readonly method: string; readonly requestUri: string }
  | { readonly kind: 'response'; readonly status: number; readonly reason: string }
  /** `method`: what may stand in an answer's place of the method, '' if this isn't even like a request. */
  | {
      readonly kind: 'bad'
      readonly fault: 'start-line' | 'request-uri' | 'version'
      readonly method: string
      readonly requestUri: string
    }

/** Reads the start line, given without its line break. */
export function readStartLine(line: string): StartLine {
  if (isName(line, 0, 'sip/')) return readStatusLine(line)
  // A bare LF is no line break here, but would be one to others: not even an answer comes of it.
  if (line.includes('\n')) return { kind: 'bad', fault: 'start-line', method: '', requestUri: '' }
  const first = line.indexOf(' ')
  const method = line.slice(0, Math.max(first, 0))
  if (!isToken(method)) return { kind: 'bad', fault: 'start-line', method: '', requestUri: '' }
  const last = line.lastIndexOf(' ')
  const second = line.indexOf(' ', first + 1)
  const requestUri = line.slice(first + 1, second < 0 ? line.length : second)
  if (second < 0 || second !== last) return { kind: 'bad', fault: 'start-line', method, requestUri }
  const version = line.slice(second + 1)
  if (!isVersion2(version, version.length)) {
    return { kind: 'bad', fault: isVersion(version) ? 'version' : 'start-line', method, requestUri }
  }
  return isRequestUri(requestUri)
    ? { kind: 'request', method, requestUri }
    : { kind: 'bad', fault: 'request-uri', method, requestUri }
}

/** Status-Line = SIP-Version SP Status-Code SP Reason-Phrase; the last space may be missing before an empty phrase. */
function readStatusLine(line: string): StartLine {
  const fault = (kind: 'start-line' | 'version'): StartLine => ({
    kind: 'bad',
    fault: kind,
    method: '',
    requestUri: '',
  })
  const space = line.indexOf(' ')
  if (!isVersion2(line, space)) return fault(isVersion(line.slice(0, Math.max(space, 0))) ? 'version' : 'start-line')
  // Three digits, 1xx to 6xx (7.2): RFC 4475 3.1.2.19 has ten of them.
  let status = 0
  for (let i = 8; i < 11; i++) {
    const code = line.charCodeAt(i)
    if (!isDigitCode(code)) return fault('start-line')
    status = status * 10 + (code - 0x30)
  }
  if (status < 100 || status > 699 || line.includes('\n') || (line.length > 11 && line.charAt(11) !== ' '))
    return fault('start-line')
  return { kind: 'response', status, reason: line.slice(12) }
}

/** `SIP/2.0`, in any case (7.1). */
function isVersion2(text: string, length: number): boolean {
  return length === 7 && isName(text, 0, 'sip/2.0')
}

/** SIP-Version = "SIP" "/" 1*DIGIT "." 1*DIGIT */
function isVersion(text: string): boolean {
  if (!isName(text, 0, 'sip/')) return false
  const dot = text.indexOf('.')
  if (dot < 5 || dot === text.length - 1) return false
  for (let i = 4; i < text.length; i++) if (i !== dot && !isDigitCode(text.charCodeAt(i))) return false
  return true
}

/** 19.1.1: a sip or sips Request-URI has no headers. Other schemes pass (16.3 step 2 is the proxy's to judge). */
function isRequestUri(text: string): boolean {
  const uri = parseUri(text)
  return uri !== null && (uri.kind === 'other' || uri.headers === '')
}
