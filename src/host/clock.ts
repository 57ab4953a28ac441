// The machine's two clocks in microseconds: one that never falls, and the wall's.

import { instant, stamp } from '../base/instant.ts'
import type { Instant, Stamp } from '../base/instant.ts'

export interface Clock {
  /** Never less than before. */
  now(): Instant
  wall(): Stamp
}

/** Both clocks of this machine; the monotonic one counts from the process's start. */
export function machineClock(): Clock {
  let last = 0
  return {
    now() {
      last = Math.max(last, Math.floor(performance.now() * 1_000))
      return instant(last)
    },
    wall: () => stamp(Date.now() * 1_000),
  }
}
