// The waiting times of RFC 3261 (table 4) and RFC 6026.

import { millis, seconds } from '../base/instant.ts'

export const timers = {
  /** 17.1.1.1: the estimated round-trip time. */
  t1: millis(500),
  /** Timer A's first interval, where 17.1.1.1 lets an element take more than T1: a callee that has answered repeats its 2xx T1
   * after it got the INVITE, so a little before this, and never sees the INVITE again (docs/decisions/0013). */
  firstA: millis(600),
  /** 17.1.2.2: the longest time between retransmissions of a non-INVITE request or of a final answer to an INVITE. */
  t2: seconds(4),
  /** 17.1.2.2: the longest time a message stays in the network. */
  t4: seconds(5),
  /** Timers B, D, F, H, J and RFC 6026's L and M. */
  sixtyFourT1: millis(32_000),
  /** 16.6 step 11 asks for more than three minutes. */
  timerC: seconds(185),
  /** 16.7 step 2 resets timer C on each 101-199; in the log that is done no more often than this. */
  timerCReset: seconds(60),
} as const
