// A leader's view of one follower (etcd's tracker.Progress; thesis 10.2.1 for the pipeline).
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

import type { Index } from '../base/brand.ts'
import { index } from '../base/brand.ts'
import type { Duration, Instant } from '../base/instant.ts'
import { between, instant } from '../base/instant.ts'

/** Before every instant. */
export const NEVER: Instant = instant(Number.NEGATIVE_INFINITY)

export class Progress {
  readonly #maxInflight: number
  #state: 'probe' | 'replicate' = 'probe'
  /** Invariant: match < next <= the leader's last + 1. */
  #match = index(0)
  #next: Index
  /** Last indexes of unacknowledged appends with entries. Invariant: rising; none without `replicate`. */
  #inflight: Index[] = []
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

  constructor(next: Index, maxInflight: number) {
    this.#next = next
    this.#maxInflight = maxInflight
  }

  get state(): 'probe' | 'replicate' {
    return this.#state
  }

  get match(): Index {
    return this.#match
  }

  get next(): Index {
    return this.#next
  }

  get inflight(): number {
    return this.#inflight.length
  }

  /** Whether entries may be sent now. */
  get open(): boolean {
    return this.#state === 'probe' ? !this.#probing : this.#inflight.length < this.#maxInflight
  }

  /** The follower waits for the commit index to reach `at`. */
  tellCommit(at: Index): void {
    if (at > this.#tell) this.#tell = at
  }

  /** Whether an append without entries should be sent now. */
  wantsEmpty(commit: Index, lazyCommit: boolean): boolean {
    if (this.#state === 'probe') return !this.#probing
    return this.#due || (this.#sentCommit < commit && (!lazyCommit || this.#sentCommit < this.#tell))
  }

  /** An append with entries up to `last` (or without any, `last` = next - 1) and `commit` was sent. */
  sent(last: Index, commit: Index, now: Instant): void {
    this.#due = false
    this.#sentAt = now
    this.#sentCommit = commit
    if (this.#state === 'probe') {
      this.#probing = true
      return
    }
    if (last < this.#next) return
    this.#inflight.push(last)
    this.#next = index(last + 1)
  }

  /** The follower's log matches up to `at`. Whether that was news. */
  acknowledged(at: Index): boolean {
    const news = at > this.#match
    if (news) this.#match = at
    if (this.#next <= at) this.#next = index(at + 1)
    if (this.#state === 'probe' && at === this.#match) this.#becomeReplicate()
    const acknowledged = this.#inflight.findIndex((last) => last > at)
    this.#inflight.splice(0, acknowledged === -1 ? this.#inflight.length : acknowledged)
    return news
  }

  /** The follower had no match at `at`; the logs may agree at `hint`. An answer to something else is ignored. */
  rejected(at: Index, hint: Index): void {
    if (at <= this.#match) return
    if (this.#state === 'replicate') {
      this.#becomeProbe(index(this.#match + 1))
      return
    }
    if (at !== this.#next - 1) return
    this.#becomeProbe(index(Math.max(Math.min(at, hint + 1), this.#match + 1)))
  }

  /** A heartbeat round made at `round` was answered. If the last append was sent so long before it (`patience`, which leaves
   * it the time of a disk) and isn't acknowledged yet, it may be lost: another may go. */
  answered(round: Instant, last: Index, patience: Duration): void {
    if (between(this.#sentAt, round) < patience) return
    this.#probing = false
    if (this.#match < last) this.#due = true
  }

  #becomeProbe(next: Index): void {
    this.#state = 'probe'
    this.#next = next
    this.#probing = false
    this.#inflight = []
  }

  #becomeReplicate(): void {
    this.#state = 'replicate'
    this.#next = index(this.#match + 1)
    this.#probing = false
    this.#inflight = []
  }
}
