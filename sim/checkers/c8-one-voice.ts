// C8, its voice: a life that the log has taken a group from speaks for it no more. Its commits are fenced; what it sends is
// not, so it asks before it speaks (docs/decisions/0010), and what is late is not sent (design.md 1). The holder of a stream
// lends its voice to the owner that asks it.

import type { Life } from '../../src/base/brand.ts'
import type { GroupKey } from '../../src/base/brand.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import { decodeFrame } from '../../src/wire/codec.ts'
import type { Machine } from '../machine.ts'
import { summary } from '../sip-network.ts'
import type { Checker, Report } from './checker.ts'

/** The most that it may not know of (350 ms), the not-after (300 ms), and a slow disk between. */
const silentAfter = 1_000_000

export class OneVoice implements Checker {
  readonly #report: Report
  readonly #now: () => number
  /** Who asked for a send on a stream that another replica holds. */
  readonly #askers = new WeakMap<Effect, Life>()
  readonly #takenSince: (life: Life, group: GroupKey) => number | null

  constructor(report: Report, now: () => number, takenSince: (life: Life, group: GroupKey) => number | null) {
    this.#report = report
    this.#now = now
    this.#takenSince = takenSince
  }

  stepped(_machine: Machine, input: Input, effects: readonly Effect[]): void {
    if (input.kind !== 'peer') return
    for (const effect of effects) {
      if (effect.kind !== 'send' || effect.flow.stream === '') continue
      const asker = askerOf(input.from, input.frame)
      if (asker !== null) this.#askers.set(effect, asker)
    }
  }

  leaving(machine: Machine, effect: Effect): void {
    // A send that is late is not made.
    if (effect.kind !== 'send' || effect.origin === null) return
    const life = this.#askers.get(effect) ?? machine.life
    const since = this.#takenSince(life, effect.origin.group)
    if (since === null || this.#now() - since < silentAfter) return
    const ago = Math.round((this.#now() - since) / 1_000)
    this.#report('C8', `${life} lost group ${effect.origin.group} ${ago} ms ago and sends ${summary(effect.data)}`)
  }
}

/** Whose egress frame it is; null = it is none. */
function askerOf(from: Life, bytes: Uint8Array): Life | null {
  const frame = decodeFrame(bytes)
  if (!frame.ok) return null
  if (frame.value.kind === 'relay') return askerOf(frame.value.from, frame.value.frame)
  return frame.value.kind === 'egress' ? from : null
}
