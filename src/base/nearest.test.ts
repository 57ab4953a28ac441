import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

test.each([
  ['doInvit', 'doInvite'],
  ['DOBYE', 'doBye'],
  ['timeuot', 'timeout'],
  ['hello', null],
  ['', null],
])('%j is most likely to mean %j', (given, meant) => {
  expect(nearest(given, ['doInvite', 'doBye', 'timeout'])).toBe(meant)
})
