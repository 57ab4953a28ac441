// The snapshots on a simulated disk, as src/host/snapshot-files.ts leaves them: one that is being written, one whose name may
// still be taken back by a crash, the one that a start goes on from, and older ones until they are removed.

import { must } from '../src/base/assert.ts'
import { equalBytes } from '../src/base/bytes.ts'
import { err, ok } from '../src/base/result.ts'
import type { Result } from '../src/base/result.ts'
import type { SnapshotMetadata } from '../src/raft/message.ts'
import type { FolderOwner } from '../src/wire/recovery.ts'
import { frameRecords } from '../src/wire/segment.ts'
import {
  parseSnapshotTitle,
  printSnapshotTitle,
  RecordReader,
  snapshotName,
  UNFINISHED_SNAPSHOT,
} from '../src/wire/snapshot-file.ts'
import type { SnapshotOwner } from '../src/wire/snapshot-file.ts'
import { crc32 } from './crc32.ts'

export interface ReadSnapshot {
  readonly metadata: SnapshotMetadata
  readonly parts: readonly Uint8Array[]
}

interface Unfinished {
  readonly metadata: SnapshotMetadata
  readonly writes: Uint8Array[]
  readonly parts: Uint8Array[]
  size: number
  crc: number
}

interface Named extends ReadSnapshot {
  readonly name: string
  readonly segment: number
  readonly bytes: Uint8Array
}

export class DiskSnapshots {
  readonly #owner: () => SnapshotOwner
  #unfinished: Unfinished | null = null
  /** Renamed, and the folder not synced. */
  #named: Named | null = null
  #newest: Named | null = null
  #older: Named[] = []

  constructor(owner: () => SnapshotOwner) {
    this.#owner = owner
  }

  /** The first segment that a start reads. */
  get segment(): number {
    return this.#newest?.segment ?? 1
  }

  /** Of what a start goes on from; null = the log's beginning. */
  get metadata(): SnapshotMetadata | null {
    return this.#newest?.metadata ?? null
  }

  get size(): number {
    const named = [this.#named, this.#newest, ...this.#older]
    return named.reduce((sum, file) => sum + (file?.bytes.length ?? 0), this.#unfinished?.size ?? 0)
  }

  begin(metadata: SnapshotMetadata): void {
    this.#unfinished = { metadata, writes: [], parts: [], size: 0, crc: 0 }
    this.#append([printSnapshotTitle({ ...this.#owner(), metadata })])
  }

  /** False if there is none to add to. */
  add(parts: readonly Uint8Array[]): boolean {
    if (this.#unfinished === null) return false
    this.#append(parts)
    for (const part of parts) this.#unfinished.parts.push(part.slice())
    return true
  }

  get isBegun(): boolean {
    return this.#unfinished !== null
  }

  abandon(): void {
    this.#unfinished = null
  }

  /** It is synced and gets its name. */
  name(segment: number): SnapshotMetadata {
    const { metadata, writes, parts, size } = must(this.#unfinished, 'a snapshot that is named was written')
    const bytes = new Uint8Array(size)
    let at = 0
    for (const write of writes) {
      bytes.set(write, at)
      at += write.length
    }
    this.#named = { name: snapshotName(metadata.index, segment), segment, bytes, metadata, parts }
    this.#unfinished = null
    return metadata
  }

  /** The folder is synced. The first segment that a start reads. */
  settle(): number {
    if (this.#newest !== null) this.#older.push(this.#newest)
    this.#newest = must(this.#named, 'a snapshot that settles has a name')
    this.#named = null
    return this.segment
  }

  /** An older one goes; false if there is none. */
  tidy(): boolean {
    return this.#older.shift() !== undefined
  }

  remove(name: string): void {
    this.#older = this.#older.filter((file) => file.name !== name)
    if (name === UNFINISHED_SNAPSHOT) this.#unfinished = null
  }

  /** A name that was not synced stays or goes. The first segment that a start reads. */
  crash(isNameKept: boolean): number {
    if (this.#named !== null && isNameKept) return this.settle()
    if (this.#named !== null) {
      const { metadata, bytes, parts } = this.#named
      this.#unfinished = { metadata, writes: [bytes], parts: [...parts], size: bytes.length, crc: 0 }
      this.#named = null
    }
    return this.segment
  }

  files(): { readonly name: string; readonly bytes: Uint8Array }[] {
    const named = [...this.#older, this.#newest].filter((file) => file !== null)
    const files = named.map(({ name, bytes }) => ({ name, bytes: bytes.slice() }))
    // Whatever of it is there: nobody reads it.
    if (this.#unfinished !== null) files.push({ name: UNFINISHED_SNAPSHOT, bytes: new Uint8Array(1) })
    return files
  }

  /** What a start reads. */
  solid(): readonly { readonly name: string; readonly size: number }[] {
    return this.#newest === null ? [] : [{ name: this.#newest.name, size: this.#newest.bytes.length }]
  }

  /** Whether what was read is what was written; null if so. */
  misread(read: ReadSnapshot | null): string | null {
    const own = this.#newest
    if (own === null) return read === null ? null : 'a snapshot is read that was never whole'
    if (read === null) return 'its snapshot is not read'
    if (read.metadata.index !== own.metadata.index) {
      return `the snapshot at index ${read.metadata.index} is read, not that at ${own.metadata.index}`
    }
    const isSame =
      read.parts.length === own.parts.length &&
      read.parts.every((part, i) => equalBytes(part, own.parts[i] as Uint8Array))
    return isSame ? null : 'its snapshot reads back otherwise than it was written'
  }

  #append(records: readonly Uint8Array[]): void {
    const file = must(this.#unfinished, 'a snapshot is written')
    const framed = frameRecords(records, file.size, file.crc, crc32)
    file.writes.push(framed.bytes)
    file.size += framed.bytes.length
    file.crc = framed.crc
  }
}

/** As a start reads it, in pieces. */
export function readSnapshot(bytes: Uint8Array, owner: FolderOwner): Result<ReadSnapshot, string> {
  const reader = new RecordReader(crc32)
  const records: Uint8Array[] = []
  const piece = 4_096
  for (let at = 0; at < bytes.length; at += piece) {
    const read = reader.push(bytes.subarray(at, at + piece))
    if (!read.ok) return err(`it is damaged at offset ${reader.offset}: ${read.error}`)
    for (const record of read.value) records.push(record.slice())
  }
  const fault = reader.end()
  if (fault !== null) return err(`it is damaged at offset ${reader.offset}: ${fault}`)
  const [first, ...parts] = records
  if (first === undefined) return err('it is empty')
  const title = parseSnapshotTitle(first)
  if (!title.ok) return title
  if (title.value.set !== owner.set || title.value.replica !== owner.replica) return err("it is another replica's")
  return ok({ metadata: title.value.metadata, parts })
}
