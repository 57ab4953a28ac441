// The log in memory (etcd's raftLog): whole from index 1, or from where it was compacted. It knows what is committed, what was
// handed out to be applied and what is applied; what is on disk is persistence.ts's.
//
//     1 .... purged .... snapshot .... applied .... handed out .... commit .... last
//     | gone   | may be purged | kept   | being applied | waiting      | may be replaced |

import { assert, must } from '../base/assert.ts'
import type { Index, Term } from '../base/brand.ts'
import { index, term } from '../base/brand.ts'
import type { RaftEntry, SnapshotMetadata } from './message.ts'

/** What an entry is beside its data, in every bound on bytes: so that empty ones count too. */
export const ENTRY_OVERHEAD = 32

/** What an entry counts for in every bound on bytes. */
export function entryBytes(entry: RaftEntry): number {
  return entry.data.length + ENTRY_OVERHEAD
}

export class RaftLog {
  /** Invariant: the entry at place i has index purged + i + 1; terms never fall. */
  #entries: RaftEntry[]
  /** Up to here entries are gone. Invariant: purged <= snapshot <= applied <= handed out <= commit <= last; none falls. */
  #purged: Index
  #purgedTerm: Term
  /** The newest snapshot of the state machine; null = none. */
  #snapshot: SnapshotMetadata | null
  #commit: Index
  #handedOut: Index
  #applied: Index
  /** Committed entries count as applied when they are handed out. */
  readonly #appliesAtOnce: boolean

  /** `entries` follow the snapshot, or index 0. */
  constructor(
    entries: readonly RaftEntry[],
    commit: Index,
    snapshot: SnapshotMetadata | null = null,
    appliesAtOnce = true,
  ) {
    this.#entries = [...entries]
    this.#snapshot = snapshot
    this.#purged = snapshot?.index ?? index(0)
    this.#purgedTerm = snapshot?.term ?? term(0)
    this.#commit = index(Math.max(commit, this.#purged))
    this.#handedOut = this.#purged
    this.#applied = this.#purged
    this.#appliesAtOnce = appliesAtOnce
  }

