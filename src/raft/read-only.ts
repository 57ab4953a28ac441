// Reads without writing to the log (thesis 6.4, ReadIndex). A read notes the commit index and waits for a heartbeat round
// made after it: a quorum's answer to that round shows that nobody else led when the read came.
//
//     held (nothing of this term committed yet) --> noted (index known) --> asked (round made) --> confirmed

import type { Index, ReplicaId } from '../base/brand.ts'
import type { Instant } from '../base/instant.ts'

export interface Read {
  /** Who asked, and its own number of the question. */
  readonly from: ReplicaId
  readonly context: number
}

export interface ConfirmedRead extends Read {
  readonly index: Index
}

interface Asked extends ConfirmedRead {
  readonly round: Instant
}

export class ReadOnly {
  readonly #max: number
  #held: Read[] = []
  #noted: ConfirmedRead[] = []
  /** Invariant: rounds never fall. */
  #asked: Asked[] = []

  constructor(max: number) {
    this.#max = max
  }

  /** Reads without an answer. Invariant: at most `max`. */
  get size(): number {
    return this.#held.length + this.#noted.length + this.#asked.length
  }

  /** Whether a round must be made for reads. */
  get wantsRound(): boolean {
    return this.#noted.length > 0
  }

  /** A new question; beyond the bound it is lost. `commit` = null: nothing of this term is committed yet, and an older
   * leader's commits may not be known (thesis 6.4, step 1). */
  add(read: Read, commit: Index | null): void {
    if (this.size >= this.#max) return
    if (commit === null) this.#held.push(read)
    else this.#noted.push({ ...read, index: commit })
  }

  /** The term's first commit is known. */
  release(commit: Index): void {
    for (const read of this.#held) this.#noted.push({ ...read, index: commit })
    this.#held = []
  }

  /** A heartbeat round was made: it speaks for all questions before it. */
  ask(round: Instant): void {
    for (const read of this.#noted) this.#asked.push({ ...read, round })
    this.#noted = []
  }

  /** A quorum answered `round`, and with it all earlier ones. */
  confirm(round: Instant): readonly ConfirmedRead[] {
    const first = this.#asked.findIndex((read) => read.round > round)
    return this.#asked.splice(0, first === -1 ? this.#asked.length : first)
  }
}
