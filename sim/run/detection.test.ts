import { expect, it } from 'vitest'
import { seedsNeeded } from './detection.ts'

it.each([
  [1, 1],
  [0.5, 5],
  [0.05, 59],
  [0.01, 299],
  [0.0002, 14_978],
])('a bug that a seed shows with probability %d takes %i seeds for 95 %%', (chance, seeds) => {
  expect(seedsNeeded(chance)).toBe(seeds)
})
