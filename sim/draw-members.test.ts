import { expect, it } from 'vitest'
import { drawFaults } from './draw-faults.ts'
import { drawMembers } from './draw-members.ts'
import { timeOf } from './fault.ts'
import type { Fault } from './fault.ts'
import { drawPlan } from './plan.ts'
import type { Plan } from './plan.ts'

const kinds: ReadonlySet<string> = new Set(['join', 'remove', 'replace', 'transfer'])
const plans = Array.from({ length: 150 }, (_, i) => drawPlan(i + 1))

function struck({ seed, replicas, safetyUntil, calls }: Plan): readonly Fault[] {
  return drawFaults(seed, replicas, safetyUntil, calls)
}

it('a seed that draws no change of the set keeps its faults, and each change some seeds draw', () => {
  const without = plans.filter(({ faults }) => faults.every(({ kind }) => !kinds.has(kind)))
  expect(without.length).toBeGreaterThan(30)
  for (const plan of without) {
    const faults = struck(plan)
    const { seed, replicas, safetyUntil: until, calls } = plan
    expect(drawMembers(seed, { replicas, until, calls }, faults)).toBe(faults)
  }
  const drawn = new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)))
  for (const kind of kinds) expect(drawn).toContain(kind)
})

it('a set that changes keeps three places, and what strikes a newcomer comes after it', () => {
  for (const { seed, replicas, faults, safetyUntil } of plans) {
    const places = new Set(Array.from({ length: replicas }, (_, i) => i + 1))
    for (const fault of faults) {
      expect(timeOf(fault), `seed ${seed}`).toBeLessThan(safetyUntil)
      if (fault.kind === 'join') places.add(fault.replica)
      if (fault.kind === 'remove') places.delete(fault.replica)
      expect(places.size, `seed ${seed}`).toBeGreaterThanOrEqual(3)
      const isNewcomer = 'replica' in fault && fault.replica > replicas
      if (!isNewcomer || kinds.has(fault.kind)) continue
      const came = faults.find((one) => one.kind === 'join' && one.replica === fault.replica)
      expect(came === undefined ? Infinity : timeOf(came), `seed ${seed}`).toBeLessThan(timeOf(fault))
    }
  }
})
