import { expect, test } from 'vitest'
import { Failovers } from './failovers.ts'
import type { SetFact } from './failovers.ts'

/** `1` serves in its first life, `1b` in another one. */
function serving(...lives: readonly string[]): SetFact {
  return { kind: 'serving', lives: lives.map((life) => ({ id: Number(life[0]), life })) }
}

/** Three replicas of which the first leads, and all serve. */
function set(): Failovers {
  const failovers = new Failovers()
  for (const replica of [1, 2, 3]) failovers.take({ kind: 'runs', replica }, 0)
  failovers.take({ kind: 'leader', replica: 1, term: 1 }, 10)
  failovers.take(serving('1', '2', '3'), 20)
  return failovers
}

test('a leader that is killed: until another leads, until its calls have owners, until it serves again', () => {
  const failovers = set()
  failovers.take({ kind: 'gone', replica: 1, why: 'SIGKILL' }, 1_000)
  failovers.take({ kind: 'leader', replica: 2, term: 2 }, 1_800)
  failovers.take(serving('2', '3'), 1_950)
  failovers.take({ kind: 'runs', replica: 1 }, 6_100)
  failovers.take(serving('1b', '2', '3'), 6_500)
  expect(failovers.list).toEqual([
    { replica: 1, at: 1_000, why: 'SIGKILL', led: true, leaderMs: 800, ownersMs: 950, backMs: 5_500 },
  ])
  expect(failovers.stretches.filter(({ replica }) => replica === 1)).toEqual([
    { replica: 1, state: 'follower', from: 0, until: 10 },
    { replica: 1, state: 'leader', from: 10, until: 1_000 },
    { replica: 1, state: 'gone', from: 1_000, until: 6_100 },
    { replica: 1, state: 'follower', from: 6_100, until: null },
  ])
  expect(failovers.stretches.findLast(({ replica }) => replica === 2)?.state).toBe('leader')
})

test('a leader that is elected again leads on', () => {
  const failovers = set()
  failovers.take({ kind: 'leader', replica: 1, term: 2 }, 500)
  expect(failovers.stretches.filter(({ replica }) => replica === 1).map(({ state }) => state)).toEqual([
    'follower',
    'leader',
  ])
})

test('a follower: nobody else has to lead', () => {
  const failovers = set()
  failovers.take({ kind: 'gone', replica: 3, why: 'SIGKILL' }, 1_000)
  failovers.take(serving('1', '2'), 1_900)
  expect(failovers.list).toMatchObject([{ replica: 3, led: false, leaderMs: null, ownersMs: 900, backMs: null }])
})

test('one that hands over before it ends has no calls that wait for an owner', () => {
  const failovers = set()
  failovers.take(serving('1', '3'), 900)
  failovers.take({ kind: 'gone', replica: 2, why: 'exit code 0' }, 1_000)
  expect(failovers.list).toMatchObject([{ replica: 2, ownersMs: 0, backMs: null }])
})

test('one that starts again before anybody missed it: its calls wait until its old life serves no more', () => {
  const failovers = set()
  failovers.take({ kind: 'gone', replica: 2, why: 'SIGKILL' }, 1_000)
  failovers.take({ kind: 'runs', replica: 2 }, 1_100)
  failovers.take(serving('1', '2b', '3'), 1_400)
  expect(failovers.list).toMatchObject([{ replica: 2, ownersMs: 400, backMs: 400 }])
})

test('what two watchers see counts once, as the first one saw it', () => {
  const failovers = set()
  const gone = { kind: 'gone', replica: 2, why: 'SIGKILL' } as const
  expect(failovers.take(gone, 1_000)).toBe(true)
  expect(failovers.take({ ...gone, why: 'not running' }, 1_400)).toBe(false)
  expect(failovers.take({ kind: 'leader', replica: 3, term: 1 }, 1_500)).toBe(false)
  expect(failovers.list).toHaveLength(1)
})

test('two ends of one replica are two failovers, and each has its own times', () => {
  const failovers = set()
  for (const at of [1_000, 9_000]) {
    failovers.take({ kind: 'gone', replica: 2, why: 'SIGKILL' }, at)
    failovers.take(serving('1', '3'), at + 500)
    failovers.take({ kind: 'runs', replica: 2 }, at + 5_000)
    failovers.take(serving('1', `2${at}`, '3'), at + 5_300)
  }
  expect(failovers.list.map(({ at, ownersMs, backMs }) => [at, ownersMs, backMs])).toEqual([
    [9_000, 500, 5_300],
    [1_000, 500, 5_300],
  ])
})

test('it remembers a bounded number', () => {
  const failovers = set()
  for (let at = 1; at < 400; at++) {
    failovers.take({ kind: 'gone', replica: 2, why: 'SIGKILL' }, at * 10)
    failovers.take({ kind: 'runs', replica: 2 }, at * 10 + 5)
  }
  expect(failovers.list).toHaveLength(20)
  expect(failovers.stretches.length).toBeLessThanOrEqual(200)
})
