// Issue 7, done-when 4, simulated: browsers read sessions that browsers and calls change, at every replica, while those die, sleep and are
// cut off; no read shows less than its browser was shown before (sim/checkers/c9-web.ts). That the planted bugs are found, `sim --mutants` shows.

import { expect, test } from 'vitest'
import { schedules } from '../sim/schedules.ts'
import { simulate } from '../sim/simulate.ts'
import { must } from '../src/base/assert.ts'

const READS = 100_000

test(`${READS} reads after a response, under faults: none is stale [JSR 27]`, () => {
  const { plan } = must(
    schedules.find(({ name }) => name === 'pages'),
    'the schedule',
  )
  let [reads, seeds, faults, kills] = [0, 0, 0, 0]
  for (let seed = 1; reads < READS; seed++) {
    const run = simulate(plan(seed))
    expect(run.failure, `seed ${seed}`).toBeNull()
    reads += run.marks['web-read-after-a-response'] ?? 0
    faults += run.faults
    kills += run.kills
    seeds++
  }
  console.log(`${reads} reads in ${seeds} seeds, ${faults} faults, ${kills} of them kill -9: 0 stale`)
})
