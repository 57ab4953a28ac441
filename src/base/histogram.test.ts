import { expect, test } from 'vitest'
import { Histogram, quantile, timeBounds } from './histogram.ts'

function of(...values: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const value of values) histogram.add(value)
  return histogram
}

test('a measurement is counted at the first bound that is not below it, and above them all if there is none', () => {
  expect(of(0, 250).counts[0]).toBe(2)
  expect(of(251).counts[1]).toBe(1)
  expect(of(32_000_001).counts).toEqual([...timeBounds.map(() => 0), 1])
  expect(of(1, 2, 3).sum).toBe(6)
})

test('a quantile lies in the step where that part of the measurements ends', () => {
  expect(quantile(of().counts, 0.5)).toBeNull()
  const { counts } = of(...Array.from({ length: 99 }, () => 900), 5_000)
  expect(quantile(counts, 0.5)).toBeGreaterThan(500)
  expect(quantile(counts, 0.5)).toBeLessThanOrEqual(1_000)
  expect(quantile(counts, 0.99)).toBe(1_000)
  expect(quantile(counts, 1)).toBe(6_000)
  expect(quantile(of(99_000_000).counts, 0.5)).toBe(32_000_000)
})
