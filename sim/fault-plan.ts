// Plans as a fast-check arbitrary: those that seeds are drawn to, and the simpler ones that they shrink to.

import fc from 'fast-check'
import { drawPlan } from './plan.ts'
import type { Plan } from './plan.ts'
import { plansBelow } from './shrink.ts'

/** What a seed throws at the set (swarm: each a subset of faults, with rates and sizes of its own). Shrinks to fewer calls and
 * faults, a calmer world and rounder times; the seed stays, and with it all that the plan doesn't say. */
export function faultPlan(): fc.Arbitrary<Plan> {
  return fc.noShrink(fc.integer({ min: 1, max: 0x7fff_ffff })).chain((seed) => plansBelow(drawPlan(seed)))
}
