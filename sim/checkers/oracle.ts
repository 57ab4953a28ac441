// The committed log, applied once more in true time: what was decided, when, and by whom. The store is the shipping one; what
// it decides is checked here against a small model of its own (owners, timers).

import { ACTIVATED, CREATED, READY } from '../../src/app/lifecycle.ts'
import type { GroupKey, Life } from '../../src/base/brand.ts'
import { index } from '../../src/base/brand.ts'
import { checkApplied, checkStore, observeStore } from '../../src/store/invariants.ts'
import { makeStore } from '../../src/replica/restore.ts'
import type { Store } from '../../src/store/store.ts'
import { ownerUnder } from '../../src/store/ownership.ts'
import type { Applied, CommitOutcome, FiredTimer, Serving } from '../../src/store/view.ts'
import { decodeEntry } from '../../src/wire/codec.ts'
import { OLDEST_FORMAT } from '../../src/wire/formats.ts'
import type { Commit } from '../../src/wire/entry.ts'
import { wallAtStart } from '../clock.ts'
import type { Report } from './checker.ts'
import type { LoggedEntry } from './log-mirror.ts'

/** C5: how early a timer may fire in true time: 1 % and 50 ms. */
const earlyPart = 100
const earlyLeast = 50_000

/** How late it may be while there is a quorum: two elections, one after a leader that slept, and the slack of `delete`. */
const lateMost = 8_000_000

/** What right wall clocks may be off by; the plan draws less. */
const wallSkewMost = 400_000

/** Fewer serving entries than any store remembers for `judged`. */
const historyLeast = 60

interface ModelTimer {
  readonly group: GroupKey
  readonly after: number
  readonly deadline: number
  /** True time when the entry that set it was first seen. */
  readonly setAt: number
}

interface Reign {
  readonly serving: Serving
  readonly at: number
}

export class Oracle {
  readonly store = makeStore(Infinity)
  readonly #report: Report
  readonly #now: () => number
  /** How long there was no quorum. */
  readonly #outage: (from: number, until: number) => number
  readonly #onAccepted: (commit: Commit) => void
  readonly #timers = new Map<string, ModelTimer>()
  readonly #serials = new Set<string>()
  /** Open ones, by group and id. */
  readonly #intents = new Set<string>()
  readonly #seenAt = new Map<string, number>()
  readonly outcomes = new Map<string, number>()
  /** Every serving entry that was accepted, and when it was committed. */
  readonly #reigns: Reign[] = []
  readonly #versions = new Map<GroupKey, { version: number; by: Life | null; serial: number }>()
  readonly #onReign: (before: Serving, after: Serving) => void
  readonly #onApplied: (applied: Applied, store: Store) => void

  constructor(
    report: Report,
    now: () => number,
    outage: (from: number, until: number) => number,
    onAccepted: (commit: Commit) => void,
    onReign: (before: Serving, after: Serving) => void,
    onApplied: (applied: Applied, store: Store) => void,
  ) {
    this.#onApplied = onApplied
    this.#onReign = onReign
    this.#outage = outage
    this.#onAccepted = onAccepted
    this.#report = report
    this.#now = now
  }

  /** Since when the log has given the group to another life than this one; null = it is its owner's, or never was anybody's. */
  takenSince(life: Life, group: GroupKey): number | null {
    let since: number | null = null
    for (let i = this.#reigns.length - 1; i >= 0; i--) {
      const { serving, at } = this.#reigns[i] as Reign
      if (ownerUnder(serving, group) === life) break
      since = at
    }
    return since
  }

  /** An entry was written somewhere, made at that true time: its timers count from then at the earliest. */
  written(index: number, term: number, at: number): void {
    const key = `${index} ${term}`
    if (!this.#seenAt.has(key)) this.#seenAt.set(key, at)
  }

  committed({ entry }: LoggedEntry): void {
    const at = index(this.store.appliedIndex + 1)
    const decoded =
      entry.kind === 'normal' ? decodeEntry(entry.data, { oldest: OLDEST_FORMAT, newest: this.store.format }) : null
    if (decoded === null || !decoded.ok) {
      if (decoded !== null && !decoded.ok) this.#report('L12', `entry ${at} can't be read: ${decoded.error}`)
      this.store.applyNoOp(at)
      return
    }
    const before = this.store.serving()
    const found = observeStore(this.store, decoded.value.body)
    const applied = this.store.apply(at, decoded.value)
    const wrong = checkApplied(found, applied, this.store) ?? checkStore(this.store)
    if (wrong !== null) this.#report('L11', `at entry ${at} the store breaks its own: ${wrong}`)
    this.#onApplied(applied, this.store)
    const seenAt = this.#seenAt.get(`${at} ${entry.term}`) ?? this.#now()
    if (applied.kind === 'commit') {
      const { commit, outcome } = applied
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
      this.#once(commit, outcome)
      this.#owned(commit, outcome)
      if (outcome !== 'accepted') return
      this.#fits(commit)
      this.#intended(commit)
      this.#onAccepted(commit)
      this.#setTimers(commit, this.store.lastStamp, seenAt)
    } else if (applied.kind === 'pulse') {
      for (const timer of applied.fired) this.#fired(timer)
      this.#pulsed(applied.fired)
    } else if (applied.kind === 'serving' && applied.accepted) {
      this.#reigns.push({ serving: applied.after, at: this.#now() })
      this.#onReign(before, applied.after)
    }
  }

  /** C3: what is done is done once. */
  #intended(commit: Commit): void {
    const { group, opened, done } = commit
    for (const id of done) {
      const wasOpen = this.#intents.delete(`${group} ${id}`)
      if (!wasOpen && !isTakenBack(commit, id)) this.#report('C3', `intent ${id} of group ${group} was done twice`)
    }
    const left = done.length === 0 ? [] : (this.store.group(group)?.intents ?? [])
    for (const { id } of left) {
      // An owner to come would perform it again.
      if (done.includes(id)) this.#report('C3', `intent ${id} of group ${group} is done, and still open`)
    }
    for (const { id } of opened) this.#intents.add(`${group} ${id}`)
  }

