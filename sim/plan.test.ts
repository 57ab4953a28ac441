import { expect, test } from 'vitest'
import { drawPlan } from './plan.ts'

test('the wall clocks of a majority are right in every drawn plan, skews and jumps together', () => {
  let both = 0
  for (let seed = 1; seed <= 2_000; seed++) {
    const { replicas, clock, faults } = drawPlan(seed)
    const skewed = clock.wallSkew.flatMap((skew, i) => (Math.abs(skew) > 300_000 ? [i + 1] : []))
    const jumping = faults.flatMap((fault) => (fault.kind === 'clock' || fault.kind === 'leap' ? [fault.replica] : []))
    if (skewed.length > 0 && jumping.length > 0) both++
    expect(2 * new Set([...skewed, ...jumping]).size, `seed ${seed}`).toBeLessThan(replicas)
  }
  expect(both).toBeGreaterThan(50)
})
