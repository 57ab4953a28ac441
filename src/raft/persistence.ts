// What the disk was given and what it has acknowledged. Writes are acknowledged by the number of their Ready; nothing is
// believed about an index that was replaced after that Ready was handed out:
//
//     Ready 1: entry 5 of term 1     Ready 2: entry 5 of term 2     Ready 3: entry 5 of term 1 again
//     persisted(1) arrives only now: it must not count entry 5, for Ready 2 may still reach the disk, and the power fail.

import { assert } from '../base/assert.ts'
import type { Index, ReplicaId, Term } from '../base/brand.ts'
import { index } from '../base/brand.ts'
import type { HardState } from './message.ts'

interface Write {
  readonly number: number
  readonly term: Term
  readonly vote: ReplicaId | null
  /** The last index that is on disk as this log has it, once this write is durable. Falls when the log is cut. */
  last: Index
}

export class Persistence {
  /** Invariant: numbers rise; each was handed out and is not acknowledged. */
  #writes: Write[] = []
  #handedState: HardState
  #handed: Index
  #term: Term
  #vote: ReplicaId | null
  #stable: Index

  constructor(state: HardState, last: Index) {
    this.#handedState = state
    this.#handed = last
    this.#term = state.term
    this.#vote = state.vote
    this.#stable = last
  }

  /** The last index that is durable as the log has it. Invariant: stable <= handed <= the log's last. */
  get stable(): Index {
    return this.#stable
  }

  /** The last index given to the disk. */
  get handed(): Index {
    return this.#handed
  }

  get durableTerm(): Term {
    return this.#term
  }

  /** The vote in `durableTerm`. */
  get durableVote(): ReplicaId | null {
    return this.#vote
  }

  get handedState(): HardState {
    return this.#handedState
  }

  get isIdle(): boolean {
    return this.#writes.length === 0
  }

  /** The log was cut: what the disk was given from `from` on is not what the log has now. */
  truncated(from: Index): void {
    const kept = index(from - 1)
    for (const write of this.#writes) if (write.last > kept) write.last = kept
    if (this.#handed > kept) this.#handed = kept
    if (this.#stable > kept) this.#stable = kept
  }

  /** Ready `number` goes to the disk with `state` (as it stands after it) and the log up to `last`. */
  hand(number: number, state: HardState, last: Index): void {
    this.#handedState = state
    this.#handed = last
    this.#writes.push({ number, term: state.term, vote: state.vote, last })
  }

  /** All writes up to Ready `number` are durable. */
  acknowledge(number: number): void {
    let done = 0
    for (const write of this.#writes) {
      if (write.number > number) break
      done++
      this.#term = write.term
      this.#vote = write.vote
      if (write.last > this.#stable) this.#stable = write.last
    }
    this.#writes = this.#writes.slice(done)
    assert(this.#stable <= this.#handed, 'only what was handed out is durable')
  }
}
