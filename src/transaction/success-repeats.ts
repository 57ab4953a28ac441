// RFC 3261 13.3.1.4: a UAS repeats its 2xx to an INVITE until the ACK comes, on streams too, since a proxy on the way may go on by
// datagrams. The transaction (RFC 6026 8.5) has no part in that. That no ACK came within 64*T1 is said by a timer of the log.
//
//              2xx sent
//                 |          T1, twice the time, T2 at most: send-final
//                 v         +---+
//           +-----------+   |   |
//           | repeating |<--+---+
//           +-----------+
//       ACK |           | 64*T1
//           v           v
//          +-------------+
//          |    over     |
//          +-------------+

import type { Duration, Instant } from '../base/instant.ts'
import { unreachable } from '../base/assert.ts'
import { doubled, earliest, retransmitAfter, sixtyFourT1Left } from './machine.ts'
import type { Retransmission } from './machine.ts'
import { timers } from './timers.ts'

export interface SuccessRepeats {
  readonly state: 'repeating' | 'over'
  /** Invariant: null when over, as is `end`. */
  readonly next: Retransmission | null
  readonly end: Instant | null
}

export type SuccessEvent = { readonly kind: 'ack' } | { readonly kind: 'time' }

export interface SuccessStep {
  readonly machine: SuccessRepeats
  readonly actions: readonly 'send-final'[]
}

const OVER: SuccessRepeats = { state: 'over', next: null, end: null }

/** The machine right after the 2xx went out; `age`: since its commit, at a new owner. */
export function startSuccess(age: Duration, now: Instant): SuccessRepeats {
  return { state: 'repeating', next: retransmitAfter(now, timers.t1), end: sixtyFourT1Left(now, age) }
}

export function stepSuccess(machine: SuccessRepeats, event: SuccessEvent, now: Instant): SuccessStep {
  if (machine.state === 'over') return { machine, actions: [] }
  switch (event.kind) {
    case 'ack':
      return { machine: OVER, actions: [] }
    case 'time':
      return onTime(machine, now)
    default:
      return unreachable(event)
  }
}

export function successDeadline(machine: SuccessRepeats): Instant | null {
  return earliest([machine.next?.at ?? null, machine.end])
}

function onTime(machine: SuccessRepeats, now: Instant): SuccessStep {
  if (machine.end !== null && machine.end <= now) return { machine: OVER, actions: [] }
  if (machine.next === null || machine.next.at > now) return { machine, actions: [] }
  return { machine: { ...machine, next: doubled(machine.next, now, timers.t2) }, actions: ['send-final'] }
}
