// What one replica's disk says, followed record by record: the log as written, and the part of it that survives a crash.
// Read from the bytes, so that a replica's own opinion of its disk is never taken for the disk.

import { must } from '../../src/base/assert.ts'
import { mixBytes } from '../../src/base/hash.ts'
import type { RaftEntry } from '../../src/raft/message.ts'
import { decodeRecord } from '../../src/wire/codec.ts'
import type { DiskRecord } from '../../src/wire/record.ts'
import type { Disk } from '../disk.ts'

/** An entry as the log's invariants know it. */
export interface LoggedEntry {
  readonly term: number
  readonly hash: number
  readonly entry: RaftEntry
}

interface View {
  term: number
  vote: number | null
  /** By index - 1. */
  entries: LoggedEntry[]
}

export class LogMirror {
  #parsed: DiskRecord[] = []
  #written: View = viewOf([])
  #durable: View = viewOf([])
  #durableRecords = 0
  /** By term, how far the log on disk ever reached in it. */
  readonly #reached = new Map<number, number>()
  /** What the snapshot has that the disk goes on from: a full replay up to its index. */
  #base: readonly LoggedEntry[] = []

  get written(): Readonly<View> {
    return this.#written
  }

  /** What would be read back if the machine lost its power now. */
  durable(disk: Disk): Readonly<View> {
    while (this.#durableRecords < Math.min(disk.synced, this.#parsed.length)) {
      take(this.#durable, must(this.#parsed[this.#durableRecords], 'a parsed record'))
      this.#durableRecords++
      const { term, entries } = this.#durable
      this.#reached.set(term, Math.max(this.#reached.get(term) ?? 0, entries.length))
    }
    return this.#durable
  }

  /** How much of the log an acknowledgement of that term may speak of. One of an earlier term is a word of the past: what waited for
   * room on a full disk is written and synced together, and a later term's entries may have cut off by then what it speaks of. */
  reachedIn(term: number, disk: Disk): number {
    const durable = this.durable(disk)
    return durable.term === term ? durable.entries.length : (this.#reached.get(term) ?? 0)
  }

  /** Records are about to be written; what is wrong with them, or null. `commit`: what may never be written anew, `rotate`: but
   * as it was, since a new segment needs nothing of those before. */
  write(
    records: readonly Uint8Array[],
    commit: number,
    rotate: boolean,
    onEntry: (entry: RaftEntry) => void,
  ): string | null {
    for (const bytes of records) {
      const record = decodeRecord(bytes)
      if (!record.ok) return `a record can't be read back: ${record.error}`
      const wrong = rotate && this.#isRepeated(record.value) ? null : this.#wrong(record.value, commit)
      if (wrong !== null) return wrong
      this.#parsed.push(record.value)
      take(this.#written, record.value)
      if (record.value.kind === 'entry') onEntry(record.value.entry)
    }
    return null
  }

  /** From now on the disk's log is a snapshot and what follows its oldest records: "snapshot + suffix = full replay". */
  goOnFrom(base: readonly LoggedEntry[], dropped: number): void {
    this.#base = base
    this.#parsed = this.#parsed.slice(dropped)
    this.#written = viewOf(base)
    for (const record of this.#parsed) take(this.#written, record)
    this.#durable = viewOf(base)
    this.#durableRecords = 0
  }

  /** After a crash or a start: what the disk holds is all there is. */
  reread(disk: Disk): void {
    this.#parsed = []
    this.#written = viewOf(this.#base)
    this.#durable = viewOf(this.#base)
    this.#durableRecords = 0
    for (const bytes of disk.records) {
      const record = decodeRecord(bytes)
      if (!record.ok) continue
      this.#parsed.push(record.value)
      take(this.#written, record.value)
    }
  }

  #isRepeated(record: DiskRecord): boolean {
    if (record.kind !== 'entry') return false
    const { index, term, data } = record.entry
    const known = this.#written.entries[index - 1]
    return known !== undefined && known.term === term && known.hash === mixBytes(index, data).low
  }

  #wrong(record: DiskRecord, commit: number): string | null {
    if (record.kind === 'state' && record.state.term < this.#written.term) return 'its term on disk falls'
    if (record.kind === 'state' && record.state.term === this.#written.term) {
      const { vote } = this.#written
      return vote === null || record.state.vote === vote
        ? null
        : `its vote in term ${this.#written.term} changes on disk`
    }
    if (record.kind !== 'entry') return null
    const { index, term } = record.entry
    const { entries } = this.#written
    if (index > entries.length + 1) return `entry ${index} leaves a gap after ${entries.length}`
    const before = entries[index - 1]
    if (before === undefined) return null
    if (index <= commit) return `entry ${index} is written anew although ${commit} is committed`
    // Raft paper, figure 3.1, AppendEntries 3: only a conflict of terms truncates.
    return before.term === term ? `entry ${index} of term ${term} is written anew without a conflict` : null
  }
}

function viewOf(base: readonly LoggedEntry[]): View {
  return { term: 0, vote: null, entries: [...base] }
}

function take(view: View, record: DiskRecord): void {
  if (record.kind === 'state') {
    view.term = record.state.term
    view.vote = record.state.vote
  } else if (record.kind === 'entry') {
    const { entry } = record
    // A rotation writes it again, as it was.
    if (view.entries[entry.index - 1]?.term === entry.term) return
    view.entries.length = Math.min(view.entries.length, entry.index - 1)
    view.entries.push({ term: entry.term, hash: mixBytes(entry.index, entry.data).low, entry })
  }
}
