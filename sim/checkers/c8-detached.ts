// C8: a replica without a quorum decides nothing. It is silent: nothing of SIP leaves it from 2 s after it was cut off.

import type { Effect } from '../../src/replica/effect.ts'
import type { Machine } from '../machine.ts'
import { summary } from '../sip-network.ts'
import type { Checker, Report } from './checker.ts'

/** design.md 7 says 1 s without a leader; the leader's last word may have been long under way. */
const silentAfter = 2_000_000

export class Detached implements Checker {
  readonly #report: Report
  readonly #now: () => number
  /** Since when a replica reaches no quorum; null = it does. */
  readonly #cutSince: (machine: Machine) => number | null

  constructor(report: Report, now: () => number, cutSince: (machine: Machine) => number | null) {
    this.#report = report
    this.#now = now
    this.#cutSince = cutSince
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind !== 'send') return
    const since = this.#cutSince(machine)
    if (since === null || this.#now() - since < silentAfter) return
    this.#report(
      'C8',
      `replica ${machine.id} has no quorum for ${Math.round((this.#now() - since) / 1_000)} ms and sends ${summary(effect.data)}`,
    )
  }
}
