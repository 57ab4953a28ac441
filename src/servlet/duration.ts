// Lengths of time as applications give them.

import { millis } from '../base/instant.ts'
import type { Duration } from '../base/instant.ts'

/** A hundred years: what is longer is a mistake of units. */
const MOST = 36_525 * 86_400_000

/** Throws a TypeError unless it is a length of time. */
export function durationOf(milliseconds: number, rule: string): Duration {
  if (typeof milliseconds === 'number' && milliseconds >= 0 && milliseconds <= MOST) return millis(milliseconds)
  throw new TypeError(`${rule}: a number that is not negative, and less than a hundred years`)
}
