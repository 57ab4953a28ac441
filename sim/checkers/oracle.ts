// The committed log, applied once more in true time: what was decided, when, and by whom. The store is the shipping one; what
// it decides is checked here against a small model of its own (owners, timers).

import type { Life } from '../../src/base/brand.ts'
import { index } from '../../src/base/brand.ts'
import { Store } from '../../src/store/store.ts'
import type { FiredTimer } from '../../src/store/view.ts'
import { decodeEntry } from '../../src/wire/codec.ts'
import type { Commit } from '../../src/wire/entry.ts'
import { wallAtStart } from '../clock.ts'
import type { Report } from './checker.ts'
import type { LoggedEntry } from './log-mirror.ts'

/** C5: how early a timer may fire in true time: 1 % and 50 ms. */
const earlyPart = 100
const earlyLeast = 50_000

/** What right wall clocks may be off by; the plan draws less. */
const wallSkewMost = 400_000

interface ModelTimer {
  readonly after: number
  readonly deadline: number
  /** True time when the entry that set it was first seen. */
  readonly setAt: number
}

export class Oracle {
  readonly store = new Store()
  readonly #report: Report
  readonly #now: () => number
  /** How long there was no quorum. */
  readonly #outage: (from: number, until: number) => number
  readonly #onAccepted: (commit: Commit) => void
  readonly #timers = new Map<string, ModelTimer>()
  readonly #serials = new Set<string>()
  readonly #seenAt = new Map<string, number>()
  readonly outcomes = new Map<string, number>()
  #takeovers = 0

  constructor(
    report: Report,
    now: () => number,
    outage: (from: number, until: number) => number,
    onAccepted: (commit: Commit) => void,
  ) {
    this.#outage = outage
    this.#onAccepted = onAccepted
    this.#report = report
    this.#now = now
  }

  /** Serving entries that were accepted. */
  get takeovers(): number {
    return this.#takeovers
  }

  /** An entry was written somewhere: its timers count from now at the earliest. */
  written(at: number, term: number): void {
    const key = `${at} ${term}`
    if (!this.#seenAt.has(key)) this.#seenAt.set(key, this.#now())
  }

  committed({ entry }: LoggedEntry): void {
    const at = index(this.store.appliedIndex + 1)
    const decoded = entry.kind === 'normal' ? decodeEntry(entry.data) : null
    if (decoded === null || !decoded.ok) {
      if (decoded !== null && !decoded.ok) this.#report('L12', `entry ${at} can't be read: ${decoded.error}`)
      this.store.applyNoOp(at)
      return
    }
    const serving = this.store.serving()
    const applied = this.store.apply(at, decoded.value)
    const seenAt = this.#seenAt.get(`${at} ${entry.term}`) ?? this.#now()
    if (applied.kind === 'commit') {
      this.outcomes.set(applied.outcome, (this.outcomes.get(applied.outcome) ?? 0) + 1)
      if (applied.outcome !== 'accepted') return
      const member = serving.members.find(({ life }) => life === applied.commit.proposer)
      this.#owned(applied.commit, member?.since ?? null, this.store.ownerOf(applied.commit.group))
      this.#once(applied.commit)
      this.#onAccepted(applied.commit)
      this.#setTimers(applied.commit, this.store.lastStamp, seenAt)
    } else if (applied.kind === 'pulse') for (const timer of applied.fired) this.#fired(timer)
    else if (applied.kind === 'serving' && applied.accepted) this.#takeovers++
  }

  /** L11: one serial, one index: a proposal that comes again changes nothing. */
  #once({ proposer, serial, group }: Commit): void {
    const key = `${proposer} ${serial}`
    if (this.#serials.has(key))
      this.#report('L11', `commit ${serial} of ${proposer} for group ${group} was accepted twice`)
    this.#serials.add(key)
  }

  /** C8: at most one owner of a group decides at any index. */
  #owned(commit: Commit, since: number | null, owner: Life | null): void {
    if (since === commit.since && owner === commit.proposer) return
    const tenure = since === null ? 'who does not serve' : `who serves since ${since} (it said ${commit.since})`
    this.#report('C8', `a commit of ${commit.proposer}, ${tenure}, was accepted for group ${commit.group} of ${owner}`)
  }

  #setTimers(commit: Commit, stamp: number, setAt: number): void {
    for (const id of commit.cancels) this.#timers.delete(`${commit.group} ${id}`)
    for (const { id, after } of commit.timers) {
      this.#timers.set(`${commit.group} ${id}`, { after, deadline: stamp + after, setAt })
    }
  }

  /** design.md 5: when nobody who lives has heard what time it was, it jumps to the wall clocks. That may make up for an
   * outage that it had not counted; never more than that. */
  #caughtUp({ setAt }: ModelTimer): boolean {
    const ahead = this.store.lastStamp - (wallAtStart + this.#now())
    return ahead <= wallSkewMost && this.#outage(setAt, this.#now()) > 0
  }

  /** C5: a timer fires exactly once, not early, never after its cancel. */
  #fired({ group, id, deadline }: FiredTimer): void {
    const key = `${group} ${id}`
    const timer = this.#timers.get(key)
    if (timer === undefined)
      return this.#report('C5', `timer ${id} of group ${group} fired although it was not pending`)
    this.#timers.delete(key)
    if (timer.deadline !== deadline) this.#report('C5', `timer ${id} of group ${group} fired for another deadline`)
    const late = this.#now() - timer.setAt - timer.after
    if (late < -(timer.after / earlyPart + earlyLeast) && !this.#caughtUp(timer)) {
      this.#report('C5', `timer ${id} of group ${group} fired ${Math.round(-late / 1_000)} ms early in true time`)
    }
  }
}
