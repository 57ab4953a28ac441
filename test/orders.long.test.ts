// Issue 7, done-when 3, simulated: 10,000 keys that two or three clients create at one instant at different replicas, which die, sleep and lose
// their links meanwhile. The checkers (sim/checkers/orders.ts) say whether one session came of each.

import { expect, test } from 'vitest'
import { orders } from '../sim/order-schedule.ts'
import { simulate } from '../sim/simulate.ts'

const RACES = 10_000
/** Of one run: more than the schedule has, for a run costs more than its races. */
const ABREAST = 200

test('[JSR 12] 10,000 races for a key under faults: one session each', () => {
  let [races, kills, seed] = [0, 0, 1_000]
  const told = new Map<string, number>()
  while (races < RACES) {
    const plan = orders(++seed, ABREAST)
    const result = simulate(plan, (line) => {
      const kind = /order create-\S+ of \S+: (\w+)/.exec(String(line))?.[1]
      if (kind !== undefined) told.set(kind, (told.get(kind) ?? 0) + 1)
    })
    expect(result.failure).toBeNull()
    races += plan.races?.length ?? 0
    kills += result.kills
  }
  console.warn(`${races} races in ${seed - 1_000} runs with ${kills} kills; orders to create were told`, [...told])
})
