// C7: counters equal the calls that are alive. The phones know which are: looked at whenever nothing is under way in any call,
// at every replica that has applied all that is committed. And where there is a limit of calls, never are more than that.

import { ALL_CALLS, CONFIRMED_CALLS, EARLY_CALLS } from '../../src/session/holds.ts'
import type { Machine } from '../machine.ts'
import type { Phone } from '../phones/phone.ts'
import type { Report } from './checker.ts'

export class Counters {
  readonly #report: Report
  /** Null: there is no limit. */
  readonly #most: number | null

  /** A call is so many dialogs. */
  readonly #dialogs: number

  constructor(report: Report, most: number | null, dialogs = 1) {
    this.#dialogs = dialogs
    this.#report = report
    this.#most = most
  }

  /** `committed`: how far the log is. */
  look(machines: readonly Machine[], phones: readonly Phone[], committed: number): void {
    this.#limit(machines)
    // From the newest, which is the likeliest to be busy. Of a refusal that nobody upstream waits for (its INVITE came again out of a
    // network's memory) only the callee knows that it is under way.
    if (phones.findLast(({ busy, awaitsAck }) => busy || awaitsAck) !== undefined) return
    const talking = phones.filter(({ side, established }) => side === 'caller' && established).length
    for (const { id, replica } of machines) {
      if (replica === null || replica.store.appliedIndex < committed) continue
      const early = replica.store.counter(EARLY_CALLS)
      const confirmed = replica.store.counter(CONFIRMED_CALLS)
      const limited = this.#most === null ? talking : replica.store.counter(ALL_CALLS)
      if (limited !== talking)
        this.#report('C7', `replica ${id}: ${limited} calls count for the limit; ${talking} people talk`)
      if (early === 0 && confirmed === talking * this.#dialogs) continue
      this.#report('C7', `replica ${id} counts ${early} early and ${confirmed} confirmed calls; ${talking} people talk`)
    }
  }

  #limit(machines: readonly Machine[]): void {
    if (this.#most === null) return
    for (const { id, replica } of machines) {
      const calls = replica?.store.counter(ALL_CALLS) ?? 0
      if (calls > this.#most) this.#report('C7', `replica ${id} counts ${calls} calls, and ${this.#most} may be`)
    }
  }
}
