// What a simulated set is told of calls that it ends by itself.

import { seconds } from '../src/base/instant.ts'
import type { Lifetime } from '../src/call/contract.ts'

/** In seconds. */
export interface PlannedLifetime {
  readonly maxCall?: number
  /** Both sides are asked so often whether they are there, and again after `grace`. */
  readonly every?: number
  readonly grace?: number
  /** Whether session timers count. */
  readonly sessions?: boolean
}

export function lifetimeOf({ maxCall, every, grace = 0, sessions = false }: PlannedLifetime): Lifetime {
  return {
    ...(maxCall === undefined ? {} : { maxCall: seconds(maxCall) }),
    ...(every === undefined ? {} : { probe: { every: seconds(every), grace: seconds(grace) } }),
    sessions,
  }
}
