import { setImmediate as round } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { hostLimits } from './limits.ts'
import { LoadWatch } from './load-watch.ts'

const { fullRound } = hostLimits

test('a second is full if no round of it had room, and if there was any', () => {
  const watch = new LoadWatch()
  const second = (...rounds: number[]): boolean => {
    for (const messages of rounds) watch.round(messages)
    return watch.second()
  }
  expect(second(fullRound, fullRound, fullRound + 5)).toBe(true)
  expect(second(fullRound, fullRound - 1, fullRound)).toBe(false)
  expect(second()).toBe(false)
})

test('a round is what came before the loop looked for more', async () => {
  const watch = new LoadWatch()
  for (const [messages, isFull] of [
    [fullRound, true],
    [fullRound - 1, false],
  ] as const) {
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < messages; j++) watch.came()
      await round()
    }
    expect(watch.second()).toBe(isFull)
  }
})
