// One replica's disk: segments of a log and snapshots as the shipping code frames them, which remember what was synced. A crash
// keeps that, and of the one write that was under way a part; damage changes what lies there. At a start the shipping code
// reads the bytes back and judges them (src/wire/recovery.ts, snapshot-file.ts); what it makes of them is compared with what
// was written.

import type { Life, ReplicaId } from '../src/base/brand.ts'
import { must } from '../src/base/assert.ts'
import { equalBytes } from '../src/base/bytes.ts'
import { beginSegment, isSegmentName, nextLife, recoverLog, segmentName } from '../src/wire/recovery.ts'
import type { FolderOwner, LogEnd, RecoveredLog } from '../src/wire/recovery.ts'
import { frameRecords, HEAD_BYTES, readRecords, SECTOR } from '../src/wire/segment.ts'
import { chooseSnapshot } from '../src/wire/snapshot-file.ts'
import type { SnapshotMetadata } from '../src/raft/message.ts'
import { crc32 } from './crc32.ts'
import { DiskSnapshots, readSnapshot } from './disk-snapshots.ts'
import type { ReadSnapshot } from './disk-snapshots.ts'
import type { Damage, Tail } from './fault.ts'

export type Opened =
  | {
      readonly kind: 'opened'
      readonly life: Life
      readonly start: number
      readonly snapshot: ReadSnapshot | null
      readonly records: readonly Uint8Array[]
    }
  /** It does not start, and says why; whether that is right. */
  | { readonly kind: 'refused'; readonly reason: string; readonly isRight: boolean }
  /** The shipping code made of the bytes what they don't say. */
  | { readonly kind: 'wrong'; readonly text: string }

interface Segment {
  readonly number: number
  /** The file, write by write. */
  writes: Uint8Array[]
  size: number
  /** Where its last two writes began. */
  lastWrite: number
  previousWrite: number
  /** How many records it holds. */
  records: number
}

interface File {
  readonly name: string
  readonly bytes: Uint8Array
}

export class Disk {
  readonly #incarnation: string
  /** The incarnations of its peers, remembered in the folder beside the log. */
  readonly known = new Map<number, string>()
  readonly snapshots: DiskSnapshots
  #set = ''
  #replica = 0
  #isFull = false
  #damage:
    | { readonly what: 'flipped'; readonly name: string; readonly place: number; readonly bit: number }
    | { readonly what: 'gone' }
    | null = null
  #segments: Segment[] = []
  #crc = 0
  #syncedSize = 0
  /** Of the segments that a start reads. */
  #records: Uint8Array[] = []
  #synced = 0
  /** The last segment that was begun by a rotation. */
  #rotated = 1

