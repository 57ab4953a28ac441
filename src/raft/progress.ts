// A leader's view of one follower (etcd's tracker.Progress; thesis 10.2.2 for the pipeline).
//
//                     rejected: next falls to the hint
//                        .----.
//                        |    v         acknowledged: match rises
//      becomeLeader --> [ probe ] ------------------------------> [ replicate ] --.
//                          ^                                        |     ^       | acknowledged
//                          '----------------------------------------'     '-------'
//                              rejected: an append was lost
//
//      probe:     one append until its answer, or until a heartbeat's answer shows that it may be lost
//      replicate: appends follow one another without answers, at most maxInflight of them with entries
//      snapshot:  from probe or replicate, when the log is purged where the follower's next entry was. Nothing is sent until the
//                 follower has what the log begins with, or the caller says that the snapshot didn't arrive: then it probes

import { unreachable } from '../base/assert.ts'
import type { Index } from '../base/brand.ts'
import { index } from '../base/brand.ts'
import type { Duration, Instant } from '../base/instant.ts'
import { between, instant } from '../base/instant.ts'
import { Inflights } from './inflights.ts'

/** Before every instant. */
export const NEVER: Instant = instant(Number.NEGATIVE_INFINITY)

export type ProgressState = 'probe' | 'replicate' | 'snapshot'

export class Progress {
  #state: ProgressState = 'probe'
  /** Invariant: match < next <= the leader's last + 1. */
  #match = index(0)
  #next: Index
  /** Unacknowledged appends with entries. Invariant: none without `replicate`. */
  readonly #inflights: Inflights
  /** The snapshot on its way. Invariant: 0 but in `snapshot`. */
  #pendingSnapshot = index(0)
  /** An append must go even if it is empty: a probe, a new commit index, or a check whether the last one arrived. */
  #due = false
  /** Invariant: only in `probe`. */
  #probing = false
  #sentCommit = index(0)
  /** With lazy commits: the follower is told the commit index at once up to here, and later only with what it gets anyway. */
  #tell = index(0)
  #sentAt = NEVER
  /** When this follower's last answer in this term came; `NEVER` = none, or its process is known dead. */
  heard: Instant = NEVER
  /** The latest heartbeat round it answered: the time that round was made. */
  round: Instant = NEVER

  constructor(next: Index, maxInflight: number, maxInflightBytes: number = Number.POSITIVE_INFINITY) {
    this.#next = next
    this.#inflights = new Inflights(maxInflight, maxInflightBytes)
  }

  get state(): ProgressState {
    return this.#state
  }

  get pendingSnapshot(): Index {
    return this.#pendingSnapshot
  }

  get match(): Index {
    return this.#match
  }

  get next(): Index {
    return this.#next
  }

  get inflight(): number {
    return this.#inflights.count
  }

  get inflightBytes(): number {
    return this.#inflights.bytes
  }

  /** Whether entries may be sent now. */
  get open(): boolean {
    switch (this.#state) {
      case 'probe':
        return !this.#probing
      case 'replicate':
        return !this.#inflights.full
      case 'snapshot':
        return false
      default:
        return unreachable(this.#state)
    }
  }

  /** The follower waits for the commit index to reach `at`. */
  tellCommit(at: Index): void {
    if (at > this.#tell) this.#tell = at
  }

  /** Whether an append without entries should be sent now. */
  wantsEmpty(commit: Index, lazyCommit: boolean): boolean {
    if (this.#state !== 'replicate') return this.open
    return this.#due || (this.#sentCommit < commit && (!lazyCommit || this.#sentCommit < this.#tell))
  }

  /** An append with entries up to `last` (or without any, `last` = next - 1), of so many `entryBytes`, and `commit` was sent. */
  sent(last: Index, commit: Index, now: Instant, bytes = 0): void {
    this.#due = false
    this.#sentAt = now
    this.#sentCommit = commit
    if (this.#state === 'probe') {
      this.#probing = true
      return
    }
    if (last < this.#next) return
    this.#inflights.add(last, bytes)
    this.#next = index(last + 1)
  }

  /** A snapshot up to `at` is on its way. */
  sentSnapshot(at: Index): void {
    this.#become('snapshot', index(Math.max(at, this.#match) + 1))
    this.#pendingSnapshot = at
  }

  /** The caller says how the way of the snapshot ended. If it arrived, its acknowledgement tells; it is waited for as a probe's.
   */
  snapshotDone(arrived: boolean): void {
    if (this.#state !== 'snapshot') return
    const next = index(Math.max(this.#match, arrived ? this.#pendingSnapshot : 0) + 1)
    this.#become('probe', next)
    this.#probing = arrived
  }

  /** The follower's log matches up to `at`, and this leader's log begins at `first`. Whether the match was news. */
  acknowledged(at: Index, first: Index = index(1)): boolean {
    const news = at > this.#match
    if (news) this.#match = at
    if (this.#next <= at) this.#next = index(at + 1)
    // From the follower's next entry on the log has all: no matter which snapshot brought it so far.
    const arrived = this.#state === 'snapshot' && this.#match + 1 >= first
    if (arrived || (this.#state === 'probe' && at === this.#match)) this.#become('replicate', index(this.#match + 1))
    this.#inflights.freeTo(at)
    return news
  }

  /** The follower had no match at `at`; the logs may agree at `hint`. An answer to something else is ignored. */
  rejected(at: Index, hint: Index): void {
    if (at <= this.#match || this.#state === 'snapshot') return
    if (this.#state === 'replicate') {
      this.#become('probe', index(this.#match + 1))
      return
    }
    if (at !== this.#next - 1) return
    this.#become('probe', index(Math.max(Math.min(at, hint + 1), this.#match + 1)))
  }

  /** What was sent may be lost: it is asked for again, one append at a time. */
  reportUnreachable(): void {
    if (this.#state === 'replicate') this.#become('probe', index(this.#match + 1))
  }

  /** A heartbeat round made at `round` was answered. If the last append was sent so long before it (`patience`, which leaves
   * it the time of a disk) and isn't acknowledged yet, it may be lost: another may go. */
  answered(round: Instant, last: Index, patience: Duration): void {
    if (between(this.#sentAt, round) < patience) return
    this.#probing = false
    if (this.#match < last) this.#due = true
  }

  #become(state: ProgressState, next: Index): void {
    this.#state = state
    this.#next = next
    this.#probing = false
    this.#pendingSnapshot = index(0)
    this.#inflights.reset()
  }
}
