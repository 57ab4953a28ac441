// Which formats a release reads, and what is said when they don't fit. A format is one number for all that replicas write for one
// another: entries, frames, records on disk, snapshots (docs/decisions/0020-formats.md has what each number means). A release
// reads a range of them; a set writes one, its *active* format, which is in the log and only ever rises.

/** What this release can write. */
export type FormatNumber = 1 | 2

/** A range of formats that somebody reads: perhaps more than this release knows of. */
export interface Formats {
  readonly oldest: number
  readonly newest: number
}

export const OLDEST_FORMAT: FormatNumber = 1
export const NEWEST_FORMAT: FormatNumber = 2
/** What this release reads. */
export const KNOWN_FORMATS: Formats = { oldest: OLDEST_FORMAT, newest: NEWEST_FORMAT }
/** What a peer reads that doesn't say: releases before formats had numbers wrote the first one. */
export const FIRST_FORMATS: Formats = { oldest: 1, newest: 1 }

/** What a release reads whose newest format is `most`: an operator keeps it there (docs/UPGRADING.md). */
export function formatsUpTo(most: number | null): Formats {
  return most === null ? KNOWN_FORMATS : { oldest: OLDEST_FORMAT, newest: Math.min(most, NEWEST_FORMAT) }
}

export function isFormats(value: unknown): value is Formats {
  if (typeof value !== 'object' || value === null) return false
  const { oldest, newest } = value as Partial<Formats>
  const areCounts = Number.isSafeInteger(oldest) && Number.isSafeInteger(newest)
  return areCounts && 1 <= (oldest as number) && (oldest as number) <= (newest as number)
}

/** The format of that number; null = this release knows none. */
export function knownFormat(format: number): FormatNumber | null {
  return format === 1 || format === 2 ? format : null
}

export function reads({ oldest, newest }: Formats, format: number): boolean {
  return oldest <= format && format <= newest
}

function printFormats({ oldest, newest }: Formats): string {
  return oldest === newest ? `format ${oldest}` : `formats ${oldest} to ${newest}`
}

/** Why something of that format can't be read, and what to do about it. */
export function unreadable(format: number, formats: Formats): string {
  const said = `format ${format}, and this replica reads ${printFormats(formats)}`
  if (format < formats.oldest) return `${said}: start a release between that reads both first (docs/UPGRADING.md)`
  if (formats.newest < NEWEST_FORMAT && format <= NEWEST_FORMAT) {
    return `${said}, because formats.most keeps it there: take that out of its config file`
  }
  return `${said}: start a release that reads it (docs/UPGRADING.md)`
}

/** Why two replicas can't work together, as the one that reads `own` says it of the other; null = they can. `active`: the format
 * that the set writes, as far as this replica knows. */
export function formatObjection(own: Formats, active: number, theirs: Formats): string | null {
  if (theirs.newest < active) {
    return (
      `it reads ${printFormats(theirs)}, and the set writes format ${active} since all its members read that: ` +
      'start a release that does (docs/UPGRADING.md)'
    )
  }
  if (theirs.newest >= own.oldest && theirs.oldest <= own.newest) return null
  return (
    `it reads ${printFormats(theirs)}, this replica ${printFormats(own)}: ` +
    'upgrade by way of a release that reads some of both (docs/UPGRADING.md)'
  )
}
