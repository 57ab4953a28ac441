// One replica's disk: a log file as the shipping code frames it, which remembers what was synced. A crash keeps that, and of
// the one write that was under way a part; damage changes what lies there. At a start the shipping code reads the bytes back
// and judges them (src/wire/recovery.ts); what it makes of them is compared with what was written.

import type { Life, ReplicaId } from '../src/base/brand.ts'
import { must } from '../src/base/assert.ts'
import { equalBytes } from '../src/base/bytes.ts'
import { beginSegment, nextLife, recoverLog, segmentName } from '../src/wire/recovery.ts'
import type { FolderOwner, LogEnd } from '../src/wire/recovery.ts'
import { frameRecords, HEAD_BYTES, readRecords, SECTOR } from '../src/wire/segment.ts'
import { crc32 } from './crc32.ts'
import type { Damage, Tail } from './fault.ts'

export type Opened =
  | { readonly kind: 'opened'; readonly life: Life; readonly start: number; readonly records: readonly Uint8Array[] }
  /** It does not start, and says why; whether that is right. */
  | { readonly kind: 'refused'; readonly reason: string; readonly isRight: boolean }
  /** The shipping code made of the bytes what they don't say. */
  | { readonly kind: 'wrong'; readonly text: string }

export class Disk {
  readonly #incarnation: string
  /** The incarnations of its peers, remembered in the folder beside the log. */
  readonly known = new Map<number, string>()
  #isFull = false
  #damage:
    | { readonly what: 'flipped'; readonly place: number; readonly bit: number }
    | { readonly what: 'gone' }
    | null = null
  /** The file, write by write. */
  #writes: Uint8Array[] = []
  #size = 0
  #crc = 0
  #syncedSize = 0
  /** Where the last two writes began. */
  #lastWrite = 0
  #previousWrite = 0
  #records: Uint8Array[] = []
  #synced = 0

  constructor(incarnation: string) {
    this.#incarnation = incarnation
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
    const owner: FolderOwner = { set, replica, hasRun }
    const { isDamaged } = this
    const bytes = this.#readFile()
    const files = bytes === null ? [] : [{ name: segmentName(1), bytes }]
    const recovered = recoverLog(`replica-${replica}`, files, owner, crc32)
    if (!recovered.ok) return { kind: 'refused', reason: recovered.error, isRight: isDamaged }
    if (isDamaged) return { kind: 'wrong', text: 'its disk is damaged, and it starts' }
    const old = recovered.value
    if (old !== null) {
      const wrong = this.#misread(old.records)
      if (wrong !== null) return { kind: 'wrong', text: wrong }
    }
    if (this.#isFull) return { kind: 'refused', reason: `the disk of replica ${replica} is full`, isRight: true }
    if (old === null) this.#begin(set, replica)
    else this.#goOn(bytes ?? new Uint8Array(), old.end, old.records)
    const identity = old?.end.identity ?? { set, replica, incarnation: this.#incarnation }
    const records = this.#records.map((record) => record.slice())
    const { life, start, record } = nextLife(identity, records)
    this.write([record])
    this.sync()
    return { kind: 'opened', life, start, records }
  }

  /** One write of these records; it may follow the one before only once that is synced. */
  write(records: readonly Uint8Array[]): void {
    const framed = frameRecords(records, this.#size, this.#crc, crc32)
    this.#previousWrite = this.#lastWrite
    this.#lastWrite = this.#size
    this.#writes.push(framed.bytes)
    this.#size += framed.bytes.length
    this.#crc = framed.crc
    // Copies: a writer that reuses its buffer must not reach into the disk.
    for (const record of records) this.#records.push(record.slice())
  }

  /** What was written is durable. */
  sync(): void {
    this.#synced = this.#records.length
    this.#syncedSize = this.#size
  }

  /** Of the write that was not synced `tail` stays; `share`, per million, says which part. What survives a crash survives
   * all later ones: the next start syncs its own record behind it. How many unsynced records can be read back. */
  crash(tail: Tail, share: number): number {
    const before = this.#synced
    const file = this.#joined()
    const [cutAt, hole] = this.#remains(tail, share)
    if (hole !== null) file.fill(0, hole, Math.min(file.length, (Math.floor(hole / SECTOR) + 1) * SECTOR))
    const rest = file.subarray(0, cutAt)
    this.#writes = [rest]
    this.#size = rest.length
    this.#syncedSize = rest.length
    // The first is the file's title. What was synced must be there; that it is read back is the start's affair.
    const readable = Math.max(before, readRecords(rest, crc32).payloads.length - 1)
    this.#records = this.#records.slice(0, readable)
    this.#synced = this.#records.length
    return readable - before
  }

  /** Where the file ends after a crash, and where it has a hole. */
  #remains(tail: Tail, share: number): readonly [number, number | null] {
    const unsynced = this.#records.slice(this.#synced)
    const of = (whole: number): number => Math.floor((whole * share) / 1_000_000)
    const sizes = unsynced.map((record) => HEAD_BYTES + record.length)
    const end = (count: number): number => sizes.slice(0, count).reduce((sum, size) => sum + size, this.#syncedSize)
    if (sizes.length === 0) return [this.#size, null]
    switch (tail) {
      case 'kept':
        return [this.#size, null]
      case 'part':
        return [end(of(sizes.length + 1)), null]
      case 'lost':
        return [this.#syncedSize, null]
      case 'torn':
        return [end(sizes.length - 1) + 1 + of(must(sizes.at(-1), 'a record') - 1), null]
      case 'holed': {
        const first = Math.floor(this.#syncedSize / SECTOR)
        const sectors = Math.floor((this.#size - 1) / SECTOR) - first + 1
        return [this.#size, Math.max(this.#syncedSize, (first + of(sectors)) * SECTOR)]
      }
    }
  }

  /** Of a process that is dead. `share`, per million, says where; false if there is nothing yet to be damaged. */
  damage(what: Exclude<Damage['what'], 'swapped'>, share: number): boolean {
    // Before the last writes: whether a wrong bit of those was ever written right, nobody can tell.
    const place = Math.floor((this.#previousWrite * share) / 1_000_000)
    if (this.#previousWrite === 0) return false
    this.#damage = what === 'gone' ? { what } : { what, place, bit: 1 << (share & 7) }
    return true
  }

  mend(): void {
    this.#damage = null
  }

  /** Null if there is no file. */
  #readFile(): Uint8Array | null {
    if (this.#writes.length === 0 || this.#damage?.what === 'gone') return null
    const bytes = this.#joined()
    if (this.#damage?.what === 'flipped') {
      const { place, bit } = this.#damage
      bytes[place] = (bytes[place] as number) ^ bit
    }
    return bytes
  }

  #joined(): Uint8Array {
    const bytes = new Uint8Array(this.#size)
    let at = 0
    for (const write of this.#writes) {
      bytes.set(write, at)
      at += write.length
    }
    return bytes
  }

  #begin(set: string, replica: number): void {
    const title = beginSegment({ set, replica, incarnation: this.#incarnation }, 1, 0, crc32)
    this.#writes = [title.bytes]
    this.#size = title.bytes.length
    this.#crc = title.crc
  }

  #goOn(file: Uint8Array, end: LogEnd, records: readonly Uint8Array[]): void {
    this.#writes = [file.slice(0, end.position)]
    this.#lastWrite = Math.min(this.#lastWrite, this.#previousWrite)
    this.#size = end.position
    this.#crc = end.crc
    this.#records = records.map((record) => record.slice())
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
