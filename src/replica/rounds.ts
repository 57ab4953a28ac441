// Whether a learner has caught up (thesis 4.2.1): it copies the log in rounds, each up to where the log ended when the round
// began. One round that took less than an election timeout shows that it would be behind for no longer than that. One that
// never gets there is said to be too slow, and goes on trying.

import type { Index, ReplicaId } from '../base/brand.ts'
import { between } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { limits } from './limits.ts'

interface Round {
  target: Index
  begun: Instant
  /** Rounds that took too long. */
  slow: number
  isCaughtUp: boolean
}

export class Rounds {
  readonly #rounds = new Map<ReplicaId, Round>()

  /** This leader knows of none. */
  clear(): void {
    this.#rounds.clear()
  }

  /** It has the log up to `match`, which ends at `last`. True if it is too slow as of now. */
  look(learner: ReplicaId, match: Index, last: Index, now: Instant): boolean {
    const round = this.#rounds.get(learner)
    if (round === undefined) {
      this.#rounds.set(learner, { target: last, begun: now, slow: 0, isCaughtUp: false })
      return false
    }
    // What it had once may be long ago.
    if (round.isCaughtUp && last - match >= limits.admissionLag) this.#next(round, last, now)
    if (round.isCaughtUp || match < round.target) return false
    if (between(round.begun, now) < limits.silence) {
      round.isCaughtUp = true
      return false
    }
    this.#next(round, last, now)
    return ++round.slow % limits.rounds === 0
  }

  isCaughtUp(learner: ReplicaId): boolean {
    return this.#rounds.get(learner)?.isCaughtUp ?? false
  }

  /** How many rounds were too slow, once they are enough to say so. */
  slow(learner: ReplicaId): number {
    const slow = this.#rounds.get(learner)?.slow ?? 0
    return slow < limits.rounds ? 0 : slow
  }

  /** Of all but these nothing needs to be remembered. */
  keep(learners: readonly ReplicaId[]): void {
    for (const learner of [...this.#rounds.keys()]) if (!learners.includes(learner)) this.#rounds.delete(learner)
  }

  #next(round: Round, last: Index, now: Instant): void {
    round.target = last
    round.begun = now
    round.isCaughtUp = false
  }
}
