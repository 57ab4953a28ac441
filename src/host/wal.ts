// The write-ahead log: numbered segments that are only ever appended to. Group commit: one synced write at a time;
// what arrives meanwhile gathers and goes with the next (design.md 10).
//
// A write that failed to become durable is fatal and never tried again: the kernel may have dropped the pages, and a second one
// would say "done".
// A write that finds the disk full is cut off again and repeated until there is room; until then nothing is acknowledged.

import { constants } from 'node:fs'
import { open, readdir, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { beginSegment, isSegmentName, segmentName } from '../wire/recovery.ts'
import type { Identity, LogEnd } from '../wire/recovery.ts'
import { frameRecords, HEAD_BYTES } from '../wire/segment.ts'
import { hostLimits } from './limits.ts'

/** What is appended together and reported together. */
export interface Appended {
  readonly records: readonly Uint8Array[]
  /** They begin a new segment. */
  readonly rotate?: boolean
}

export interface WalEvents<Item> {
  /** These items, in the order of `append`, are on the disk. */
  durable(items: readonly Item[]): void
  /** The disk took nothing (full), or takes it again. */
  full(full: boolean): void
  /** The log can't go on. The process must end: what is in memory and what is on disk may differ. */
  fatal(reason: string): void
}

/** The few calls on a file that a test must be able to break. */
export interface WalFile {
  /** What it says was written is on the disk: one visit to the thread pool, where write and sync are two. */
  write(bytes: Uint8Array, position: number): Promise<number>
  /** All that is in the file, whoever wrote it, is on the disk. */
  sync(): Promise<void>
  cut(size: number): Promise<void>
  close(): Promise<void>
}

/** Where an opened log goes on. */
export interface WalEnd extends LogEnd {
  readonly folder: string
}

export type OpenFile = (path: string) => Promise<WalFile>

export class Wal<Item extends Appended> {
  readonly #events: WalEvents<Item>
  readonly #openFile: OpenFile
  readonly #segmentBytes: number
  readonly #folder: string
  readonly #identity: Identity
  #file: WalFile | null = null
  #segment: number
  #position: number
  #crc: number
  #total: number
  #waiting: Item[] = []
  #waitingBytes = 0
  #busy = false
  #full = false
  #over = false
  #rotated: number

  /** Tests give the last two: files that break, and segments that are full soon. */
  constructor(
    end: WalEnd,
    events: WalEvents<Item>,
    openFile: OpenFile = openWalFile,
    segmentBytes: number = hostLimits.segmentBytes,
  ) {
    this.#events = events
    this.#openFile = openFile
    this.#segmentBytes = segmentBytes
    this.#folder = end.folder
    this.#identity = end.identity
    this.#segment = end.segment
    this.#position = end.position
    this.#crc = end.crc
    this.#total = end.total
    this.#rotated = end.segment
  }

  /** The last segment that was begun because an item asked for it. */
  get rotated(): number {
    return this.#rotated
  }

  /** Removes the segments below, each by `drop`: a snapshot has what is in them. */
  async removeBelow(segment: number, drop: (path: string) => Promise<void> = removeFile): Promise<void> {
    for (const name of (await readdir(this.#folder)).filter(
      (name) => isSegmentName(name) && name < segmentName(segment),
    )) {
      const path = join(this.#folder, name)
      const { size } = await stat(path)
      await drop(path)
      this.#total -= size
    }
  }

  /** Bytes on disk, all segments. */
  get total(): number {
    return this.#total
  }

  /** Appends the item's records after all earlier ones; `durable` tells when. */
  append(item: Item): void {
    if (this.#over) return
    this.#waiting.push(item)
    for (const record of item.records) this.#waitingBytes += HEAD_BYTES + record.length
    if (this.#full && this.#waitingBytes > hostLimits.walWaitingBytes) {
      this.#fail(
        `${this.#waitingBytes} bytes wait for the full disk of ${this.#folder}: free some space and start again`,
      )
      return
    }
    if (!this.#busy) void this.#flush()
  }

  /** Nothing more is written. What was not reported durable may or may not be there. */
  async close(): Promise<void> {
    this.#over = true
    await this.#file?.close()
  }

  /** Never throws: every failure ends in `fatal`. */
  async #flush(): Promise<void> {
    this.#busy = true
    try {
      // The caller may append more before it returns: one sync covers it all.
      await Promise.resolve()
      while (this.#waiting.length > 0 && !this.#over) {
        const items = this.#takeBatch()
        await this.#write(
          items.flatMap((item) => item.records),
          items[0]?.rotate === true,
        )
        if (this.#over) return
        this.#events.durable(items)
      }
    } catch (error) {
      this.#fail(`${this.#path()}: ${(error as Error).message}`)
    } finally {
      this.#busy = false
    }
  }

  /** What waits, up to the next rotation. */
  #takeBatch(): Item[] {
    const next = this.#waiting.findIndex((item, i) => i > 0 && item.rotate === true)
    const items = this.#waiting.splice(0, next < 0 ? this.#waiting.length : next)
    for (const item of items) for (const record of item.records) this.#waitingBytes -= HEAD_BYTES + record.length
    return items
  }

  /** Writes and syncs, however long the disk is full. */
  async #write(records: readonly Uint8Array[], rotate: boolean): Promise<void> {
    if (records.length === 0) return
    const from = this.#segment
    for (;;) {
      // Made once, however often what follows is tried.
      const isDue = rotate && this.#segment === from
      if ((!isDue || (await this.#nextSegment())) && (await this.#tryWrite(records))) break
      if (this.#over) return
      this.#setFull(true)
      await new Promise((resume) => setTimeout(resume, hostLimits.diskRetryMs))
    }
    this.#setFull(false)
    if (rotate) this.#rotated = this.#segment
  }

  /** False if the disk is full; then the segment ends where it ended before. */
  async #tryWrite(records: readonly Uint8Array[]): Promise<boolean> {
    if (this.#position >= this.#segmentBytes && !(await this.#nextSegment())) return false
    const file = (this.#file ??= await this.#openFile(this.#path()))
    const framed = frameRecords(records, this.#position, this.#crc, crc32)
    if (!(await writeWhole(file, framed.bytes, this.#position))) return false
    this.#position += framed.bytes.length
    this.#total += framed.bytes.length
    this.#crc = framed.crc
    return true
  }

  async #nextSegment(): Promise<boolean> {
    const made = await createSegment(this.#folder, this.#identity, this.#segment + 1, this.#crc, this.#openFile)
    if (made === null) return false
    await this.#file?.close()
    this.#file = made.file
    this.#segment++
    this.#position = made.position
    this.#crc = made.crc
    this.#total += made.position
    return true
  }

  #setFull(full: boolean): void {
    if (this.#full === full) return
    this.#full = full
    this.#events.full(full)
  }

  #fail(reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#events.fatal(reason)
  }

  #path(): string {
    return segmentPath(this.#folder, this.#segment)
  }
}

function removeFile(path: string): Promise<void> {
  return rm(path, { force: true })
}

export function segmentPath(folder: string, segment: number): string {
  return join(folder, segmentName(segment))
}

/** Makes a segment with its title, synced, its name too; null if the disk is full. */
export async function createSegment(
  folder: string,
  identity: Identity,
  segment: number,
  previous: number,
  openFile: OpenFile,
): Promise<{ readonly file: WalFile; readonly position: number; readonly crc: number } | null> {
  const framed = beginSegment(identity, segment, previous, crc32)
  let file: WalFile
  try {
    file = await openFile(segmentPath(folder, segment))
  } catch (error) {
    if (isFull(error)) return null
    throw error
  }
  if (!(await writeWhole(file, framed.bytes, 0))) {
    await file.close()
    return null
  }
  await file.sync()
  await syncFolder(folder)
  return { file, position: framed.bytes.length, crc: framed.crc }
}

/** A new name is durable only once its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Opens for writing at any offset, creates if need be. Each write is synced by the kernel (O_DSYNC). */
export async function openWalFile(path: string): Promise<WalFile> {
  const handle: FileHandle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC, 0o600)
  return {
    write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
    sync: () => handle.datasync(),
    cut: (size) => handle.truncate(size),
    close: () => handle.close(),
  }
}

/** False if the disk is full; what was written of it is cut off again. */
async function writeWhole(file: WalFile, bytes: Uint8Array, position: number): Promise<boolean> {
  let written = 0
  try {
    while (written < bytes.length) written += await file.write(bytes.subarray(written), position + written)
    return true
  } catch (error) {
    if (!isFull(error)) throw error
    await file.cut(position)
    return false
  }
}

function isFull(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOSPC' || code === 'EDQUOT'
}
