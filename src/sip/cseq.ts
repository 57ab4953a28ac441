// CSeq (RFC 3261 20.16, 8.1.1.5).

import { digits, isDigitCode, isSpaceCode, skipSpace, tokenEnd } from './scan.ts'

export interface CSeq {
  readonly number: number
  readonly method: string
}

/** The CSeq that [start, end) holds, or null. The number is below 2^31 (8.1.1.5). */
export function parseCSeq(text: string, start = 0, end = text.length): CSeq | null {
  let at = start
  while (at < end && isDigitCode(text.charCodeAt(at))) at++
  const number = digits(text, start, at, 0x8000_0000)
  if (number < 0 || number === 0x8000_0000 || !isSpaceCode(text.charCodeAt(at))) return null
  const methodStart = skipSpace(text, at, end)
  const methodEnd = tokenEnd(text, methodStart, end)
  if (methodEnd === methodStart || methodEnd !== end) return null
  return { number, method: text.slice(methodStart, methodEnd) }
}
