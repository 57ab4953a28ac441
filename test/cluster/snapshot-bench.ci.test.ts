// The snapshot benchmark in small, so that it can't rot: what it prints is for `npm run bench:snapshot` on a quiet machine.

import { expect, test } from 'vitest'
import { runSnapshots } from '../bench/snapshot-run.ts'

test('a snapshot, its transfer to an empty replica and a restart from disk go on beside commits', async () => {
  const phases = await runSnapshots({
    shape: { groups: 1_500, entities: 2, bytes: 500 },
    rate: 100,
    rest: 0.5,
    every: 4_000_000,
    patience: 30_000,
    say: () => undefined,
  })
  expect(phases.map(({ name }) => name)).toEqual([
    'a snapshot of its own',
    'nothing else',
    'transfer to an empty replica',
    'a replica restarts from disk',
  ])
  for (const { name, done, reading } of phases) {
    expect([name, done.commits > 0, reading.memory.heap > 0]).toEqual([name, true, true])
  }
})
