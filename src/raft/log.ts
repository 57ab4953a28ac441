// The log in memory, whole from index 1. It knows what is committed and what was handed out to be applied; what is on disk
// is persistence.ts's.
//
//     1 ......... applied ......... commit ......... last
//     | handed out | committed, waiting | may be replaced |

import { assert, must } from '../base/assert.ts'
import type { Index, Term } from '../base/brand.ts'
import { index, term } from '../base/brand.ts'
import type { RaftEntry } from './message.ts'

/** What an entry is beside its data, in every bound on bytes: so that empty ones count too. */
export const ENTRY_OVERHEAD = 32

/** What an entry counts for in every bound on bytes. */
export function entryBytes(entry: RaftEntry): number {
  return entry.data.length + ENTRY_OVERHEAD
}

export class RaftLog {
  /** Invariant: the entry at place i has index i + 1; terms never fall. */
  readonly #entries: RaftEntry[]
  /** Invariant: applied <= commit <= last; none falls. */
  #commit: Index
  #applied = index(0)

  constructor(entries: readonly RaftEntry[], commit: Index) {
    this.#entries = [...entries]
    this.#commit = commit
  }

  get last(): Index {
    return index(this.#entries.length)
  }

  get lastTerm(): Term {
    return this.#entries.at(-1)?.term ?? term(0)
  }

  get commit(): Index {
    return this.#commit
  }

  get applied(): Index {
    return this.#applied
  }

  /** The term at `at`: 0 before the first entry, null beyond the last. */
  termAt(at: Index): Term | null {
    if (at === 0) return term(0)
    return this.#entries[at - 1]?.term ?? null
  }

  entryAt(at: Index): RaftEntry {
    return must(this.#entries[at - 1], 'the log has this index')
  }

  /** Paper 5.4.1: a log is at least as up to date as ours if its last term is larger, or equal and it is not shorter. */
  isUpToDate(lastIndex: Index, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.last)
  }

  /** The first of `entries` that this log doesn't have, or null. Entries before it agree: one that is absent here, or has
   * another term. */
  firstMissing(entries: readonly RaftEntry[]): RaftEntry | null {
    return entries.find((entry) => this.termAt(entry.index) !== entry.term) ?? null
  }

  /** The largest index at or below `at` whose term is at most `limit`: two logs can't agree between it and `at`, if the
   * other log has term `limit` at `at` (paper 5.3, end). Terms never fall, so it is found by halving. */
  lastWithTermAtMost(at: Index, limit: Term): Index {
    let low = 0
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
    this.#entries.length = from - 1
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
    return this.#entries.slice(from - 1, end)
  }

  /** From `from` to the end. */
  tail(from: Index): readonly RaftEntry[] {
    return from > this.last ? [] : this.#entries.slice(from - 1)
  }

  /** `entryBytes` of the entries above `from` up to `to`. */
  bytesBetween(from: Index, to: Index): number {
    let total = 0
    for (let at = from + 1; at <= to; at++) total += entryBytes(this.entryAt(index(at)))
    return total
  }

  /** The next committed entries, each handed out once. */
  takeCommitted(bytes: number): readonly RaftEntry[] {
    if (this.#applied === this.#commit) return []
    const entries = this.slice(index(this.#applied + 1), this.#commit, Number.POSITIVE_INFINITY, bytes)
    this.#applied = index(this.#applied + entries.length)
    return entries
  }
}
