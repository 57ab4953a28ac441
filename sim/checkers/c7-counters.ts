// C7: counters equal the calls that are alive. The phones know which are: looked at whenever nothing is under way in any call,
// at every replica that has applied all that is committed. And where there is a limit of calls, never are more than that.

import type { CallBounds } from '../../src/call/contract.ts'
import { ALL_CALLS, CALLS_TO, CONFIRMED_CALLS, EARLY_CALLS, IN_CALLS, OUT_CALLS } from '../../src/session/holds.ts'
import { doorOf } from '../forks.ts'
import type { Machine } from '../machine.ts'
import type { Phone } from '../phones/phone.ts'
import { nameOf } from '../sip-network.ts'
import type { Report } from './checker.ts'

/** More callees than any call of ours has. */
const doors = [1, 2, 3, 4]

export class Counters {
  readonly #report: Report
  /** What is counted for a bound, with that. */
  readonly #bounded: readonly (readonly [counter: string, bound: number])[]
  readonly #most: number | null

  /** A call is so many dialogs; null = nobody knows. */
  readonly #dialogs: number | null

  constructor(report: Report, bounds: CallBounds, dialogs: number | null = 1) {
    this.#dialogs = dialogs
    this.#report = report
    this.#most = bounds.calls ?? null
    const routes = doors.map((door) => [CALLS_TO + nameOf(doorOf(door)), bounds.route] as const)
    const all = [[ALL_CALLS, bounds.calls], [IN_CALLS, bounds.in], [OUT_CALLS, bounds.out], ...routes] as const
    this.#bounded = all.flatMap(([counter, bound]) => (bound === undefined ? [] : [[counter, bound] as const]))
  }

  /** `committed`: how far the log is. Returns how many people talk; null: something is under way in a call, or
   * somebody has not applied what is committed. */
  look(machines: readonly Machine[], phones: readonly Phone[], committed: number): number | null {
    this.#limit(machines)
    const dialogs = this.#dialogs
    if (dialogs === null) return null
    // From the newest, which is the likeliest to be busy. Of a refusal that nobody upstream waits for (its INVITE came again out of a
    // network's memory) only the callee knows that it is under way.
    if (phones.findLast(({ busy, awaitsAck }) => busy || awaitsAck) !== undefined) return null
    const talking = phones.filter(({ side, established }) => side === 'caller' && established).length
    let isBehind = false
    for (const { id, replica } of machines) {
      if (replica === null) continue
      if (replica.store.appliedIndex < committed) {
        isBehind = true
        continue
      }
      const early = replica.store.counter(EARLY_CALLS)
      const confirmed = replica.store.counter(CONFIRMED_CALLS)
      const limited = this.#most === null ? talking : replica.store.counter(ALL_CALLS)
      if (limited !== talking)
        this.#report('C7', `replica ${id}: ${limited} calls count for the limit; ${talking} people talk`)
      // Each call that is up has at most one place of each kind.
      for (const [counter] of this.#bounded) {
        const held = replica.store.counter(counter)
        if (held > talking)
          this.#report('C7', `replica ${id}: ${held} places of ${counter} are held; ${talking} people talk`)
      }
      if (early === 0 && confirmed === talking * dialogs) continue
      this.#report('C7', `replica ${id} counts ${early} early and ${confirmed} confirmed calls; ${talking} people talk`)
    }
    return isBehind ? null : talking
  }

  #limit(machines: readonly Machine[]): void {
    for (const { id, replica } of machines) {
      for (const [counter, bound] of this.#bounded) {
        const calls = replica?.store.counter(counter) ?? 0
        if (calls > bound) this.#report('C7', `replica ${id} counts ${calls} ${counter}, and ${bound} may be`)
      }
    }
  }
}
