// A backup of one replica's disk, in one file (decision 0045): records framed as the log's are (wire/segment.ts), each with a checksum
// that is rolled on from the one before. The first says whose it is and has the set's configuration; then come the parts of
// the snapshot, if there is one, and the records of the log after it; the last says how many there are of each. It has its
// name only once it is whole and synced.

import { link, open, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { index, replicaId, term } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { decodeConfiguration, encodeConfiguration } from '../raft/configuration.ts'
import type { SnapshotMetadata } from '../raft/message.ts'
import { frameRecords } from '../wire/segment.ts'
import { recordsOf } from './snapshot-files.ts'
import { syncFolder } from './wal.ts'

export interface BackupTitle {
  readonly set: string
  readonly replica: ReplicaId
  /** With whom it founded the set; none: it joined one. */
  readonly voters: readonly ReplicaId[]
  /** When it was taken, in the form of ISO 8601. */
  readonly at: string
  /** The last entry of its log. */
  readonly last: number
  readonly snapshot: SnapshotMetadata | null
  /** The set's configuration file, its secret too. */
  readonly config: string
}

export interface Backup {
  readonly title: BackupTitle
  /** Read as they are asked for; empty if there is no snapshot. */
  readonly parts: Iterable<Uint8Array>
  readonly records: readonly Uint8Array[]
}

const FORMAT = 1
const PART = 1
const RECORD = 2
const END = 3

interface Counts {
  readonly parts: number
  readonly records: number
}

/** Writes `path`, which must not be there; readable by its owner alone, for it has the secret. Its bytes. Rejects with the system's
 * error, or with what `parts` throws; then nothing is left. */
export async function writeBackup(path: string, { title, parts, records }: Backup): Promise<number> {
  const unfinished = `${path}.new`
  await rm(unfinished, { force: true })
  const file = await open(unfinished, 'wx', 0o600)
  try {
    const writer = new RecordWriter(file)
    await writer.append(printTitle(title))
    let told = 0
    for (const part of parts) {
      await writer.append(tagged(PART, part))
      told++
    }
    for (const record of records) await writer.append(tagged(RECORD, record))
    const counts: Counts = { parts: told, records: records.length }
    await writer.append(tagged(END, Buffer.from(JSON.stringify(counts))))
    await writer.flush()
    await file.sync()
    // Not a rename: that would take another backup's place.
    await link(unfinished, path)
    await syncFolder(dirname(path))
    return writer.position
  } finally {
    await file.close()
    await rm(unfinished, { force: true })
  }
}

/** Reads a backup, all of which must be whole. An error is a sentence for the user. */
export function readBackup(path: string): Result<Backup, string> {
  const say = (_path: string, offset: number, reason: string): string =>
    `${path} is damaged at offset ${offset}: ${reason}. Nothing was restored; take another copy of it, or an older backup`
  try {
    let title: BackupTitle | null = null
    let end: Counts | null = null
    let parts = 0
    const records: Uint8Array[] = []
    for (const bytes of recordsOf(path, say)) {
      if (title === null) {
        const read = parseTitle(bytes)
        if (!read.ok) return err(`${path}: ${read.error}`)
        title = read.value
      } else if (bytes[0] === PART) parts++
      else if (bytes[0] === RECORD) records.push(bytes.slice(1))
      else if (bytes[0] === END) end = JSON.parse(Buffer.from(bytes.subarray(1)).toString()) as Counts
    }
    if (title === null) return err(`${path} is empty: give a file that holdfast backup wrote`)
    if (end?.parts !== parts || end.records !== records.length) return err(say(path, 0, 'its end is missing'))
    return ok({ title, parts: { [Symbol.iterator]: () => partsOf(path, say) }, records })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return err(code === undefined ? message : `${path} can't be read: ${message}`)
  }
}

function* partsOf(path: string, say: (path: string, offset: number, reason: string) => string): Generator<Uint8Array> {
  let isTitle = true
  for (const bytes of recordsOf(path, say)) {
    if (!isTitle && bytes[0] === PART) yield bytes.subarray(1)
    isTitle = false
  }
}

/** Appends framed records to a new file. */
export class RecordWriter {
  readonly #file: FileHandle
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #position = 0
  #crc: number

  /** `position` and `crc`: where the file ends that it goes on with. */
  constructor(file: FileHandle, position = 0, crc = 0) {
    this.#file = file
    this.#position = position
    this.#crc = crc
  }

  get position(): number {
    return this.#position
  }

  async append(record: Uint8Array): Promise<void> {
    // It may be lent until the next one is asked for.
    this.#waiting.push(record.slice())
    this.#waitingBytes += record.length
    if (this.#waitingBytes > 1 << 20) await this.flush()
  }

  async flush(): Promise<void> {
    const framed = frameRecords(this.#waiting, this.#position, this.#crc, crc32)
    for (let written = 0; written < framed.bytes.length;) {
      const at = this.#position + written
      written += (await this.#file.write(framed.bytes.subarray(written), 0, null, at)).bytesWritten
    }
    this.#position += framed.bytes.length
    this.#crc = framed.crc
    this.#waiting = []
    this.#waitingBytes = 0
  }
}

function tagged(tag: number, bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(1 + bytes.length)
  whole[0] = tag
  whole.set(bytes, 1)
  return whole
}

function printTitle({ snapshot, ...title }: BackupTitle): Uint8Array {
  const metadata =
    snapshot === null ? null : { ...snapshot, configuration: [...encodeConfiguration(snapshot.configuration)] }
  return Buffer.from(JSON.stringify({ holdfast: 'backup', format: FORMAT, ...title, snapshot: metadata }))
}

function parseTitle(bytes: Uint8Array): Result<BackupTitle, string> {
  const none = err('it is not a backup of Holdfast: give a file that holdfast backup wrote')
  let title: Record<string, unknown>
  try {
    title = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>
  } catch {
    return none
  }
  const { holdfast, format, set, replica, voters, at, last, snapshot, config } = title
  if (holdfast !== 'backup') return none
  if (format !== FORMAT) {
    return err(
      `it is a backup of format ${String(format)}, and this release reads format ${FORMAT}: use a newer release`,
    )
  }
  const isWhole =
    typeof set === 'string' && typeof replica === 'number' && Array.isArray(voters) && typeof at === 'string'
  if (!isWhole || typeof last !== 'number' || typeof config !== 'string') return none
  const metadata = parseMetadata(snapshot)
  if (!metadata.ok) return metadata
  const ids = (voters as number[]).map(replicaId)
  return ok({ set, replica: replicaId(replica), voters: ids, at, last, snapshot: metadata.value, config })
}

function parseMetadata(value: unknown): Result<SnapshotMetadata | null, string> {
  if (value === null) return ok(null)
  const given = value as { readonly index: number; readonly term: number; readonly configuration: readonly number[] }
  const configuration = decodeConfiguration(Uint8Array.from(given.configuration))
  if (!configuration.ok) return configuration
  return ok({ index: index(given.index), term: term(given.term), configuration: configuration.value })
}
