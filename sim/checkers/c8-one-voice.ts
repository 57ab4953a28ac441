// C8, its voice: a life that the log has taken a group from speaks for it no more. Its commits are fenced; what it sends is
// not, so it asks before it speaks (docs/decisions/0010), and what is late is not sent (design.md 1).

import type { Life } from '../../src/base/brand.ts'
import type { GroupKey } from '../../src/base/brand.ts'
import type { Effect } from '../../src/replica/effect.ts'
import { limits } from '../../src/replica/limits.ts'
import type { Machine } from '../machine.ts'
import { summary } from '../sip-network.ts'
import type { Askers } from './askers.ts'
import type { Checker, Report } from './checker.ts'

/** Who is fresh has applied what was committed `confirmed` ago (decision 0010); what it says then leaves within the not-after, or
 * after a turn that began before it. */
const silentAfter = limits.confirmed + 2 * limits.notAfter

export class OneVoice implements Checker {
  readonly #report: Report
  readonly #now: () => number
  readonly #askers: Askers
  readonly #takenSince: (life: Life, group: GroupKey) => number | null

  constructor(
    report: Report,
    now: () => number,
    askers: Askers,
    takenSince: (life: Life, group: GroupKey) => number | null,
  ) {
    this.#askers = askers
    this.#report = report
    this.#now = now
    this.#takenSince = takenSince
  }

  leaving(machine: Machine, effect: Effect): void {
    // A send that is late is not made.
    if (effect.kind !== 'send' || effect.origin === null) return
    const life = this.#askers.of(machine, effect)
    const since = this.#takenSince(life, effect.origin.group)
    if (since === null || this.#now() - since < silentAfter) return
    const ago = Math.round((this.#now() - since) / 1_000)
    this.#report('C8', `${life} lost group ${effect.origin.group} ${ago} ms ago and sends ${summary(effect.data)}`)
  }
}
