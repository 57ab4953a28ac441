// The snapshots in a data folder: one is written at a time, piece by piece, beside the log; once it is whole and synced it takes
// the place of the log before the segment that it is followed by, and of the snapshot before it.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { placeOf } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { SnapshotMetadata } from '../raft/message.ts'
import type { SnapshotInput } from '../replica/input.ts'
import type { SnapshotWrite } from '../replica/effect.ts'
import type { Identity } from '../wire/recovery.ts'
import { decodeSnapshotPart } from '../wire/codec.ts'
import { frameRecords, HEAD_BYTES } from '../wire/segment.ts'
import {
  chooseSnapshot,
  parseSnapshotName,
  parseSnapshotTitle,
  printSnapshotTitle,
  RecordReader,
  snapshotName,
  UNFINISHED_SNAPSHOT,
} from '../wire/snapshot-file.ts'
import type { SnapshotName, SnapshotTitle } from '../wire/snapshot-file.ts'
import type { History } from './history.ts'
import { syncFolder } from './wal.ts'

type Drop = (path: string) => Promise<void>

/** Read at a time. */
const PIECE = 1 << 20
/** One write, as a rule: pieces are of 64 kB (replica/limits.ts), and their last group goes beyond. */
const WRITE = 1 << 17

/** The snapshot that a log goes on from. */
export interface FoundSnapshot {
  readonly metadata: SnapshotMetadata
  /** The segment that follows it. */
  readonly segment: number
  /** Its parts, read as they are asked for. Throws a sentence for the user if the file is damaged. */
  readonly parts: Iterable<Uint8Array>
  /** Files whose content is in it, or never was whole: to be removed before anything is written. */
  readonly leftovers: readonly string[]
}

/** The newest snapshot in the folder; null if there is none. An error is a sentence for the user. */
export async function findSnapshot(
  folder: string,
  owner: { readonly set: string; readonly replica: ReplicaId },
): Promise<Result<FoundSnapshot | null, string>> {
  const { newest, leftovers } = chooseSnapshot((await readdir(folder)).sort())
  if (newest === null) {
    for (const name of leftovers) await rm(join(folder, name))
    return ok(null)
  }
  const found = readSnapshot(folder, newest, owner)
  return found.ok ? ok({ ...found.value, leftovers }) : found
}

/** The snapshot of that name, which nobody but its writer may remove meanwhile. An error is a sentence for the user. */
export function readSnapshot(
  folder: string,
  { name, segment }: SnapshotName,
  owner: { readonly set: string; readonly replica: ReplicaId },
): Result<Omit<FoundSnapshot, 'leftovers'>, string> {
  const path = join(folder, name)
  const title = readTitle(path)
  if (!title.ok) return title
  const { set, replica, metadata } = title.value
  if (set !== owner.set) return err(`${path} belongs to set ${set}, not to set ${owner.set}: give another data folder`)
  const place = placeOf(replica as ReplicaId)
  if (place !== placeOf(owner.replica)) {
    return err(
      `${path} belongs to replica ${place} of this set, not to replica ${owner.replica}: give another data folder`,
    )
  }
  return ok({ metadata, segment, parts: { [Symbol.iterator]: () => partsOf(path) } })
}

/** Writes snapshots. Every piece is answered, in order. */
export class SnapshotFiles {
  readonly #folder: string
  readonly #identity: Identity
  /** The newest segment that was begun by a rotation of the log. */
  readonly #rotated: () => number
  readonly #removeSegments: (below: number) => Promise<void>
  /** Gets what a snapshot takes the place of; null = that is removed. */
  readonly #history: History | null
  readonly #give: (input: SnapshotInput) => void
  #file: FileHandle | null = null
  #metadata: SnapshotMetadata | null = null
  #position = 0
  #crc = 0
  /** What is being written: the same for each piece, for a new one each would be work for the collector. */
  readonly #room = new Uint8Array(WRITE)
  #queue: SnapshotWrite[] = []
  #busy = false
  #over = false

  constructor(
    folder: string,
    identity: Identity,
    log: { readonly rotated: number; removeBelow(segment: number, drop?: Drop): Promise<void> },
    give: (input: SnapshotInput) => void,
    history: History | null = null,
  ) {
    this.#folder = folder
    this.#identity = identity
    this.#rotated = () => log.rotated
    this.#history = history
    this.#removeSegments = (below) =>
      log.removeBelow(below, history === null ? undefined : (path) => history.take(path))
    this.#give = give
  }

