import { describe, expect, it } from 'vitest'
import { seconds } from '../base/instant.ts'
import type { Totals } from './testing/network.ts'
import { Network, noTotals } from './testing/network.ts'

// HOLDFAST_RAFT_SEEDS=A-B runs others.
const [first, last] = (process.env['HOLDFAST_RAFT_SEEDS'] ?? '1-40').split('-').map(Number) as [number, number]

function run(seed: number): Totals {
  try {
    return new Network(seed).run(seconds(3), seconds(10))
  } catch (error) {
    throw new Error(`seed ${seed}: ${String(error)}`, { cause: error })
  }
}

describe('a set on a bad network', () => {
  it('keeps the invariants of the log after every step, and comes together when the faults stop', () => {
    const sum: Totals = { ...noTotals }
    for (let seed = first; seed <= last; seed++) {
      const totals = run(seed)
      for (const key of Object.keys(sum) as (keyof Totals)[]) sum[key] += totals[key]
    }
    // The run is worth something only if all of this happened.
    const runs = last - first + 1
    expect(sum.crashes).toBeGreaterThan(runs)
    expect(sum.elections).toBeGreaterThan(2 * runs)
    expect(sum.commits).toBeGreaterThan(50 * runs)
    expect(sum.reads).toBeGreaterThan(20 * runs)
    expect(sum.changes).toBeGreaterThan(runs)
    expect(sum.transfers).toBeGreaterThan(runs)
    expect(sum.snapshots).toBeGreaterThan(2 * runs)
    expect(sum.installed).toBeGreaterThan(runs / 2)
    if (process.env['HOLDFAST_RAFT_SEEDS'] !== undefined) console.log(sum)
  })

  it('is a function of its seed', () => {
    const once = new Network(7).run(seconds(3), seconds(10))
    expect(new Network(7).run(seconds(3), seconds(10))).toEqual(once)
  })
})
