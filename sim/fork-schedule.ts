// The schedules `forks` and `routing`: calls that go to more than one callee, or on to another one.

import { draw } from './draws.ts'
import type { Flow } from './ladder.ts'
import { many } from './many-calls.ts'
import type { Fault, Plan, PlannedCall } from './plan.ts'
import { calm } from './scenarios.ts'

const second = 1_000_000

/** All calls of a run have the same next hops. */
export function forks(seed: number, kind: string, all: readonly Flow[]): Plan {
  const of = draw(seed, kind)
  // Six seeds in a row meet each way to fork.
  const way = all[(seed * 9) % all.length]?.fork?.forks ?? ''
  const names = all.filter(({ fork }) => fork?.forks === way).map(({ name }) => name)
  const onStreams = of.chance(500_000, 1) ? of.within(100_000, 900_000, 2) : 0
  const calls = many(of, names, 20, 3 * second, 20 * second).map((call, i): PlannedCall => {
    const isOnStream = of.chance(onStreams, 3, i)
    return isOnStream ? { ...call, caller: 'tcp' } : call
  })
  const deaths = Array.from({ length: 4 }, (_, i): Fault => ({
    kind: 'kill',
    at: 4 * second + i * 5 * second + of.within(0, 3 * second, 4, i),
    replica: of.within(1, 3, 5, i),
    effects: of.below(30, 6, i),
    tail: of.chance(500_000, 7, i) ? 'kept' : 'lost',
    restartAfter: of.within(500_000, 3 * second, 8, i),
  }))
  const plan = calm(seed, calls, deaths, 30)
  const loss = of.chance(500_000, 9) ? of.within(1_000, 50_000, 10) : 0
  const delayMost = plan.udp.delayLeast + of.within(500, 20_000, 11)
  return { ...plan, forks: way, udp: { ...plan.udp, loss, delayMost } }
}
