import { expect, it } from 'vitest'
import { drawPlan } from '../plan.ts'
import { calm } from '../scenarios.ts'
import { simulate } from '../simulate.ts'
import { marks } from './list.ts'

const second = 1_000_000

it('a calm run of one call reaches nothing of deaths, and what needs none', () => {
  const { marks: reached } = simulate(calm(1, [{ flow: 'basic', at: 4 * second }], []))
  expect(Object.keys(reached).filter((name) => /died|dead|tail|slept|two-leaders|deposed/.test(name))).toEqual([])
  expect(reached['answer-at-a-stranger']).toBeGreaterThan(0)
})

it('the death of the leader is one', () => {
  const kill = { kind: 'kill', effects: 0, tail: 'lost', restartAfter: second } as const
  const deaths = [1, 2, 3].map((replica, i) => ({ ...kill, at: (6 + 4 * i) * second, replica }))
  const { marks: reached } = simulate(calm(1, [{ flow: 'long-call', at: 4 * second }], deaths))
  expect(reached['leader-died']).toBeGreaterThan(0)
  expect(reached['takeover']).toBeGreaterThan(0)
  expect(reached['all-dead']).toBeUndefined()
})

it('all replicas dead at once is one', () => {
  const kill = { kind: 'kill', at: 6 * second, effects: 0, tail: 'kept', restartAfter: second } as const
  const { marks: reached } = simulate(
    calm(
      1,
      [],
      [1, 2, 3].map((replica) => ({ ...kill, replica })),
    ),
  )
  expect(reached['all-dead']).toBe(1)
})

it('only what is in the list is counted', () => {
  const names: readonly string[] = marks.map(({ name }) => name)
  for (const seed of [1, 2, 3]) {
    expect(Object.keys(simulate(drawPlan(seed)).marks).filter((name) => !names.includes(name))).toEqual([])
  }
  expect(new Set(names).size).toBe(names.length)
})
