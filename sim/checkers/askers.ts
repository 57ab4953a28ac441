// For whom a replica sends: the holder of a stream lends its voice to the owner that asks it (src/replica/egress.ts).

import type { Life } from '../../src/base/brand.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import { decodeFrame } from '../../src/wire/codec.ts'
import type { Machine } from '../machine.ts'
import type { Checker } from './checker.ts'

export class Askers implements Checker {
  readonly #askers = new WeakMap<Effect, Life>()

  stepped(_machine: Machine, input: Input, effects: readonly Effect[]): void {
    if (input.kind !== 'peer') return
    for (const effect of effects) {
      if (effect.kind !== 'send' || effect.flow.stream === '') continue
      const asker = askerOf(input.from, input.frame)
      if (asker !== null) this.#askers.set(effect, asker)
    }
  }

  /** The life that decided on this send of `machine`. */
  of(machine: Machine, effect: Effect): Life {
    return this.#askers.get(effect) ?? machine.life
  }
}

/** Whose egress frame it is; null = it is none. */
function askerOf(from: Life, bytes: Uint8Array): Life | null {
  const frame = decodeFrame(bytes)
  if (!frame.ok) return null
  if (frame.value.kind === 'relay') return askerOf(frame.value.from, frame.value.frame)
  return frame.value.kind === 'egress' ? from : null
}