  /** The state machine starts with what it has applied already. */
  startAt(applied: Index): void {
    if (applied <= this.#applied) return
    this.#applied = applied
    this.#handedOut = applied
    if (this.#commit < applied) this.#commit = applied
  }

  get last(): Index {
    return index(this.#purged + this.#entries.length)
  }

  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? this.#purgedTerm
  }

  /** The first index whose entry is here, or would be. */
  get first(): Index {
    return index(this.#purged + 1)
  }

  get snapshot(): SnapshotMetadata | null {
    return this.#snapshot
  }

  get commit(): Index {
    return this.#commit
  }

  get applied(): Index {
    return this.#applied
  }

  /** The last index handed out to be applied. */
  get handedOut(): Index {
    return this.#handedOut
  }

  /** The term at `at`: 0 before the first entry, null beyond the last or where it was purged. */
  termAt(at: Index): Term | null {
    if (at === this.#purged) return this.#purgedTerm
    return this.#entries[at - this.#purged - 1]?.term ?? null
  }

  entryAt(at: Index): RaftEntry {
    return must(this.#entries[at - this.#purged - 1], 'the log has this index')
  }

  /** Paper 5.4.1: a log is at least as up to date as ours if its last term is larger, or equal and it is not shorter. */
  isUpToDate(lastIndex: Index, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.last)
  }

  /** The first of `entries` that this log doesn't have, or null. Entries before it agree: one that is absent here, or has
   * another term. What was purged was committed, so it agrees. */
  firstMissing(entries: readonly RaftEntry[]): RaftEntry | null {
    return entries.find((entry) => entry.index > this.#purged && this.termAt(entry.index) !== entry.term) ?? null
  }

  /** The largest index at or below `at` whose term is at most `limit`: two logs can't agree between it and `at`, if the
   * other log has term `limit` at `at` (paper 5.3, end). Terms never fall, so it is found by halving. Where entries are purged,
   * terms are unknown: the answer is never below the last purged index, unless `at` is. */
  lastWithTermAtMost(at: Index, limit: Term): Index {
    if (at <= this.#purged) return at
    let low: number = this.#purged
    let high = Math.min(at, this.last)
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.entryAt(index(middle)).term <= limit) low = middle
      else high = middle - 1
    }
    return index(low)
  }

  append(entries: readonly RaftEntry[]): void {
    for (const entry of entries) {
      assert(entry.index === this.last + 1, 'the log is contiguous')
      assert(entry.term >= this.lastTerm, 'terms never fall')
      this.#entries.push(entry)
    }
  }

  /** Removes the entry at `from` and all after it (paper 5.3: a conflict with the leader's log). */
  truncate(from: Index): void {
    assert(from > this.#commit, 'what is committed is never removed')
    this.#entries.length = from - this.#purged - 1
  }

  commitTo(to: Index): void {
    assert(to <= this.last, 'a commit beyond the last entry: this log lost what it had acknowledged')
    if (to > this.#commit) this.#commit = to
  }

  /** From `from` on, at most `count` entries and `bytes`, but at least one if there is one up to `to`. */
  slice(from: Index, to: Index, count: number, bytes: number): readonly RaftEntry[] {
    let end = from - 1
    let total = 0
    const stop = Math.min(to, from - 1 + count)
    while (end < stop) {
      total += entryBytes(this.entryAt(index(end + 1)))
      if (total > bytes && end >= from) break
      end++
    }
    return this.#entries.slice(from - this.#purged - 1, end - this.#purged)
  }

  /** From `from` to the end. */
  tail(from: Index): readonly RaftEntry[] {
    return from > this.last ? [] : this.#entries.slice(Math.max(0, from - this.#purged - 1))
  }

  /** `entryBytes` of the entries above `from` up to `to`. */
  bytesBetween(from: Index, to: Index): number {
    let total = 0
    for (let at = from + 1; at <= to; at++) total += entryBytes(this.entryAt(index(at)))
    return total
  }

  /** The next committed entries up to `upTo`, each handed out once. Entries that are not applied yet count for `bytes`. */
  takeCommitted(bytes: number, upTo: Index = this.#commit): readonly RaftEntry[] {
    const to = index(Math.min(upTo, this.#commit))
    if (this.#handedOut >= to) return []
    const waiting = this.bytesBetween(this.#applied, this.#handedOut)
    if (waiting > 0 && waiting + entryBytes(this.entryAt(index(this.#handedOut + 1))) > bytes) return []
    const entries = this.slice(index(this.#handedOut + 1), to, Number.POSITIVE_INFINITY, bytes - waiting)
    this.#handedOut = index(this.#handedOut + entries.length)
    if (this.#appliesAtOnce) this.#applied = this.#handedOut
    return entries
  }

  appliedTo(at: Index): void {
    assert(at <= this.#handedOut, 'only what was handed out is applied')
    if (at > this.#applied) this.#applied = at
  }

  /** The state machine has a snapshot of its state at `snapshot.index`. */
  snapshotTaken(snapshot: SnapshotMetadata): void {
    assert(snapshot.index <= this.#applied, 'only what is applied is in a snapshot')
    if (snapshot.index > (this.#snapshot?.index ?? 0)) this.#snapshot = snapshot
  }

  /** Removes the entries up to `to`: the snapshot has them. */
  compact(to: Index): void {
    assert(to <= (this.#snapshot?.index ?? 0), 'only what a snapshot has is purged')
    if (to <= this.#purged) return
    const kept = this.tail(index(to + 1))
    this.#purgedTerm = must(this.termAt(to), 'the log has what it purges')
    this.#purged = to
    this.#entries = [...kept]
  }

  /** A leader's snapshot takes the log's place, and the state machine's. */
  restore(snapshot: SnapshotMetadata): void {
    assert(snapshot.index > this.#commit, 'a snapshot of what is committed already restores nothing')
    this.#entries = []
    this.#purged = snapshot.index
    this.#purgedTerm = snapshot.term
    this.#snapshot = snapshot
    this.#commit = snapshot.index
    this.#handedOut = snapshot.index
    this.#applied = snapshot.index
  }
}