  write(effect: SnapshotWrite): void {
    this.#queue.push(effect)
    if (!this.#busy) void this.#work()
  }

  async close(): Promise<void> {
    this.#over = true
    await this.#file?.close().catch(() => undefined)
    this.#file = null
  }

  async #work(): Promise<void> {
    this.#busy = true
    for (let next = this.#queue.shift(); next !== undefined && !this.#over; next = this.#queue.shift()) {
      const { number } = next
      try {
        const outcome = await this.#carryOut(next)
        if (!this.#over) this.#give({ kind: 'snapshot', number, outcome, reason: '' })
      } catch (error) {
        await this.#abandon()
        if (!this.#over) this.#give({ kind: 'snapshot', number, outcome: 'failed', reason: (error as Error).message })
      }
    }
    this.#busy = false
  }

  async #carryOut({ piece }: SnapshotWrite): Promise<'written' | 'finished'> {
    switch (piece.kind) {
      case 'begin': {
        await this.#abandon()
        this.#file = await open(this.#path(), 'w', 0o600)
        this.#metadata = piece.metadata
        await this.#append([printSnapshotTitle({ ...this.#identity, metadata: piece.metadata })])
        return 'written'
      }
      case 'parts':
        await this.#append(piece.parts)
        return 'written'
      case 'finish':
        await this.#finish()
        return 'finished'
      case 'abandon':
        await this.#abandon()
        return 'written'
    }
  }

  async #append(parts: readonly Uint8Array[]): Promise<void> {
    if (this.#file === null) throw new Error('the snapshot was given up')
    const framed = frameRecords(parts, this.#position, this.#crc, crc32, this.#room)
    let written = 0
    while (written < framed.bytes.length) {
      written += (await this.#file.write(framed.bytes.subarray(written), 0, null, this.#position + written))
        .bytesWritten
    }
    this.#position += framed.bytes.length
    this.#crc = framed.crc
  }

  async #finish(): Promise<void> {
    if (this.#file === null || this.#metadata === null) throw new Error('the snapshot was given up')
    const name = snapshotName(this.#metadata.index, this.#rotated())
    await this.#file.sync()
    await this.#file.close()
    this.#file = null
    await rename(this.#path(), join(this.#folder, name))
    await syncFolder(this.#folder)
    // From here on the log before it is of no use; what a crash leaves of it the next start removes.
    for (const other of await readdir(this.#folder)) {
      if (other === name || parseSnapshotName(other) === null) continue
      const path = join(this.#folder, other)
      await (this.#history === null ? rm(path, { force: true }) : this.#history.take(path))
    }
    await this.#removeSegments(this.#rotated())
    await this.#history?.trim()
  }

  async #abandon(): Promise<void> {
    await this.#file?.close().catch(() => undefined)
    this.#file = null
    this.#metadata = null
    this.#position = 0
    this.#crc = 0
    await rm(this.#path(), { force: true })
  }

  #path(): string {
    return join(this.#folder, UNFINISHED_SNAPSHOT)
  }
}

function readTitle(path: string): Result<SnapshotTitle, string> {
  try {
    const [first] = recordsOf(path)
    if (first === undefined) return err(damaged(path, 0, 'it is empty'))
    const title = parseSnapshotTitle(first)
    return title.ok ? title : err(`${path}: ${title.error}. Restore the file from a copy of this disk`)
  } catch (error) {
    return err((error as Error).message)
  }
}

/** It got its name when all was in it: one that ends earlier was cut since. */
function* partsOf(path: string): Generator<Uint8Array> {
  let last: Uint8Array | null = null
  let offset = 0
  for (const record of recordsOf(path)) {
    if (offset > 0) yield record
    offset += HEAD_BYTES + record.length
    last = record
  }
  const part = last === null ? null : decodeSnapshotPart(last)
  if (part?.ok !== true || part.value.kind !== 'end') throw new Error(damaged(path, offset, 'its end is missing'))
}

function damaged(path: string, offset: number, reason: string): string {
  return (
    `${path} is damaged at offset ${offset}: ${reason}. Nothing was changed. Restore the file from a copy of ` +
    'this disk; a replica that forgets what it promised would break the set, so it does not start'
  )
}

/** The records of a file framed as a snapshot's, as they are read. Throws what `say` makes of damage. */
export function* recordsOf(path: string, say: typeof damaged = damaged): Generator<Uint8Array> {
  const reader = new RecordReader(crc32)
  const file = openSync(path, 'r')
  try {
    const most = Math.min(PIECE, fstatSync(file).size)
    for (;;) {
      const piece = Buffer.alloc(most)
      const length = readSync(file, piece, 0, most, null)
      if (length === 0) break
      const records = reader.push(piece.subarray(0, length))
      if (!records.ok) throw new Error(say(path, reader.offset, records.error))
      yield* records.value
    }
    const fault = reader.end()
    if (fault !== null) throw new Error(say(path, reader.offset, fault))
  } finally {
    closeSync(file)
  }
}
