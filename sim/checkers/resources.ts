// Resources as an oracle (proof.md): no storm of messages, frames, records or inputs, however bad the world; and at rest nothing
// is held in memory that nobody waits for (L12, "every queue and log in memory is bounded"). A set that goes in circles keeps all
// other promises for a while.
//
// Limits are several times what the worst of some hundred seeds needed, each with up to twenty calls.

import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Machine } from '../machine.ts'
import type { Plan } from '../plan.ts'
import type { Checker, Report } from './checker.ts'

/** In any second, at one replica, with so few calls. */
const perSecond = { send: 400, peer: 2_000, record: 800, step: 4_000 } as const
const fewCalls = 20
/** Inputs that wait for a turn. */
const waitingMost = 2_000
/** Records on a disk: so many to begin with, and for each call. Each election and each serving change needs a few. */
const recordsLeast = 800
const recordsPerCall = 60
/** Of what a browser asks for, so much at most is a change, which is a record. */
const recordsPerRequest = 0.5

type Kind = keyof typeof perSecond

export class Resources implements Checker {
  readonly #report: Report
  readonly #now: () => number
  readonly #recordsMost: number
  readonly #scale: number
  /** A run of a crash point may end while its cut lasts. */
  readonly #comesToRest: boolean
  readonly #counts = new Map<number, { second: number; readonly of: Record<Kind, number> }>()

  constructor(report: Report, now: () => number, plan: Plan) {
    const { faults, browsers = [], races = [] } = plan
    // The orders of a race are as many commits as a call has.
    const calls = plan.calls.length + races.length
    this.#report = report
    this.#comesToRest = faults.every(({ kind }) => kind !== 'crash')
    this.#now = now
    this.#scale = Math.max(1, calls / fewCalls)
    const requests = browsers.reduce((sum, browser) => sum + browser.requests, 0)
    this.#recordsMost = recordsLeast + calls * recordsPerCall + requests * recordsPerRequest
  }

  stepped(machine: Machine, _input: Input, effects: readonly Effect[]): void {
    this.#count(machine, 'step', 1)
    for (const effect of effects) this.#effect(machine, effect)
    const waiting = machine.host?.waiting ?? 0
    if (waiting > waitingMost * this.#scale) this.#report('bounded', `${waiting} inputs wait at replica ${machine.id}`)
  }

  #effect(machine: Machine, effect: Effect): void {
    if (effect.kind === 'send' || effect.kind === 'peer') this.#count(machine, effect.kind, 1)
    if (effect.kind !== 'persist') return
    this.#count(machine, 'record', effect.records.length)
    for (const after of effect.then) this.#effect(machine, after)
    const { length } = machine.disk.records
    if (length > this.#recordsMost) {
      this.#report('bounded', `replica ${machine.id} has ${length} records in its log, more than its calls can need`)
    }
  }

  #count(machine: Machine, kind: Kind, by: number): void {
    const second = Math.floor(this.#now() / 1_000_000)
    let count = this.#counts.get(machine.id)
    if (count === undefined || count.second !== second) {
      count = { second, of: { send: 0, peer: 0, record: 0, step: 0 } }
      this.#counts.set(machine.id, count)
    }
    count.of[kind] += by
    if (count.of[kind] <= perSecond[kind] * this.#scale) return
    this.#report('bounded', `a storm: replica ${machine.id} has had ${count.of[kind]} of "${kind}" in one second`)
  }

  /** The last word of a run: the set is at rest, and a replica is asked what it still holds. */
  quiet(machines: readonly Machine[]): void {
    if (!this.#comesToRest) return
    for (const { id, replica, now, wall } of machines.map(askable)) {
      const [effect] = replica?.step({ kind: 'admin', id: 0, query: { kind: 'status' }, now, wall }) ?? []
      if (effect?.kind !== 'reply') continue
      const { kept, openCommits } = effect.body as { readonly kept: number; readonly openCommits: number }
      if (kept > 0) this.#report('bounded', `replica ${id} keeps ${kept} messages at rest`)
      if (openCommits > 0) this.#report('bounded', `replica ${id} waits for ${openCommits} commits at rest`)
    }
  }
}

function askable(machine: Machine): Pick<Machine, 'id' | 'replica'> & Pick<Input, 'now' | 'wall'> {
  return { id: machine.id, replica: machine.replica, now: machine.now(), wall: machine.wall() }
}
