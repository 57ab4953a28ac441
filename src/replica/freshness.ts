// Whether this replica's word still counts. Commits are fenced in the log; what leaves *after* a commit is not, so an
// owner that slept, or that has had no word from the leader, first asks for a read barrier (Raft thesis 6.4): once it has
// applied everything that was committed when it asked, it knows which groups it still owns (schedules.md, "1: not-after").
//
//   fresh --(silence over `stale`, a step over `nap` late, or a lag over `staleLag`)--> stale --(barrier applied)--> fresh
//
// Who hears the leader and applies nothing (its disk is full) doesn't know what was taken from it. A replica starts stale: its first barrier is also what tells that it has caught up.

import type { Index } from '../base/brand.ts'
import { between, micros, millis, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { limits } from './limits.ts'

/** A step this late after its deadline was a sleep, during which the world may have gone on without us. */
const nap = millis(150)
/** How often a barrier is asked for again: answers are lost with links and leaders. */
const again = millis(100)

/** Twice what is needed to see that `staleLag` has passed: of a replica that applies nothing for hours no more is kept. */
const behindMost = 16

interface Asked {
  readonly context: number
  readonly at: Instant
}

export class Freshness {
  #stale = true
  #staleSince: Instant
  #contact: Instant
  #context = 0
  /** Questions since the last sleep that an answer may still count for, oldest first. */
  #asked: Asked[] = []
  #askAt: Instant
  /** What must be applied, as of when it was asked for: older than `stale`, it says nothing of now. */
  #barrier: { readonly index: Index; readonly asked: Instant } | null = null
  /** What the leader had applied as it said, and this replica has not; oldest first, some a second. */
  readonly #behind: { readonly index: Index; readonly at: Instant }[] = []

  constructor(now: Instant) {
    this.#contact = now
    this.#askAt = now
    this.#staleSince = now
  }

  get stale(): boolean {
    return this.#stale
  }

  /** Stale for longer than a barrier takes as a rule: nobody can tell when it will be fresh. */
  isStuck(now: Instant): boolean {
    return this.#stale && between(this.#staleSince, now) >= limits.stale
  }

  /** The leader was heard, or (at the leader) a quorum was. */
  heard(at: Instant): void {
    if (at > this.#contact) this.#contact = at
  }

  /** The leader says how far it has applied. */
  told(applied: Index, at: Instant): void {
    const last = this.#behind.at(-1)
    if (last !== undefined && (applied <= last.index || between(last.at, at) < limits.staleLag / 8)) return
    // Between the oldest ones, which tell that it lags, and the newest nothing is missed.
    if (this.#behind.length >= behindMost) this.#behind.pop()
    this.#behind.push({ index: applied, at })
  }

  get contact(): Instant {
    return this.#contact
  }

  /** At the start of each step, before its input: true if it has just become stale. */
  check(now: Instant, lateBy: number, applied: Index): boolean {
    if (lateBy > nap) this.#forget(now)
    while ((this.#behind[0]?.index ?? Infinity) <= applied) this.#behind.shift()
    const silent = between(this.#contact, now) > limits.stale
    return lateBy > nap || silent || this.#lags(now) ? this.doubt(now) : false
  }

  /** An entry gave groups to this replica that had none: of long ago perhaps, and taken back since. True if it has just become stale. */
  doubt(now: Instant): boolean {
    if (this.#stale) return false
    this.#stale = true
    this.#staleSince = now
    this.#forget(now)
    return true
  }

  #lags(now: Instant): boolean {
    const [oldest] = this.#behind
    return oldest !== undefined && between(oldest.at, now) > limits.staleLag
  }

  /** The context of a barrier to ask for now, or null. */
  ask(now: Instant): number | null {
    if (!this.#stale) return null
    if (this.#barrier !== null && between(this.#barrier.asked, now) >= limits.stale) this.#forget(now)
    if (this.#barrier !== null || now < this.#askAt) return null
    this.#askAt = plus(now, again)
    this.#asked = this.#asked.filter(({ at }) => between(at, now) < limits.stale)
    this.#asked.push({ context: ++this.#context, at: now })
    return this.#context
  }

  /** A barrier was answered with this index: it counts if it was asked for since the last sleep, and not long ago. */
  answered(context: number, index: Index): void {
    const asked = this.#asked.find((one) => one.context === context)
    if (this.#stale && this.#barrier === null && asked !== undefined) this.#barrier = { index, asked: asked.at }
  }

  /** True if everything up to the barrier is applied, and soon enough: fresh again, as of when it was asked for. */
  reached(applied: Index, now: Instant): boolean {
    const barrier = this.#barrier
    if (!this.#stale || barrier === null || applied < barrier.index) return false
    if (between(barrier.asked, now) >= limits.stale) return false
    this.#stale = false
    this.#forget(now)
    this.heard(barrier.asked)
    return true
  }

  /** With a barrier in hand there is nothing to do but apply up to it, until it is too old. */
  deadline(): Instant {
    // At that very instant it is fresh still.
    if (!this.#stale) {
      const [oldest] = this.#behind
      const silent = plus(this.#contact, limits.stale)
      const lags = oldest === undefined ? silent : plus(oldest.at, limits.staleLag)
      return plus(lags < silent ? lags : silent, micros(1))
    }
    return this.#barrier === null ? this.#askAt : plus(this.#barrier.asked, limits.stale)
  }

  #forget(now: Instant): void {
    this.#barrier = null
    this.#asked = []
    this.#askAt = now
  }
}
