import { setImmediate as round } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { hostLimits } from './limits.ts'
import { StreamRounds } from './stream-rounds.ts'

const { fullRound } = hostLimits
let handled: string[]
let rounds: StreamRounds<string>

beforeEach(() => {
  handled = []
  rounds = new StreamRounds<string>({
    room: 1_000,
    handle: (from, message) => void handled.push(`${from}${message}`),
    read: (from, isRead) => void handled.push(isRead ? `${from} is read` : `${from} waits`),
  })
})

function bring(from: string, count: number): void {
  for (let i = 1; i <= count; i++) expect(rounds.take(from, `${i}`)).toBe(true)
}

const numbers = (from: string, first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `${from}${first + i}`)

test('what fits into the round is handled at once', () => {
  bring('a', fullRound)
  expect(handled).toEqual(numbers('a', 1, fullRound))
  expect(rounds.isEmpty).toBe(true)
})

test('what doesn’t waits for the next ones, in order, and meanwhile its connection isn’t read', async () => {
  bring('a', 2 * fullRound + 1)
  expect(handled).toEqual([...numbers('a', 1, fullRound), 'a waits'])
  handled = []
  await round()
  expect(handled).toEqual(numbers('a', fullRound + 1, 2 * fullRound))
  expect(rounds.isWaiting('a')).toBe(true)
  handled = []
  await round()
  expect(handled).toEqual([`a${2 * fullRound + 1}`, 'a is read'])
  expect(rounds.isEmpty).toBe(true)
})

test('a connection with one message has its turn though another one brings hundreds', async () => {
  bring('a', 10 * fullRound)
  bring('b', 1)
  handled = []
  await round()
  expect(handled.slice(0, 3)).toEqual([`a${fullRound + 1}`, 'b1', 'b is read'])
  while (!rounds.isEmpty) await round()
  expect(handled.at(-1)).toBe('a is read')
})

test('more than may wait is refused, and what waits is still handled', async () => {
  const half = 'x'.repeat(500)
  bring('a', fullRound)
  expect([rounds.take('b', half), rounds.take('c', half), rounds.take('d', '1')]).toEqual([true, true, false])
  handled = []
  await round()
  expect(handled).toEqual([`b${half}`, 'b is read', `c${half}`, 'c is read'])
  expect(rounds.take('d', '1')).toBe(true)
})
