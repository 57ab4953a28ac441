// What the four machines of RFC 3261 section 17 have in common: each is a value, its deadlines included; `step` gives the
// next value and what is to be done, in order. The machine holds no messages: its user has them.
//
// `reliable` is the transport's (TCP): it turns off retransmissions and the waits that exist for them.

import type { Duration, Instant } from '../base/instant.ts'
import { plus } from '../base/instant.ts'
import { timers } from './timers.ts'

/** A retransmission that is armed: when, and how long it waited for this one. */
export interface Retransmission {
  readonly at: Instant
  readonly interval: Duration
}

export function retransmitAfter(now: Instant, interval: Duration): Retransmission {
  return { at: plus(now, interval), interval }
}

/** The next one after twice the time, `most` at most. */
export function doubled(last: Retransmission, now: Instant, most: Duration | null): Retransmission {
  const twice = (last.interval * 2) as Duration
  return retransmitAfter(now, most !== null && twice > most ? most : twice)
}

/** What remains of a 64*T1 that began `age` ago; never negative. */
export function sixtyFourT1Left(now: Instant, age: Duration): Instant {
  const left = timers.sixtyFourT1 - Math.max(0, age)
  return plus(now, Math.max(0, left) as Duration)
}

/** The earliest of some deadlines; null = none is armed. */
export function earliest(deadlines: readonly (Instant | null)[]): Instant | null {
  let first: Instant | null = null
  for (const at of deadlines) if (at !== null && (first === null || at < first)) first = at
  return first
}
