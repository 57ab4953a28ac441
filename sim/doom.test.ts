import { describe, expect, it } from 'vitest'
import { momentOfDoom, redrawnAfter } from './doom.ts'
import { replicasOf, timeOf } from './fault.ts'
import { drawPlan } from './plan.ts'
import type { Plan } from './plan.ts'
import { simulate } from './simulate.ts'

function linesOf(plan: Plan): readonly string[] {
  const lines: string[] = []
  simulate(plan, (line) => lines.push(line))
  // The first ones are the plan.
  return lines.slice(lines.findIndex((line) => line.includes('] starts as ')))
}

describe('a run drawn again after a time', () => {
  const plan = drawPlan(2)
  const at = 9_000_000

  it('is the same up to then, and another one afterwards', () => {
    const original = linesOf(plan)
    const again = linesOf(redrawnAfter(plan, at, 77))
    const upTo = (lines: readonly string[]): readonly string[] =>
      lines.filter((line) => Number(line.slice(0, 11)) * 1e6 < at)
    expect(upTo(again).length).toBeGreaterThan(1_000)
    expect(upTo(again)).toEqual(upTo(original))
    expect(again).not.toEqual(original)
  })

  it('keeps the faults that have struck, and what it is given fits', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { faults, calls } = redrawnAfter(plan, at, seed)
      expect(faults.filter((fault) => timeOf(fault) <= at)).toEqual(plan.faults.filter((fault) => timeOf(fault) <= at))
      expect(calls).toBe(plan.calls)
      for (const fault of faults) {
        expect(timeOf(fault)).toBeLessThan(plan.safetyUntil)
        expect(Math.max(0, ...replicasOf(fault))).toBeLessThanOrEqual(plan.replicas)
        if ('until' in fault) expect(fault.until).toBeGreaterThan(fault.at)
      }
    }
  })
})

describe('the moment of doom', () => {
  const points = (...failed: readonly number[]) => failed.map((one, at) => ({ at, runs: 10, failed: one }))

  it('is after the last time that was open', () => {
    expect(momentOfDoom(points(0, 1, 6, 4, 5, 10))).toMatchObject([{ at: 3 }, { at: 4 }])
  })

  it('is none where a run fails from the beginning, or never does', () => {
    expect(momentOfDoom(points(5, 9, 10))).toBeNull()
    expect(momentOfDoom(points(0, 1, 2))).toBeNull()
    expect(momentOfDoom([])).toBeNull()
  })
})
