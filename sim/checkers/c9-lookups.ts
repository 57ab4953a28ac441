// C9 and L10, seen from outside: the version of each group is a linearizable register. It is written by commits and pulses, one
// after another, and read by lookups at any replica at any time. Each lookup must have an instant between question and answer
// at which what it shows was the truth, and these instants must be in order: what an asker sees is never older than what was
// committed for all to see, or what anybody was shown, before the question.
//
//     version      1          2            3
//     committed ---|----------|------------|------------->
//     lookup            |--------------|         2 or 3, and 3 only if it ends after the commit of 3
//
// Versions are unique and written in one order, so giving each lookup the earliest instant that is left for it is a complete
// check, not a heuristic. "Not shown" is a version too: 0.

import type { GroupKey } from '../../src/base/brand.ts'
import { describeCalls } from '../../src/call/describe.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Store } from '../../src/store/store.ts'
import type { Applied } from '../../src/store/view.ts'
import type { Machine } from '../machine.ts'
import type { Checker, Report } from './checker.ts'

interface State {
  readonly version: number
  /** True time when its commit was first seen: it was committed then at the latest. */
  readonly at: number
}

interface Asked {
  readonly callId: string
  readonly at: number
}

/** A lookup that shows what is not known to be committed. */
interface Ahead {
  readonly at: number
  readonly version: number
  readonly least: number
  readonly text: string
}

interface Register {
  readonly states: State[]
  /** Answered lookups: when, and which state at the earliest. */
  readonly shown: { readonly at: number; readonly state: number }[]
  ahead: Ahead[]
}

export class Lookups implements Checker {
  readonly #report: Report
  readonly #now: () => number
  readonly #asked = new Map<number, Asked>()
  readonly #registers = new Map<string, Register>()
  readonly #callOf = new Map<GroupKey, string>()

  constructor(report: Report, now: () => number) {
    this.#report = report
    this.#now = now
  }

  /** A lookup of a call reaches a replica. */
  asked(id: number, callId: string): void {
    this.#asked.set(id, { callId, at: this.#now() })
    this.#register(callId)
  }

  /** Calls that are looked up later: their history is followed from the beginning. */
  follow(callId: string): void {
    this.#register(callId)
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind !== 'reply') return
    const asked = this.#asked.get(effect.id)
    if (asked === undefined || (effect.status !== 200 && effect.status !== 404)) return
    this.#asked.delete(effect.id)
    const version = effect.status === 404 ? 0 : (effect.body as { readonly version: number }).version
    this.#shown(machine.id, version, asked)
  }

  /** An entry was committed, and is applied to the model's store. */
  applied(applied: Applied, store: Store): void {
    if (applied.kind === 'commit' && applied.outcome === 'accepted') this.#changed(applied.commit.group, store)
    if (applied.kind === 'pulse')
      for (const group of new Set(applied.fired.map((timer) => timer.group))) this.#changed(group, store)
  }

  quiet(): void {
    for (const { ahead } of this.#registers.values()) {
      for (const { text } of ahead) this.#report('C9', `${text}, which was never committed`)
    }
  }

  #changed(group: GroupKey, store: Store): void {
    let known = this.#callOf.get(group)
    if (this.#registers.size === 0 || (known !== undefined && !this.#registers.has(known))) return
    const view = store.group(group)
    const calls = view === null ? [] : describeCalls(view)
    known ??= calls[0]?.callId
    if (known !== undefined) this.#callOf.set(group, known)
    const register = known === undefined ? undefined : this.#registers.get(known)
    if (known === undefined || register === undefined) return
    const version = view !== null && calls.some(({ callId }) => callId === known) ? view.version : 0
    // What is not shown has no versions.
    if (register.states.at(-1)?.version === version) return
    register.states.push({ version, at: this.#now() })
    const state = register.states.length - 1
    const isThis = (one: Ahead): boolean => one.version === version && state >= one.least
    for (const { at } of register.ahead.filter(isThis)) register.shown.push({ at, state })
    register.ahead = register.ahead.filter((one) => !isThis(one))
  }

  #shown(replica: number, version: number, { callId, at }: Asked): void {
    const { states, shown, ahead } = this.#register(callId)
    const now = this.#now()
    const committed = states.findLastIndex((state) => state.at < at)
    const seen = shown.reduce((most, one) => (one.at < at ? Math.max(most, one.state) : most), 0)
    const least = Math.max(committed, seen)
    const state = states.findIndex((one, i) => i >= least && one.version === version)
    const text = `replica ${replica}, asked ${Math.round((now - at) / 1_000)} ms ago, shows call ${callId} in version ${version}`
    if (state >= 0) {
      shown.push({ at: now, state })
    } else if (version > 0 && states.some((one) => one.version === version)) {
      const reason = seen > committed ? 'a later one had been shown' : 'a later one was committed'
      this.#report('C9', `${text}; ${reason} before it was asked`)
    } else {
      // The replica that applied it knows sooner than we that it is committed.
      ahead.push({ at: now, version, least, text })
    }
  }

  #register(callId: string): Register {
    let register = this.#registers.get(callId)
    if (register === undefined) {
      register = { states: [{ version: 0, at: -1 }], shown: [], ahead: [] }
      this.#registers.set(callId, register)
    }
    return register
  }
}
