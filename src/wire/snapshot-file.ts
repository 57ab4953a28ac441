// A snapshot on disk: a file of records framed as the log's are (segment.ts). The first says whose it is and what it is of, the
// rest are its parts (snapshot.ts). It has its name only once it is whole and synced, so a file with that name that can't
// be read is damaged. The name also says where the log goes on after it.

import { latin1Bytes, latin1Text } from '../base/bytes.ts'
import { index, term } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { decodeConfiguration, encodeConfiguration } from '../raft/configuration.ts'
import type { SnapshotMetadata } from '../raft/message.ts'
import { HEAD_BYTES, TITLE_FORMAT, unknownTitle } from './segment.ts'
import type { Checksum } from './segment.ts'

/** Whose snapshot: as a segment's title has it. */
export interface SnapshotOwner {
  readonly set: string
  readonly replica: number
  readonly incarnation: string
}

export interface SnapshotTitle extends SnapshotOwner {
  readonly metadata: SnapshotMetadata
}

/** A snapshot's place by its file's name. */
export interface SnapshotName {
  readonly name: string
  readonly index: number
  /** The log's first segment that is not in it. */
  readonly segment: number
}

/** While it is written. */
export const UNFINISHED_SNAPSHOT = 'snapshot.new'

export function snapshotName(at: number, segment: number): string {
  return `snapshot-${String(at).padStart(12, '0')}-${String(segment).padStart(6, '0')}.snap`
}

/** Null: the file is none of ours. */
export function parseSnapshotName(name: string): SnapshotName | null {
  const match = /^snapshot-(\d{12,15})-(\d{6,9})\.snap$/.exec(name)
  return match === null ? null : { name, index: Number(match[1]), segment: Number(match[2]) }
}

/** Of the names in a folder: the snapshot that its log goes on from, null = none; and what is of no use beside it. */
export function chooseSnapshot(names: readonly string[]): {
  readonly newest: SnapshotName | null
  readonly leftovers: readonly string[]
} {
  const found = names.map(parseSnapshotName).filter((name) => name !== null)
  const newest = found.sort((a, b) => a.index - b.index || a.segment - b.segment).pop() ?? null
  const unfinished = names.filter((name) => name === UNFINISHED_SNAPSHOT)
  return { newest, leftovers: [...found.map(({ name }) => name), ...unfinished] }
}

export function printSnapshotTitle({ set, replica, incarnation, metadata }: SnapshotTitle): Uint8Array {
  const { index: at, term: of, configuration } = metadata
  const bytes = [...encodeConfiguration(configuration)]
  const title = {
    holdfast: 'snapshot',
    format: TITLE_FORMAT,
    set,
    replica,
    incarnation,
    index: at,
    term: of,
    configuration: bytes,
  }
  return latin1Bytes(JSON.stringify(title))
}

export function parseSnapshotTitle(payload: Uint8Array): Result<SnapshotTitle, string> {
  let title: Record<string, unknown>
  try {
    title = JSON.parse(latin1Text(payload)) as Record<string, unknown>
  } catch {
    return err('it is not a snapshot of Holdfast')
  }
  const { holdfast, format, set, replica, incarnation, index: at, term: of, configuration: bytes } = title
  if (holdfast !== 'snapshot') return err('it is not a snapshot of Holdfast')
  if (format !== TITLE_FORMAT) return err(`it has ${unknownTitle(format)}`)
  const isWhole = typeof set === 'string' && typeof replica === 'number' && typeof incarnation === 'string'
  if (!isWhole || typeof at !== 'number' || typeof of !== 'number' || !Array.isArray(bytes)) {
    return err('its title is incomplete')
  }
  const configuration = decodeConfiguration(Uint8Array.from(bytes as number[]))
  if (!configuration.ok) return configuration
  const metadata = { index: index(at), term: term(of), configuration: configuration.value }
  return ok({ set, replica, incarnation, metadata })
}

/** Reads records from a file that comes in pieces; every byte must be right. */
export class RecordReader {
  readonly #checksum: Checksum
  #rest: Uint8Array = new Uint8Array(0)
  /** Where in the file `#rest` begins. */
  #offset = 0
  #crc = 0

  constructor(checksum: Checksum) {
    this.#checksum = checksum
  }

  /** Bytes read as whole records. */
  get offset(): number {
    return this.#offset
  }

  /** The records that are whole with this piece, as views; or what is wrong at `offset`. */
  push(piece: Uint8Array): Result<readonly Uint8Array[], string> {
    const bytes = joined(this.#rest, piece)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const payloads: Uint8Array[] = []
    let at = 0
    while (bytes.length - at >= HEAD_BYTES) {
      if (view.getUint32(at + 12, true) !== this.#checksum(bytes.subarray(at, at + 12), 0)) {
        return this.#bad(at, 'its head is wrong')
      }
      const end = at + HEAD_BYTES + view.getUint32(at, true)
      if (end > bytes.length) break
      const payload = bytes.subarray(at + HEAD_BYTES, end)
      this.#crc = this.#checksum(payload, this.#crc)
      if (this.#crc !== view.getUint32(at + 8, true)) return this.#bad(at, 'its checksum is wrong')
      payloads.push(payload)
      at = end
    }
    this.#offset += at
    this.#rest = bytes.subarray(at)
    return ok(payloads)
  }

  /** What is wrong at the file's end: null = it ended with a record. */
  end(): string | null {
    return this.#rest.length === 0 ? null : 'it is incomplete'
  }

  #bad(at: number, reason: string): Result<never, string> {
    this.#offset += at
    return err(reason)
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}
