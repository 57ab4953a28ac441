// Lengths of time as applications give them.

import { appLimits } from '../app/limits.ts'
import { millis } from '../base/instant.ts'
import type { Duration } from '../base/instant.ts'

/** Throws a TypeError unless it is a length of time. */
export function durationOf(milliseconds: number, rule: string): Duration {
  const isOne = typeof milliseconds === 'number' && milliseconds >= 0 && milliseconds * 1_000 <= appLimits.mostDelay
  if (isOne) return millis(milliseconds)
  throw new TypeError(`${rule}: a number that is not negative, and at most ten years`)
}
