// A seed's plan with another load: as many calls a second as is asked for, all the time, and the seed's own faults. For
// measuring; seeds draw a few calls each, because faults find more there. Not the seed's bounds of appends: four entries under
// way to a disk that takes 60 ms are fewer than 20 calls a second make.

import { draw } from './draws.ts'
import { limits } from '../src/replica/limits.ts'
import { drawnFlowNames } from './flows.ts'
import { drawPlan } from './plan.ts'
import type { Plan } from './plan.ts'

const second = 1_000_000
/** Elections and admission are over, unless faults came early. */
const firstCall = 3 * second

export function loadPlan(seed: number, callsPerSecond: number): Plan {
  const plan = drawPlan(seed)
  const flow = draw(seed, 'load flow')
  const count = Math.floor(((plan.safetyUntil - firstCall) / second) * callsPerSecond)
  const calls = Array.from({ length: count }, (_, i) => ({
    flow: drawnFlowNames[flow.below(drawnFlowNames.length, i)] as string,
    at: firstCall + Math.floor((i * second) / callsPerSecond),
  }))
  return { ...plan, calls, raft: { appendEntries: limits.appendEntries, inflight: limits.inflight } }
}
