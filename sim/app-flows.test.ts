import { expect, test } from 'vitest'
import { calm } from './scenarios.ts'
import { simulate } from './simulate.ts'

const second = 1_000_000

// The others are for `--crash-points` and the schedule `applications`.
test.each([
  ['app-counted', 'counts'],
  ['app-hangs', 'hangs'],
  ['app-cuts-off', 'cuts-off'],
  ['app-keeps-time', 'keeps-time'],
  ['chain-basic', 'chain'],
  ['keyed-call', 'keyed'],
] as const)('%s: what an application makes of a call is in the log once', (flow, application) => {
  const plan = {
    ...calm(1, [{ flow, at: 2.6 * second, isBrisk: true }], [], 3),
    application,
    isBrief: application !== 'hangs',
  }
  expect(simulate(plan).failure).toBeNull()
})
