// The schedule `orders`: keys that several clients create at one instant at different replicas, and what they do with them then, while
// owners die, sleep, and lose their links.

import { draw } from './draws.ts'
import type { Fault } from './fault.ts'
import type { PlannedRace } from './order-clients.ts'
import type { Plan, PlannedCall } from './plan.ts'
import { calm } from './scenarios.ts'

const second = 1_000_000
const from = 3 * second
const until = 13 * second

const racesOfRun = 40

export function orders(seed: number, count = racesOfRun): Plan {
  const of = draw(seed, 'orders')
  // Some just before a death, so that who creates, and who is asked, is about to die.
  const deaths = Array.from({ length: 6 }, (_, n): Fault => {
    const at = of.within(from, until, 1, n)
    const replica = of.within(1, 3, 2, n)
    const kind = of.below(4, 3, n)
    if (kind === 0)
      return { kind: 'pause', at, replica, effects: of.below(12, 4, n), length: of.within(300_000, 4 * second, 5, n) }
    if (kind === 1) return { kind: 'reset', at, replica, other: 1 + (replica % 3) }
    const tail = of.chance(500_000, 6, n) ? 'kept' : 'lost'
    return {
      kind: 'kill',
      at,
      replica,
      effects: of.below(20, 7, n),
      tail,
      restartAfter: of.within(300_000, 2 * second, 8, n),
    }
  })
  const races = Array.from({ length: count }, (_, i): PlannedRace => {
    const near = deaths[of.below(deaths.length, 9, i)]
    const isNear = near !== undefined && 'at' in near && of.chance(500_000, 10, i)
    const at = isNear ? near.at - of.within(0, 6_000, 11, i) : of.within(from, until, 12, i)
    return { at, clients: of.within(2, 3, 13, i), rounds: of.chance(300_000, 14, i) ? of.within(1, 4, 15, i) : 0 }
  }).toSorted((a, b) => a.at - b.at)
  const calls: readonly PlannedCall[] = [{ flow: 'basic', at: from }]
  const plan = calm(seed, calls, deaths, 20)
  const delayMost = of.chance(500_000, 16) ? of.within(300, 20_000, 17) : 300
  const compaction = of.chance(300_000, 18)
    ? { compaction: { every: of.within(150, 600, 19), kept: 0, piece: 3_000 } }
    : {}
  return { ...plan, peer: { ...plan.peer, delayMost, late: 300_000 }, races, ...compaction }
}
