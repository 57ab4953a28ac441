// Header names: which of the headers that this room understands a line has, and the compact forms (RFC 3261 7.3.3, 20;
// RFC 3515, 3265, 3841, 3892, 4028, 4474).

/** The headers that the proxy decides by; OTHER is opaque. */
export const Kind = {
  OTHER: 0,
  VIA: 1,
  FROM: 2,
  TO: 3,
  CALL_ID: 4,
  CSEQ: 5,
  MAX_FORWARDS: 6,
  CONTENT_LENGTH: 7,
  ROUTE: 8,
  RECORD_ROUTE: 9,
} as const
export type Kind = (typeof Kind)[keyof typeof Kind]

// Lower-case names by their length, so that a line is compared with two names at most.
const BY_LENGTH: readonly (readonly (readonly [string, Kind])[])[] = (() => {
  const names: readonly (readonly [string, Kind])[] = [
    ['via', Kind.VIA],
    ['v', Kind.VIA],
    ['from', Kind.FROM],
    ['f', Kind.FROM],
    ['to', Kind.TO],
    ['t', Kind.TO],
    ['call-id', Kind.CALL_ID],
    ['i', Kind.CALL_ID],
    ['cseq', Kind.CSEQ],
    ['max-forwards', Kind.MAX_FORWARDS],
    ['content-length', Kind.CONTENT_LENGTH],
    ['l', Kind.CONTENT_LENGTH],
    ['route', Kind.ROUTE],
    ['record-route', Kind.RECORD_ROUTE],
  ]
  return Array.from({ length: 15 }, (_, length) => names.filter(([name]) => name.length === length))
})()

/** The kind of the header whose name is [start, end). */
export function headerKind(text: string, start: number, end: number): Kind {
  const candidates = BY_LENGTH[end - start]
  if (candidates === undefined) return Kind.OTHER
  for (const [name, kind] of candidates) if (isName(text, start, name)) return kind
  return Kind.OTHER
}

/** Whether the token at `start` is `name` (lower-case), whatever its case. */
export function isName(text: string, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = text.charCodeAt(start + i)
    const lower = code >= 0x41 && code <= 0x5a ? code | 0x20 : code
    if (lower !== name.charCodeAt(i)) return false
  }
  return true
}

const COMPACT: ReadonlyMap<string, string> = new Map([
  ['accept-contact', 'a'],
  ['referred-by', 'b'],
  ['content-type', 'c'],
  ['request-disposition', 'd'],
  ['content-encoding', 'e'],
  ['from', 'f'],
  ['call-id', 'i'],
  ['reject-contact', 'j'],
  ['supported', 'k'],
  ['content-length', 'l'],
  ['contact', 'm'],
  ['identity-info', 'n'],
  ['event', 'o'],
  ['refer-to', 'r'],
  ['subject', 's'],
  ['to', 't'],
  ['allow-events', 'u'],
  ['via', 'v'],
  ['session-expires', 'x'],
  ['identity', 'y'],
])
const FULL: ReadonlyMap<string, string> = new Map([...COMPACT].map(([full, compact]) => [compact, full]))

/** A header's lower-case long name, whichever form was given. */
export function longName(name: string): string {
  const lower = name.toLowerCase()
  return FULL.get(lower) ?? lower
}

/** The compact form of a lower-case long name, or null. */
export function compactName(long: string): string | null {
  return COMPACT.get(long) ?? null
}
