// The moment of doom (proof.md, "Shrinking"): when was a failing run lost? Everything after a time is drawn again, many times:
// the faults that had not struck, and each delay, loss and wait from then on. How often it still fails says how much of the
// failure was decided by then.
//
//   P(failure)  1 |            ........x      x = the run as it was
//               0 |______......
//                 0        doom        failure

import { replicasOf, timeOf } from './fault.ts'
import { drawPlan } from './plan.ts'
import type { Fault, Plan } from './plan.ts'

/** One time, and how often the run failed when all after it was drawn again. */
export interface DoomPoint {
  readonly at: number
  readonly runs: number
  readonly failed: number
}

/** The plan as it was up to `at`, and as another seed would have it from then on. Its calls and rates stay. */
export function redrawnAfter(plan: Plan, at: number, seed: number): Plan {
  const struck = plan.faults.filter((fault) => timeOf(fault) <= at)
  const others = drawPlan(seed).faults.flatMap((fault) => fitted(fault, plan))
  return { ...plan, redrawn: { at, seed }, faults: [...struck, ...others.filter((fault) => timeOf(fault) > at)] }
}

/** A fault of another plan, if it fits into this one's set and time. */
function fitted(fault: Fault, { replicas, safetyUntil }: Plan): readonly Fault[] {
  if (fault.kind === 'crash' || fault.at >= safetyUntil || replicasOf(fault).some((id) => id > replicas)) return []
  return ['until' in fault ? { ...fault, until: Math.min(fault.until, safetyUntil) } : fault]
}

export function chanceOf({ runs, failed }: DoomPoint): number {
  return failed / Math.max(1, runs)
}

/** The last time at which it still was more likely to come out well, and the first from which on it was not; null = it never
 * was likely to fail, or always. Points are by time. */
export function momentOfDoom(points: readonly DoomPoint[]): readonly [open: DoomPoint, lost: DoomPoint] | null {
  const at = points.findLastIndex((point) => chanceOf(point) < 0.5)
  const [open, lost] = [points[at], points[at + 1]]
  return open === undefined || lost === undefined ? null : [open, lost]
}
