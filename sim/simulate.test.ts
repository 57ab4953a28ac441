import { describe, expect, it } from 'vitest'
import { drawPlan } from './plan.ts'
import { scenarios } from './scenarios.ts'
import { simulate } from './simulate.ts'

describe('a run', () => {
  it.each(scenarios.map(({ name, story, plan }) => [name, story, plan] as const))('%s: %s', (_name, _story, plan) => {
    const { failure, lost, calls } = simulate(plan)
    expect(failure).toBeNull()
    expect(lost).toBe(0)
    expect(calls).toBe(plan.calls.length)
  })

  it('is a function of its plan, whether somebody listens or not, whatever ran before', () => {
    const first = simulate(drawPlan(7))
    simulate(drawPlan(8))
    const lines: string[] = []
    const again = simulate(drawPlan(7), (line) => lines.push(line))
    expect(again).toEqual(first)
    expect(lines).toHaveLength(first.events)
    expect(first.failure).toBeNull()
  })

  it('of another seed has another trace', () => {
    expect(simulate(drawPlan(9)).traceHash).not.toBe(simulate(drawPlan(10)).traceHash)
  })
})
