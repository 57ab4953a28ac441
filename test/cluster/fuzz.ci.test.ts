// 200,000 fuzzed messages (test/fuzz/): no throw, nothing slow, nothing inserted; and the slowest messages that we could think of.

import { expect, test } from 'vitest'
import { costMs, isSlow } from '../fuzz/slow.ts'
import { slowInputs } from '../fuzz/slow-inputs.ts'
import { checkRange } from '../fuzz/worker.ts'
import { proxied } from '../torture/proxied.ts'

test.each([1, 2, 3, 4])('50,000 messages of seed %i', (seed) => {
  const { failure, checked } = checkRange({ seed, from: 0, to: 50_000 })
  expect([failure, checked]).toEqual([null, 50_000])
})

test.each(slowInputs.map(([name, text]) => ({ name, text })))('5 ms of processor time suffice: $name', ({ text }) => {
  const work = (): void => void proxied(text)
  expect(isSlow(costMs(work), work)).toBe(false)
})
