// Where the headers of a message are: one pass over its text, no string made, nothing read twice.

import {
  COLON,
  COMMA,
  CR,
  GREATER,
  LESS,
  LF,
  QUOTE,
  SPACE,
  TAB,
  isSpaceCode,
  quotedEnd,
  skipSpace,
  tokenEnd,
  trimEnd,
} from './scan.ts'
import { Kind, compactName, headerKind, isName } from './header-name.ts'

/** Numbers per header in `HeaderIndex.marks`. */
const STRIDE = 5

export interface HeaderIndex {
  /** How many header lines there are. */
  readonly count: number
  /** For each header: where its line starts (the next one's start is its end), where its name ends, where its value
   * starts and ends, its kind. Then the start of what follows the last one. Invariant: read by the functions below only. */
  readonly marks: readonly number[]
  /** Where the body begins: after the empty line. */
  readonly bodyStart: number
  /** What is wrong with the lines, or null. The rest of the index is as good as it can be then. */
  readonly fault: HeaderFault | null
  /** The length of the longest header, folded lines and line break included. */
  readonly longest: number
}

export type HeaderFault = 'bare-line-break' | 'header-name' | 'no-empty-line'

/** Indexes the header lines of `text` from `from` (after the start line) to the empty line. */
export function indexHeaders(text: string, from: number): HeaderIndex {
  const marks: number[] = []
  let fault: HeaderFault | null = null
  let count = 0
  let longest = 0
  let at = from
  for (;;) {
    // `at` is the start of a line that is no continuation.
    if (text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF) break
    const next = nextHeader(text, at)
    if (next < 0) {
      // No line break follows, or a bare one does: nothing that comes after can be trusted.
      fault ??= next === BARE ? 'bare-line-break' : 'no-empty-line'
      marks.push(at)
      return { count, marks, bodyStart: text.length, fault, longest }
    }
    if (next - at > longest) longest = next - at
    const nameEnd = tokenEnd(text, at, next)
    let colon = nameEnd
    while (text.charCodeAt(colon) === SPACE || text.charCodeAt(colon) === TAB) colon++
    if (nameEnd > at && text.charCodeAt(colon) === COLON) {
      // An empty value is a place in its own line.
      const found = skipSpace(text, colon + 1, next)
      const valueStart = found === next ? colon + 1 : found
      marks.push(at, nameEnd, valueStart, trimEnd(text, valueStart, next), headerKind(text, at, nameEnd))
    } else {
      fault ??= 'header-name'
      marks.push(at, at, at, at, Kind.OTHER)
    }
    count++
    at = next
  }
  marks.push(at)
  return { count, marks, bodyStart: at + 2, fault, longest }
}

const BARE = -2

/** Where the header that starts at `at` ends, its folded lines and line break included; negative if it doesn't. */
function nextHeader(text: string, at: number): number {
  let line = at
  for (;;) {
    const lf = text.indexOf('\n', line)
    const cr = text.indexOf('\r', line)
    if (cr < 0 || lf < 0) return cr < 0 && lf < 0 ? -1 : BARE
    if (lf !== cr + 1) return BARE
    line = lf + 1
    const code = text.charCodeAt(line)
    if (code !== SPACE && code !== TAB) return line
  }
}

/** Where line `header` starts; for `header` = count, where the lines end. */
export function lineStart(index: HeaderIndex, header: number): number {
  return index.marks[header * STRIDE] as number
}

export function nameEndOf(index: HeaderIndex, header: number): number {
  return index.marks[header * STRIDE + 1] as number
}

export function valueStart(index: HeaderIndex, header: number): number {
  return index.marks[header * STRIDE + 2] as number
}

export function valueEnd(index: HeaderIndex, header: number): number {
  return index.marks[header * STRIDE + 3] as number
}

export function kindOf(index: HeaderIndex, header: number): Kind {
  return index.marks[header * STRIDE + 4] as Kind
}

/** The first header of `kind` from `from` on, or -1. */
export function nextOfKind(index: HeaderIndex, kind: Kind, from = 0): number {
  for (let header = from; header < index.count; header++) if (kindOf(index, header) === kind) return header
  return -1
}

/** The first header with this lower-case long name from `from` on, or -1. */
export function nextOfName(text: string, index: HeaderIndex, long: string, from = 0): number {
  const compact = compactName(long)
  for (let header = from; header < index.count; header++) {
    const start = lineStart(index, header)
    const length = nameEndOf(index, header) - start
    if (length === long.length && isName(text, start, long)) return header
    if (compact !== null && length === 1 && isName(text, start, compact)) return header
  }
  return -1
}

/** The comma-separated values in [start, end) as pairs of positions, trimmed; empty ones are left out. Commas in quoted
 * strings and angle brackets separate nothing. */
export function valueSpans(text: string, start: number, end: number): number[] {
  const spans: number[] = []
  let from = skipSpace(text, start, end)
  let at = from
  while (at < end) {
    const code = text.charCodeAt(at)
    if (code === COMMA) {
      pushSpan(spans, text, from, at)
      from = at = skipSpace(text, at + 1, end)
    } else if (code === QUOTE) {
      const close = quotedEnd(text, at, end)
      at = close < 0 ? end : close
    } else if (code === LESS) {
      while (at < end && text.charCodeAt(at) !== GREATER) at++
    } else at++
  }
  pushSpan(spans, text, from, end)
  return spans
}

function pushSpan(spans: number[], text: string, from: number, to: number): void {
  const end = isSpaceCode(text.charCodeAt(to - 1)) ? trimEnd(text, from, to) : to
  if (end > from) spans.push(from, end)
}
