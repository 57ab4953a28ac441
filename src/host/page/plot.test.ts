import { expect, test } from 'vitest'
import { ceiling, runsOf, spanOf } from './plot.ts'

test.each([
  [0, 0],
  [0.3, 0.5],
  [1, 1],
  [7, 10],
  [12, 20],
  [480, 500],
])('the top of a plot that goes up to %d is %d', (value, top) => {
  expect(ceiling(value)).toBeCloseTo(top)
})

test('a line breaks off where nothing came for seconds, and goes over what was not measured in between', () => {
  const points = [
    { at: 0, values: [1] },
    { at: 1_000, values: [null] },
    { at: 2_000, values: [2] },
    { at: 60_000, values: [3] },
  ]
  expect(runsOf(points, 0).map((run) => run.map(({ value }) => value))).toEqual([[1, 2], [3]])
})

test('a picture becomes wider as there is more to show, up to five minutes', () => {
  expect([0, 59_000, 61_000, 200_000, 999_000].map((age) => spanOf(0, age))).toEqual([
    60_000, 60_000, 120_000, 300_000, 300_000,
  ])
})
