// Calls of some flows, spread over a time.

import type { draw } from './draws.ts'
import type { PlannedCall } from './plan.ts'

export function many(
  of: ReturnType<typeof draw>,
  flows: readonly string[],
  count: number,
  from: number,
  to: number,
): readonly PlannedCall[] {
  return Array.from({ length: count }, (_, i) => ({
    flow: flows[of.below(flows.length, 20, i)] ?? '',
    at: of.within(from, to, 21, i),
  })).sort((a, b) => a.at - b.at)
}
