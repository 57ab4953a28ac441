import fc from 'fast-check'
import { expect, it } from 'vitest'
import { faultPlan } from './fault-plan.ts'
import { drawPlan } from './plan.ts'

it('draws the plans of seeds', () => {
  fc.assert(
    fc.property(faultPlan(), (plan) => {
      expect(plan).toEqual(drawPlan(plan.seed))
    }),
    { numRuns: 20 },
  )
})

it('shrinks a plan to what its failure needs', () => {
  const { counterexample } = fc.check(
    fc.property(faultPlan(), ({ faults }) => faults.filter(({ kind }) => kind === 'kill').length < 2),
    { seed: 1 },
  )
  const [plan] = counterexample ?? []
  expect(plan?.faults.map(({ kind }) => kind)).toEqual(['kill', 'kill'])
  expect(plan?.calls).toEqual([])
  expect(plan?.udp.loss).toBe(0)
})
