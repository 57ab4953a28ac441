import { setImmediate as round } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { hostLimits } from './limits.ts'
import { LoadWatch } from './load-watch.ts'

const { largeRound, loadCheckMs } = hostLimits

/** A check after which the loop had waited for so many milliseconds, and had these rounds. */
function isFull(idle: number, ...rounds: number[]): boolean {
  let times = { idle: 500, active: 500 }
  const watch = new LoadWatch(() => times)
  for (const messages of rounds) watch.round(messages)
  times = { idle: 500 + idle, active: 500 + loadCheckMs - idle }
  return watch.isFull()
}

test('too much is a loop that never waits, and whose rounds are large', () => {
  expect(isFull(0, largeRound, largeRound)).toBe(true)
  expect(isFull(10, largeRound + 10, largeRound - 10)).toBe(true)
  expect(isFull(0, largeRound, largeRound - 1)).toBe(false)
  expect(isFull(20, largeRound, largeRound)).toBe(false)
  expect(isFull(0)).toBe(false)
})

test('what was before the last check counts for nothing', () => {
  let times = { idle: 0, active: 0 }
  const watch = new LoadWatch(() => times)
  for (const [idle, active, messages, full] of [
    [0, 250, largeRound, true],
    [100, 400, largeRound, false],
    [100, 650, largeRound, true],
    [100, 900, 1, false],
  ] as const) {
    watch.round(messages)
    times = { idle, active }
    expect(watch.isFull()).toBe(full)
  }
})

test('a round is what came before the loop looked for more', async () => {
  let active = 0
  const watch = new LoadWatch(() => ({ idle: 0, active: (active += loadCheckMs) }))
  for (const [messages, full] of [
    [largeRound, true],
    [largeRound - 1, false],
  ] as const) {
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < messages; j++) watch.came()
      await round()
    }
    expect(watch.isFull()).toBe(full)
  }
})
