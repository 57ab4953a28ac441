import { expect, test } from 'vitest'
import { LiveSample } from './live-sample.ts'
import type { Asked, Glance } from './live-sample.ts'

function glance(replica: number, more: Partial<Glance['status']> = {}, commitTimes: readonly number[] = []): Glance {
  const status = {
    ...{ replica, life: `${replica}.a.1`, role: 'follower', term: 3, epoch: 2, commitIndex: 10, appliedIndex: 10 },
    serving: [1, 2, 3].map((id) => ({ id, life: `${id}.a.1` })),
    ...{ detached: false, groups: 5, entities: 9, calls: { early: 1, confirmed: 2 } },
    ...{ timers: { pending: 4 }, intents: { open: 0 } },
    ...more,
  }
  return { status, commitTimes, upcoming: [] }
}

const asked = (...glances: readonly (Glance | string)[]): readonly Asked[] =>
  glances.map((one, i) =>
    typeof one === 'string'
      ? { id: i + 1, pid: null, glance: null, trouble: one }
      : { id: i + 1, pid: 100 + i, glance: one, trouble: '' },
  )

test('each replica has its row; its lag is behind what anybody knows to be committed', () => {
  const leader = glance(2, { role: 'leader', commitIndex: 17, appliedIndex: 17 })
  const tick = new LiveSample().take(asked(glance(1), leader, 'not running'), 1_000)
  expect(tick.replicas.map(({ id, role, lag, serves, trouble }) => [id, role, lag, serves, trouble])).toEqual([
    [1, 'follower', 7, true, null],
    [2, 'leader', 0, true, null],
    // Its old life is an owner until the set says otherwise.
    [3, '', 0, true, 'not running'],
  ])
  expect(tick.counts).toEqual({ early: 1, confirmed: 2, groups: 5, entities: 9, timers: 4, intents: 0 })
})

test('a life that serves no more is not one that does, though its replica runs', () => {
  const tick = new LiveSample().take(asked(glance(1, { life: '1.b.1' }), glance(2, { role: 'leader' })), 1_000)
  expect(tick.replicas.map(({ serves }) => serves)).toEqual([false, true])
})

test('what the set holds is as its leader has it, and an old leader without a quorum is none', () => {
  const old = glance(1, { role: 'leader', term: 4, detached: true, groups: 1 })
  const sample = new LiveSample()
  expect(sample.take(asked(old, glance(2, { role: 'leader', groups: 8 })), 1).counts?.groups).toBe(8)
  expect(sample.take(asked(glance(1, { appliedIndex: 4, groups: 2 }), glance(2)), 2).counts?.groups).toBe(5)
  expect(sample.take(asked('not running', 'not running'), 3).counts).toBeNull()
})

test('rates are of the time between two looks, and each event counts once', () => {
  const sample = new LiveSample()
  sample.take(asked(glance(1)), 1_000)
  for (let i = 0; i < 6; i++) sample.event('call-started', {})
  sample.event('call-answered', { started: 1_000_000, answered: 1_900_000 })
  sample.event('call-ended', { cause: 'bye' })
  sample.event('call-ended', { cause: 'bye' })
  sample.event('call-ended', { cause: 'refused' })
  const tick = sample.take(asked(glance(1)), 3_000)
  expect(tick.point).toMatchObject({ at: 3_000, started: 3, early: 1, confirmed: 2, commit50: null })
  expect(tick.point.setup50).toBeGreaterThan(512)
  expect(tick.point.setup50).toBeLessThanOrEqual(1_000)
  expect(tick.endings).toEqual([
    ['bye', 2],
    ['refused', 1],
  ])
  expect(sample.take(asked(glance(1)), 4_000).point).toMatchObject({ started: 0, setup50: null })
})

test('commits are those of all replicas since the last look; a life that is new is not compared with another one', () => {
  const sample = new LiveSample()
  sample.take(asked(glance(1, {}, [0, 5]), glance(2, {}, [2, 0])), 1_000)
  const tick = sample.take(asked(glance(1, {}, [0, 9]), glance(2, {}, [8, 0])), 2_000)
  expect(tick.point.commits).toBe(10)
  expect(tick.point.commit50).toBeLessThanOrEqual(0.25)
  const next = sample.take(asked(glance(1, { life: '1.b.1' }, [400, 0]), glance(2, {}, [9, 0])), 3_000)
  expect(next.point.commits).toBe(1)
})