  /** L11: one serial, one index: a proposal that comes again is a duplicate, whatever became of the first. */
  #once({ proposer, serial, group }: Commit, outcome: CommitOutcome): void {
    if (outcome === 'duplicate' || outcome === 'not-owner') return
    const key = `${proposer} ${serial}`
    if (this.#serials.has(key)) {
      this.#report('L11', `commit ${serial} of ${proposer} for group ${group} was judged twice, now ${outcome}`)
    }
    this.#serials.add(key)
  }

  /** C8: at most one owner of a group decides at any index, one that has owned it since it judged; and nobody else's joining
   * or leaving rejects its commits. */
  #owned({ proposer, since, judged, serial, group }: Commit, outcome: CommitOutcome): void {
    const serving = this.store.serving()
    const serves = serving.members.some((member) => member.life === proposer && member.since === since)
    const reigns = this.#reigns.filter((reign) => reign.serving.version >= judged)
    const known = reigns[0]?.serving.version === judged
    const owns = serves && known && reigns.every((reign) => ownerUnder(reign.serving, group) === proposer)
    if (outcome === 'accepted' && !owns) {
      const reason = serves
        ? `which it did not own all the time since ${judged}`
        : `though it does not serve since ${since}`
      this.#report('C8', `commit ${serial} of ${proposer} was accepted for group ${group}, ${reason}`)
    }
    if (outcome === 'not-owner' && owns && reigns.length < historyLeast) {
      this.#report(
        'C8',
        `commit ${serial} of ${proposer} was rejected as not the owner's of group ${group}, which it is`,
      )
    }
  }

  /** L11: a group's version is +1 per commit, and what a commit was built on is what there is. */
  #fits({ group, expected, onto, proposer, serial }: Commit): void {
    const known = this.#versions.get(group)
    const version = known?.version ?? 0
    if (version !== expected) {
      this.#report(
        'L11',
        `commit ${serial} of ${proposer} expects version ${expected} of group ${group}, it has ${version}`,
      )
    }
    if (onto !== 0 && (known?.by !== proposer || known.serial !== onto)) {
      this.#report('L11', `commit ${serial} of ${proposer} was built on commit ${onto}, which is not the group's last`)
    }
    if (this.store.groupVersion(group) === 0) this.#versions.delete(group)
    else this.#versions.set(group, { version: version + 1, by: proposer, serial })
  }

  #pulsed(fired: readonly FiredTimer[]): void {
    for (const group of new Set(fired.map((timer) => timer.group))) {
      const known = this.#versions.get(group)
      if (this.store.groupVersion(group) === 0) this.#versions.delete(group)
      else if (known !== undefined) known.version++
    }
  }

  #setTimers(commit: Commit, stamp: number, setAt: number): void {
    for (const id of commit.cancels) this.#timers.delete(`${commit.group} ${id}`)
    for (const { id, after } of commit.timers) {
      this.#timers.set(`${commit.group} ${id}`, { group: commit.group, after, deadline: stamp + after, setAt })
    }
  }

  /** design.md 5: when nobody who lives has heard what time it was, it jumps to the wall clocks. That may make up for an
   * outage that it had not counted; never more than that. */
  #caughtUp({ setAt }: ModelTimer): boolean {
    const ahead = this.store.lastStamp - (wallAtStart + this.#now())
    return ahead <= wallSkewMost && this.#outage(setAt, this.#now()) > 0
  }

  /** C5: what is due fires, in true time. To be called every now and then. */
  look(): void {
    for (const [key, { group, after, setAt }] of this.#timers) {
      const late = this.#now() - setAt - after
      if (late < lateMost + after / earlyPart) continue
      // It went with its group.
      if (this.store.groupVersion(group) === 0) this.#timers.delete(key)
      else if (late > lateMost + after / earlyPart + this.#outage(setAt, this.#now())) {
        this.#report('C5', `timer ${key} is due for ${Math.round(late / 1_000)} ms of true time and has not fired`)
      }
    }
  }

  /** C5: a timer fires exactly once, not early, never after its cancel. */
  #fired({ group, id, deadline, action }: FiredTimer): void {
    const key = `${group} ${id}`
    const timer = this.#timers.get(key)
    if (timer === undefined)
      return this.#report('C5', `timer ${id} of group ${group} fired although it was not pending`)
    this.#timers.delete(key)
    if (action.kind === 'callback') this.#intents.add(key)
    if (timer.deadline !== deadline) this.#report('C5', `timer ${id} of group ${group} fired for another deadline`)
    const late = this.#now() - timer.setAt - timer.after
    if (late < -(timer.after / earlyPart + earlyLeast) && !this.#caughtUp(timer)) {
      this.#report('C5', `timer ${id} of group ${group} fired ${Math.round(-late / 1_000)} ms early in true time`)
    }
  }
}

/** An application's timer is cancelled or set anew, and that ends its callback, in case it fired meanwhile; so does the end of its
 * session, to whose listeners something may be to be told (app/lifecycle.ts). */
function isTakenBack({ timers, cancels }: Commit, id: string): boolean {
  return [READY, CREATED, ACTIVATED].includes(id) || cancels.includes(id) || timers.some((timer) => timer.id === id)
}
