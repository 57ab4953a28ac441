// What may be wrong with a phone, drawn per call: a storm of repetitions, slowness, silent death, nonsense between its messages, a
// connection that the network resets, a callee that doesn't repeat its 2xx on a stream (RFC 3261 13.3.1.4 wants it to; not
// every one does).

import { draw } from './draws.ts'
import type { Side } from './ladder.ts'

export type Oddity =
  /** Each message leaves that often. */
  | { readonly kind: 'storm'; readonly times: number }
  /** Each message leaves that much later. */
  | { readonly kind: 'slow'; readonly by: number }
  /** That long after the call's beginning it says and hears nothing more. */
  | { readonly kind: 'dead'; readonly after: number }
  /** Before each of its messages it sends something that is none. */
  | { readonly kind: 'nonsense' }
  /** Its connections are reset that long after the call's beginning. */
  | { readonly kind: 'reset'; readonly after: number }
  | { readonly kind: 'terse' }

export interface OddPhone {
  readonly side: Side
  readonly oddity: Oddity
}

const second = 1_000_000
const kinds: readonly Oddity['kind'][] = ['storm', 'slow', 'dead', 'nonsense', 'reset', 'terse']

/** What is odd about call number `call`, in `perMillion` of a million calls. */
export function drawOddity(seed: number, call: number, perMillion: number): OddPhone | null {
  const odd = draw(seed, 'plan odd phones')
  if (!odd.chance(perMillion, 1, call)) return null
  const side: Side = odd.chance(500_000, 2, call) ? 'caller' : 'callee'
  const kind = kinds[odd.below(kinds.length, 3, call)] as Oddity['kind']
  switch (kind) {
    case 'storm':
      return { side, oddity: { kind, times: odd.within(2, 20, 4, call) } }
    case 'slow':
      return { side, oddity: { kind, by: odd.within(50_000, 1_500_000, 5, call) } }
    case 'dead':
    case 'reset':
      return { side, oddity: { kind, after: odd.within(0, 10 * second, 6, call) } }
    case 'nonsense':
      return { side, oddity: { kind } }
    case 'terse':
      return { side: 'callee', oddity: { kind } }
  }
}
