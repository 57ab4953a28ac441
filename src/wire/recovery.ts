// What the files of a log say when a replica starts: whose they are, which records they hold, where a torn end is to be cut;
// or why that replica must not start. Pure: the host reads and mends the files (host/data-folder.ts), the simulator's disk is
// read by the same rules.

import { life as makeLife, placeOf } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import { must } from '../base/assert.ts'
import { latin1Bytes, latin1Text } from '../base/bytes.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { decodeRecord, encodeRecord } from './codec.ts'
import { frameRecords, readRecords, TITLE_FORMAT, unknownTitle } from './segment.ts'
import type { Checksum, Reading } from './segment.ts'

/** What a segment's first record says, as JSON. `previous` is the CRC that the segment before ended with. */
interface SegmentTitle {
  readonly holdfast: 'log'
  readonly format: number
  readonly set: string
  readonly replica: number
  readonly incarnation: string
  readonly segment: number
  readonly previous: number
  /** With whom this replica founded the set; none: it joined one. Absent in logs that are older than that: those of the
   * configuration file. */
  readonly voters?: readonly number[]
}

export type Identity = Pick<SegmentTitle, 'set' | 'replica' | 'incarnation' | 'voters'>

export interface FolderOwner {
  readonly set: string
  readonly replica: ReplicaId
  /** This replica has run before: a folder without its log is refused, for it could vote twice (design.md 10). */
  readonly hasRun: boolean
}

export interface SegmentFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What must be done to the files before anything is appended. */
export type Repair =
  /** The torn end of the last segment. */
  | { readonly kind: 'cut'; readonly name: string; readonly at: number; readonly reason: string }
  /** A segment that was being made when the last process died, or one whose entries are in the snapshot. */
  | { readonly kind: 'remove'; readonly name: string }

/** Where a log ends. */
export interface LogEnd {
  readonly identity: Identity
  readonly segment: number
  readonly position: number
  readonly crc: number
  /** Bytes of all segments. */
  readonly total: number
}

export interface RecoveredLog {
  readonly records: readonly Uint8Array[]
  readonly end: LogEnd
  readonly repairs: readonly Repair[]
}

export function segmentName(segment: number): string {
  return `log-${String(segment).padStart(6, '0')}.wal`
}

export function isSegmentName(name: string): boolean {
  return /^log-\d{6,}\.wal$/.test(name)
}

/** The bytes that a new segment begins with. */
export function beginSegment(
  { set, replica, incarnation, voters }: Identity,
  segment: number,
  previous: number,
  checksum: Checksum,
): { readonly bytes: Uint8Array; readonly crc: number } {
  const title: SegmentTitle = { holdfast: 'log', format: TITLE_FORMAT, set, replica, incarnation, segment, previous }
  const whole = voters === undefined ? title : { ...title, voters }
  return frameRecords([latin1Bytes(JSON.stringify(whole))], 0, 0, checksum)
}

/** Reads all segments, in the order of their names; null if there is no log and need not be. An error is a sentence for the
 * user; then nothing may be changed. `folder` is for that sentence. `first`: the segment after the newest snapshot, 1 without
 * one; what lies before it was about to be removed. */
