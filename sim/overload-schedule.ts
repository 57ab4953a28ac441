// The schedule `overload`: replicas are told that more comes than they take, while calls begin, INVITEs are lost and repeated, and one
// after another dies.

import { draw } from './draws.ts'
import type { Fault, Plan, PlannedCall } from './plan.ts'
import { calm } from './scenarios.ts'

const second = 1_000_000
const flows = ['at-once', 'basic', 'refused', 'cancelled', 're-invite', 'small-talk', 'callee-hangs-up']

export function overload(seed: number): Plan {
  const of = draw(seed, 'overload')
  const calls = Array.from({ length: 50 }, (_, i): PlannedCall => {
    const flow = flows[of.below(flows.length, 1, i)] ?? ''
    const at = of.within(3 * second, 16 * second, 2, i)
    return of.chance(250_000, 3, i) ? { flow, at, caller: 'tcp', callee: 'tcp' } : { flow, at }
  }).toSorted((a, b) => a.at - b.at)
  const floods = [1, 2, 3].map((replica): Fault => {
    const at = 4 * second + of.within(0, 3 * second, 4, replica)
    return { kind: 'overload', at, until: at + of.within(3 * second, 9 * second, 5, replica), replica }
  })
  const deaths = [0, 1, 2].map((n): Fault => ({
    kind: 'kill',
    at: (5 + 4 * n) * second + of.within(0, 3 * second, 6, n),
    replica: of.within(1, 3, 7, n),
    effects: of.below(20, 8, n),
    tail: of.chance(500_000, 9, n) ? 'kept' : 'lost',
    restartAfter: of.within(300_000, 2 * second, 10, n),
  }))
  const plan = calm(seed, calls, [...floods, ...deaths], 22)
  return {
    ...plan,
    peer: { delayLeast: 2_000, delayMost: of.within(5_000, 40_000, 11), late: 0 },
    udp: { ...plan.udp, loss: of.within(0, 80_000, 12), duplication: 50_000 },
  }
}
