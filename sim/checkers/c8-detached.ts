// C8: a replica without a quorum decides nothing. It is silent: nothing of SIP leaves it from 2 s after it was cut off.

import { replicaOf } from '../../src/base/brand.ts'
import type { ReplicaId } from '../../src/base/brand.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Machine } from '../machine.ts'
import { summary } from '../sip-network.ts'
import type { Askers } from './askers.ts'
import type { Checker, Report } from './checker.ts'

/** design.md 7 says 1 s without a leader; the leader's last word may have been long under way. */
const silentAfter = 2_000_000

export class Detached implements Checker {
  readonly #report: Report
  readonly #now: () => number
  /** Since when a replica reaches no quorum; null = it does. */
  readonly #cutSince: (replica: ReplicaId) => number | null
  readonly #askers: Askers

  constructor(report: Report, now: () => number, askers: Askers, cutSince: (replica: ReplicaId) => number | null) {
    this.#askers = askers
    this.#report = report
    this.#now = now
    this.#cutSince = cutSince
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind !== 'send') return
    // A stream of a replica that is not heard can still serve an owner that is.
    const decider = replicaOf(this.#askers.of(machine, effect))
    const since = this.#cutSince(decider)
    if (since === null || this.#now() - since < silentAfter) return
    this.#report(
      'C8',
      `replica ${decider} has no quorum for ${Math.round((this.#now() - since) / 1_000)} ms and sends ${summary(effect.data)}`,
    )
  }
}
