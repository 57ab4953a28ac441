// A few thousand messages. 200,000 and the slow inputs are CI's (test/cluster/fuzz.ci.test.ts), more are `npm run fuzz`'s.

import { expect, test } from 'vitest'
import { makeInput } from './input.ts'
import { isSlow } from './slow.ts'
import { checkRange } from './worker.ts'

test('some thousand messages: every property holds, and all fates are among them', () => {
  const { failure, checked, messages, fates } = checkRange({ seed: 1, from: 0, to: 3_000 })
  expect([failure, checked]).toEqual([null, 3_000])
  expect(messages).toBeGreaterThan(500)
  expect(Math.min(fates.forwarded, fates.answered, fates.dropped)).toBeGreaterThan(300)
})

test('message K of a seed is the same for ever; another seed or number is another message', () => {
  expect(makeInput(7, 3).text).toBe(makeInput(7, 3).text)
  const texts = [makeInput(7, 3), makeInput(7, 4), makeInput(8, 3)].map(({ text }) => text)
  expect(new Set(texts).size).toBe(3)
})

test('what is late once is not slow, what never is in time is', () => {
  let runs = 0
  const late = (): void => {
    runs++
    for (const end = performance.now() + 300; performance.now() < end;);
  }
  expect(isSlow(6, () => void runs++)).toBe(false)
  expect(runs).toBe(1)
  expect(isSlow(6, late, 200)).toBe(true)
})