  constructor(incarnation: string) {
    this.#incarnation = incarnation
    this.snapshots = new DiskSnapshots(() => ({ set: this.#set, replica: this.#replica, incarnation }))
  }

  /** Every record, synced or not, in the order of writing: what an undamaged disk would read back now. */
  get records(): readonly Uint8Array[] {
    return this.#records
  }

  /** How many records survive any crash. */
  get synced(): number {
    return this.#synced
  }

  get isDamaged(): boolean {
    return this.#damage !== null
  }

  get isFull(): boolean {
    return this.#isFull
  }

  set isFull(is: boolean) {
    this.#isFull = is
  }

  /** A process starts on it: what the shipping code recovers, and a new life, which is durable at once. */
  open(set: string, replica: ReplicaId, hasRun: boolean): Opened {
    this.#set = set
    this.#replica = replica
    const owner: FolderOwner = { set, replica, hasRun }
    const { isDamaged } = this
    const refused = (reason: string): Opened => ({ kind: 'refused', reason, isRight: isDamaged })
    const files = this.#readFiles()
    const { newest, leftovers } = chooseSnapshot(files.map(({ name }) => name))
    const file = files.find(({ name }) => name === newest?.name)
    const snapshot = file === undefined ? null : readSnapshot(file.bytes, owner)
    if (snapshot !== null && !snapshot.ok) return refused(`${must(newest, 'a file').name}: ${snapshot.error}`)
    const segments = files.filter(({ name }) => isSegmentName(name))
    const recovered = recoverLog(`replica-${replica}`, segments, owner, crc32, newest?.segment)
    if (!recovered.ok) return refused(recovered.error)
    if (isDamaged) return { kind: 'wrong', text: 'its disk is damaged, and it starts' }
    const old = recovered.value
    const wrong = this.snapshots.misread(snapshot?.value ?? null) ?? (old === null ? null : this.#misread(old.records))
    if (wrong !== null) return { kind: 'wrong', text: wrong }
    if (this.#isFull) return { kind: 'refused', reason: `the disk of replica ${replica} is full`, isRight: true }
    for (const name of leftovers) this.snapshots.remove(name)
    if (old === null) this.#begin()
    else this.#goOn(old)
    const identity = old?.end.identity ?? { set, replica, incarnation: this.#incarnation }
    const records = this.#records.map((record) => record.slice())
    const { life, start, record } = nextLife(identity, records)
    this.write([record])
    this.sync()
    return { kind: 'opened', life, start, snapshot: snapshot?.value ?? null, records }
  }

  /** One write of these records; it may follow the one before only once that is synced. `rotate`: into a new segment. */
  write(records: readonly Uint8Array[], rotate = false): void {
    if (rotate) this.#rotate()
    const segment = this.#last()
    const framed = frameRecords(records, segment.size, this.#crc, crc32)
    segment.previousWrite = segment.lastWrite
    segment.lastWrite = segment.size
    segment.writes.push(framed.bytes)
    segment.size += framed.bytes.length
    segment.records += records.length
    this.#crc = framed.crc
    // Copies: a writer that reuses its buffer must not reach into the disk.
    for (const record of records) this.#records.push(record.slice())
  }

  /** What was written is durable. */
  sync(): void {
    this.#synced = this.#records.length
    this.#syncedSize = this.#last().size
    this.#rotated = Math.max(this.#rotated, this.#segments.at(-1)?.number ?? 1)
  }

  /** The snapshot that was written gets its name: a crash may still take it back. What it is of. */
  nameSnapshot(): SnapshotMetadata {
    return this.snapshots.name(this.#rotated)
  }

  /** The name is durable: a start goes on from it. How many records are of no use any more. */
  settleSnapshot(): number {
    return this.#forget(this.snapshots.settle())
  }

  /** One file that is of no use any more goes; false if there is none. */
  tidy(): boolean {
    const first = this.snapshots.segment
    const old = this.#segments.find(({ number }) => number < first)
    this.#segments = this.#segments.filter((segment) => segment !== old)
    return old !== undefined || this.snapshots.tidy()
  }

  /** Bytes of all its files. */
  get size(): number {
    return this.#segments.reduce((sum, { size }) => sum + size, this.snapshots.size)
  }

  /** Of the write that was not synced `tail` stays; `share`, per million, says which part. What survives a crash survives
   * all later ones: the next start syncs its own record behind it. How many unsynced records can be read back. */
  crash(tail: Tail, share: number): number {
    const first = this.snapshots.crash((share & 1) === 1)
    this.#forget(first)
    const before = this.#synced
    const last = this.#segments.at(-1)
    if (last === undefined) return 0
    const file = joined(last)
    const [cutAt, hole] = this.#remains(tail, share)
    const missing = hole === null ? null : file.subarray(hole, (Math.floor(hole / SECTOR) + 1) * SECTOR)
    // What looks like one flipped bit is refused by a start, and must be.
    if (missing !== null && setBits(missing) > 1) missing.fill(0)
    const rest = file.subarray(0, cutAt)
    last.writes = [rest]
    last.size = rest.length
    this.#syncedSize = rest.length
    // The first is the file's title. What was synced must be there; that it is read back is the start's affair.
    const inOthers = this.#records.length - last.records
    const readable = Math.max(before, inOthers + readRecords(rest, crc32).payloads.length - 1)
    this.#records = this.#records.slice(0, readable)
    last.records = readable - inOthers
    this.#synced = this.#records.length
    return readable - before
  }

  /** Where the last file ends after a crash, and where it has a hole. */
  #remains(tail: Tail, share: number): readonly [number, number | null] {
    const { size } = this.#last()
    const unsynced = this.#records.slice(this.#synced)
    const of = (whole: number): number => Math.floor((whole * share) / 1_000_000)
    const sizes = unsynced.map((record) => HEAD_BYTES + record.length)
    const end = (count: number): number => sizes.slice(0, count).reduce((sum, one) => sum + one, this.#syncedSize)
    if (sizes.length === 0) return [size, null]
    switch (tail) {
      case 'kept':
        return [size, null]
      case 'part':
        return [end(of(sizes.length + 1)), null]
      case 'lost': {
        // A segment that was being made may not even have its title.
        const isNew = this.#last().records === sizes.length && this.#segments.length > 1
        return [isNew && (share & 2) === 2 ? of(this.#syncedSize) : this.#syncedSize, null]
      }
      case 'torn':
        return [end(sizes.length - 1) + 1 + of(must(sizes.at(-1), 'a record') - 1), null]
      case 'holed': {
        const first = Math.floor(this.#syncedSize / SECTOR)
        const sectors = Math.floor((size - 1) / SECTOR) - first + 1
        return [size, Math.max(this.#syncedSize, (first + of(sectors)) * SECTOR)]
      }
    }
  }

  /** Of a process that is dead. `share`, per million, says where; false if there is nothing yet to be damaged. */
  damage(what: Exclude<Damage['what'], 'swapped'>, share: number): boolean {
    const places = this.#solid()
    const bytes = places.reduce((sum, { size }) => sum + size, 0)
    if (bytes === 0) return false
    if (what === 'gone') {
      this.#damage = { what }
      return true
    }
    let place = Math.floor((bytes * share) / 1_000_000)
    for (const { name, size } of places) {
      if (place < size) {
        this.#damage = { what, name, place, bit: 1 << (share & 7) }
        break
      }
      place -= size
    }
    return true
  }

  mend(): void {
    this.#damage = null
  }

  /** What a start reads, up to the last writes: whether a wrong bit of those was ever written right, nobody can tell. */
  #solid(): readonly { readonly name: string; readonly size: number }[] {
    const first = this.snapshots.segment
    const read = this.#segments.filter(({ number }) => number >= first)
    return [
      ...this.snapshots.solid(),
      ...read.map((segment) => ({
        name: segmentName(segment.number),
        size: segment === read.at(-1) ? segment.previousWrite : segment.size,
      })),
    ]
  }

  #readFiles(): readonly File[] {
    const damage = this.#damage
    if (damage?.what === 'gone') return []
    const segments = this.#segments.map((segment) => ({ name: segmentName(segment.number), bytes: joined(segment) }))
    const files = [...segments, ...this.snapshots.files()]
    const hit = files.find(({ name }) => name === damage?.name)
    if (hit !== undefined && damage !== null) {
      hit.bytes[damage.place] = (hit.bytes[damage.place] as number) ^ damage.bit
    }
    return files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  #last(): Segment {
    return must(this.#segments.at(-1), 'a segment')
  }

  #begin(): void {
    const title = this.#title(1, 0)
    this.#segments = [{ number: 1, writes: [title], size: title.length, lastWrite: 0, previousWrite: 0, records: 0 }]
  }

  /** The title is synced before anything is written behind it. */
  #rotate(): void {
    const number = this.#last().number + 1
    const title = this.#title(number, this.#crc)
    this.#segments.push({ number, writes: [title], size: title.length, lastWrite: 0, previousWrite: 0, records: 0 })
    this.#syncedSize = title.length
  }

  #title(segment: number, previous: number): Uint8Array {
    const identity = { set: this.#set, replica: this.#replica, incarnation: this.#incarnation }
    const title = beginSegment(identity, segment, previous, crc32)
    this.#crc = title.crc
    return title.bytes
  }

  /** The records of the segments below `first`. How many. */
  #forget(first: number): number {
    let dropped = 0
    for (const segment of this.#segments) {
      if (segment.number >= first) break
      dropped += segment.records
      segment.records = 0
    }
    this.#records = this.#records.slice(dropped)
    this.#synced -= dropped
    return dropped
  }

  #goOn({ end, repairs, records }: RecoveredLog): void {
    for (const { kind, name } of repairs) {
      if (kind === 'remove') this.#segments = this.#segments.filter(({ number }) => segmentName(number) !== name)
    }
    this.#cut(end)
    this.#rotated = end.segment
    this.#records = records.map((record) => record.slice())
  }

  #cut({ position, crc }: LogEnd): void {
    const last = this.#last()
    last.writes = [joined(last).slice(0, position)]
    last.lastWrite = Math.min(last.lastWrite, last.previousWrite)
    last.size = position
    this.#crc = crc
  }

  /** Whether all that survived was read back, and nothing else; null if so. */
  #misread(records: readonly Uint8Array[]): string | null {
    if (records.length !== this.#records.length) {
      return `its log reads back ${records.length} records; ${this.#records.length} were written and survived`
    }
    const at = records.findIndex((record, i) => !equalBytes(record, must(this.#records[i], 'a record')))
    return at < 0 ? null : `record ${at + 1} of its log reads back otherwise than it was written`
  }
}

function joined({ writes, size }: Segment): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const write of writes) {
    bytes.set(write, at)
    at += write.length
  }
  return bytes
}

function setBits(bytes: Uint8Array): number {
  let count = 0
  for (const byte of bytes) for (let rest = byte; rest > 0; rest &= rest - 1) count++
  return count
}
