// Whether this replica's word still counts. Commits are fenced in the log; what leaves *after* a commit is not, so an
// owner that slept, or that has had no word from the leader, first asks for a read barrier (Raft thesis 6.4): once it has
// applied everything that was committed when it asked, it knows which groups it still owns (schedules.md, "1: not-after").
//
//   fresh --(silence over `stale`, or a step over `nap` late)--> stale --(barrier reached and applied)--> fresh
//
// A replica starts stale: its first barrier is also what tells that it has caught up.

import type { Index } from '../base/brand.ts'
import { between, millis, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { limits } from './limits.ts'

/** A step this late after its deadline was a sleep, during which the world may have gone on without us. */
const nap = millis(150)
/** How often a barrier is asked for again: answers are lost with links and leaders. */
const again = millis(100)

export class Freshness {
  #stale = true
  #contact: Instant
  #context = 0
  #askedFirst = 0
  #askAt: Instant
  #barrier: Index | null = null

  constructor(now: Instant) {
    this.#contact = now
    this.#askAt = now
  }

  get stale(): boolean {
    return this.#stale
  }

  /** The leader was heard, or (at the leader) a quorum was. */
  heard(at: Instant): void {
    if (at > this.#contact) this.#contact = at
  }

  get contact(): Instant {
    return this.#contact
  }

  /** At the start of each step, before its input: true if it has just become stale. */
  check(now: Instant, lateBy: number): boolean {
    if (lateBy > nap) {
      this.#barrier = null
      this.#askedFirst = this.#context + 1
      this.#askAt = now
    }
    if (this.#stale || (lateBy <= nap && between(this.#contact, now) <= limits.stale)) return false
    this.#stale = true
    this.#barrier = null
    this.#askedFirst = this.#context + 1
    this.#askAt = now
    return true
  }

  /** The context of a barrier to ask for now, or null. */
  ask(now: Instant): number | null {
    if (!this.#stale || this.#barrier !== null || now < this.#askAt) return null
    this.#askAt = plus(now, again)
    return ++this.#context
  }

  /** A barrier that was asked for since the last sleep was answered with this index. */
  answered(context: number, index: Index): void {
    if (this.#stale && context >= this.#askedFirst && this.#barrier === null) this.#barrier = index
  }

  /** True if everything up to the barrier is applied: fresh again. */
  reached(applied: Index, now: Instant): boolean {
    if (!this.#stale || this.#barrier === null || applied < this.#barrier) return false
    this.#stale = false
    this.#barrier = null
    this.#contact = now
    return true
  }

  /** Null: with a barrier in hand there is nothing to do but apply up to it. */
  deadline(): Instant | null {
    if (!this.#stale) return plus(this.#contact, limits.stale)
    return this.#barrier === null ? this.#askAt : null
  }
}
