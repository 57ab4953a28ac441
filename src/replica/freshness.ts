// Whether this replica's word still counts. Commits are fenced in the log; what leaves *after* a commit is not, so an
// owner that slept, or that has had no word from the leader, first asks for a read barrier (Raft thesis 6.4): once it has
// applied everything that was committed when it asked, it knows which groups it still owns (schedules.md, "1: not-after").
//
//   fresh --(silence over `stale`, a step over `nap` late, a barrier older than `confirmed`)--> stale --(barrier applied)--> fresh
//
// Who is fresh has applied all that was committed `confirmed` ago: it asks for barriers all the while. To hear the leader is not enough:
// its words may lie unread for seconds in a machine that is too slow, or can't be applied since its disk is full.
// A replica starts stale: its first barrier is also what tells that it has caught up.

import type { Index } from '../base/brand.ts'
import { between, micros, millis, plus } from '../base/instant.ts'
import type { Duration, Instant } from '../base/instant.ts'
import { limits } from './limits.ts'

/** A step this late after its deadline was a sleep, during which the world may have gone on without us. */
const nap = millis(150)
/** How often a barrier is asked for again: answers are lost with links and leaders. */
const again = millis(100)

interface Asked {
  readonly context: number
  readonly at: Instant
}

export class Freshness {
  #stale = true
  #staleSince: Instant
  #contact: Instant
  #context: number
  /** Questions since the last sleep that an answer may still count for, oldest first. */
  #asked: Asked[] = []
  #askAt: Instant
  /** What must be applied, as of when it was asked for: older than `stale`, it says nothing of now. */
  #barrier: { readonly index: Index; readonly asked: Instant } | null = null
  /** When the newest barrier that was applied had been asked for. */
  #confirmed: Instant

  /** `context`: the number before its first question's. */
  constructor(now: Instant, context = 0) {
    this.#contact = now
    this.#context = context
    this.#askAt = now
    this.#staleSince = now
    this.#confirmed = now
  }

  get stale(): boolean {
    return this.#stale
  }

  /** Stale for longer than a barrier takes as a rule: nobody can tell when it will be fresh. */
  isStuck(now: Instant): boolean {
    return this.#stale && between(this.#staleSince, now) >= limits.stale
  }

  /** Without a leader for so long (at the leader: without a quorum) that it decides nothing (design.md 7). */
  isDetached(now: Instant): boolean {
    return between(this.#contact, now) > limits.detached
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
    if (lateBy > nap) return this.doubt(now)
    return !this.#stale && now > this.#endOfFresh() ? this.doubt(now) : false
  }

  /** What it knows may be of long ago: it slept; or it has a snapshot instead of what it had. No question that was asked before counts.
   * True if it has just become stale. */
  doubt(now: Instant): boolean {
    const wasStale = this.#stale
    this.#stale = true
    if (!wasStale) this.#staleSince = now
    this.#forget(now)
    return !wasStale
  }

  /** An entry gave groups to this replica that had none: of long ago perhaps, and taken back since. Who is stale already goes on waiting for
   * what it asked: an answer to that is as new. True if it has just become stale. */
  admitted(now: Instant): boolean {
    return this.#stale ? false : this.doubt(now)
  }

  /** Up to this instant it is fresh, if nothing more is heard. */
  #endOfFresh(): Instant {
    const silent = plus(this.#contact, limits.stale)
    const old = plus(this.#confirmed, limits.confirmed)
    return silent < old ? silent : old
  }

  /** How long a question counts, from when it was asked. */
  get #patience(): Duration {
    return this.#stale ? limits.stale : limits.confirmed
  }

  /** The context of a barrier to ask for now, or null. */
  ask(now: Instant): number | null {
    if (this.#barrier !== null && between(this.#barrier.asked, now) >= this.#patience) this.#forget(now)
    if (this.#barrier !== null || now < this.#askAt) return null
    this.#askAt = plus(now, again)
    this.#asked = this.#asked.filter(({ at }) => between(at, now) < this.#patience)
    this.#asked.push({ context: ++this.#context, at: now })
    return this.#context
  }

  /** A barrier was answered with this index: it counts if it was asked for since the last sleep, and not long ago. */
  answered(context: number, index: Index): void {
    const asked = this.#asked.find((one) => one.context === context)
    if (this.#barrier === null && asked !== undefined) this.#barrier = { index, asked: asked.at }
  }

  /** True if it was stale, and everything up to the barrier is applied, and soon enough: fresh again, as of when it was asked for. */
  reached(applied: Index, now: Instant): boolean {
    const barrier = this.#barrier
    if (barrier === null || applied < barrier.index || between(barrier.asked, now) >= this.#patience) return false
    const wasStale = this.#stale
    this.#stale = false
    this.#confirmed = barrier.asked
    this.heard(barrier.asked)
    this.#forget(plus(barrier.asked, limits.confirm))
    return wasStale
  }

  /** With a barrier in hand there is nothing to do but apply up to it, until it is too old. */
  deadline(): Instant {
    const next = this.#barrier === null ? this.#askAt : plus(this.#barrier.asked, this.#patience)
    if (this.#stale) return next
    // At that very instant it is fresh still.
    const end = plus(this.#endOfFresh(), micros(1))
    return next < end ? next : end
  }

  /** Nothing that was asked counts; asked again then. */
  #forget(askAt: Instant): void {
    this.#barrier = null
    this.#asked = []
    this.#askAt = askAt
  }
}