export function recoverLog(
  folder: string,
  all: readonly SegmentFile[],
  owner: FolderOwner,
  checksum: Checksum,
  first = 1,
): Result<RecoveredLog | null, string> {
  const records: Uint8Array[] = []
  const old = all.filter(({ name }) => name < segmentName(first))
  const files = all.slice(old.length)
  const repairs: Repair[] = old.map(({ name }) => ({ kind: 'remove', name }))
  let end: LogEnd | null = null
  for (let number = first; number < first + files.length; number++) {
    const { name, bytes } = must(files[number - first], 'a file')
    const path = `${folder}/${name}`
    const isLast = number === first + files.length - 1
    if (name !== segmentName(number)) {
      return err(`${folder}/${segmentName(number)} is missing: the log can't be read without it. Put it back`)
    }
    const reading = readRecords(bytes, checksum)
    const trouble = damageOf(path, reading, isLast)
    if (trouble !== null) return err(trouble)
    const title = parseTitle(reading.payloads[0])
    if (title === null) {
      // The process died while it made this segment: it holds nothing yet.
      if (!isLast || reading.payloads.length > 0) return err(`${path} is not a log of Holdfast`)
      repairs.push({ kind: 'remove', name })
      continue
    }
    const wrong = strangerOf(path, title, owner, number, end)
    if (wrong !== null) return err(wrong)
    if (reading.fault !== null) repairs.push({ kind: 'cut', name, at: reading.end, reason: reading.fault.reason })
    for (let i = 1; i < reading.payloads.length; i++) records.push(must(reading.payloads[i], 'a payload'))
    const total: number = (end?.total ?? 0) + reading.end
    end = { identity: title, segment: number, position: reading.end, crc: reading.crc, total }
  }
  if (end !== null) return ok({ records, end, repairs })
  const [empty] = files
  if (empty !== undefined && (first > 1 || owner.hasRun)) {
    return err(
      `${folder}/${empty.name} has lost what was in it (${empty.bytes.length} bytes are left, less than a log begins with): ` +
        'restore the file from a copy of this disk. Nothing was changed; without its log a replica could vote twice, so it does not start',
    )
  }
  if (first > 1) return err(`${folder}/${segmentName(first)} is missing: the snapshot is followed by it. Put it back`)
  if (!owner.hasRun) return ok(null)
  return err(
    `replica ${owner.replica} has run before, and its log is gone from ${folder}: without it, it could vote twice. ` +
      'Put the folder back, or start a new set in another data folder',
  )
}

/** The next life on a disk with these records, and the record that makes it durable before anything leaves. */
export function nextLife(
  { set, replica, incarnation }: Identity,
  records: readonly Uint8Array[],
): { readonly life: Life; readonly start: number; readonly record: Uint8Array } {
  const start = lastStart(records) + 1
  return {
    life: makeLife(replica as ReplicaId, incarnation, start),
    start,
    record: encodeRecord({ kind: 'life', set, replica, incarnation, start }),
  }
}

function lastStart(records: readonly Uint8Array[]): number {
  for (let i = records.length - 1; i >= 0; i--) {
    const record = decodeRecord(must(records[i], 'a record'))
    if (record.ok && record.value.kind === 'life') return record.value.start
  }
  return 0
}

function damageOf(path: string, reading: Reading, isLast: boolean): string | null {
  if (reading.fault === null || (reading.fault.torn && isLast)) return null
  return (
    `${path} is damaged at offset ${reading.end}: a record was written whole, but ${reading.fault.reason}. ` +
    'Nothing was changed. Restore the file from a copy of this disk; a replica that forgets what it promised would ' +
    'break the set, so it does not start'
  )
}

function parseTitle(payload: Uint8Array | undefined): SegmentTitle | null {
  if (payload === undefined) return null
  try {
    const title = JSON.parse(latin1Text(payload)) as SegmentTitle
    return title.holdfast === 'log' ? title : null
  } catch {
    return null
  }
}

/** Why this segment isn't the next one of this replica's log; null if it is. */
function strangerOf(
  path: string,
  title: SegmentTitle,
  owner: FolderOwner,
  number: number,
  before: LogEnd | null,
): string | null {
  if (title.format !== TITLE_FORMAT) return `${path} has ${unknownTitle(title.format)}`
  if (title.set !== owner.set) {
    return `${path} belongs to set ${title.set}, not to set ${owner.set}: give another data folder`
  }
  // Which incarnation of its place it is, its log says.
  const place = placeOf(title.replica as ReplicaId)
  if (place !== placeOf(owner.replica)) {
    return `${path} belongs to replica ${place} of this set, not to replica ${owner.replica}: give another data folder`
  }
  const identity: Identity | undefined = before?.identity
  if (identity !== undefined && identity.incarnation !== title.incarnation) {
    return `${path} belongs to another incarnation of this replica (${title.incarnation}, not ${identity.incarnation})`
  }
  // What the first one after a snapshot follows is gone.
  const follows = title.previous === (before?.crc ?? 0) || (before === null && number > 1)
  if (title.segment !== number || !follows) {
    return `${path} does not follow the segment before it: a file is missing or in the wrong place`
  }
  return null
}
