// RFC 3261 17.1.2: the client side of a request that is neither INVITE nor ACK.
//
//                   send
//                    |          E: send-request, twice the time, T2 at most
//                    v        +---+
//  F: timeout  +--------+     |   |
//  +-----------| trying |<----+---+
//  |           +--------+
//  |     1xx:   |      | 200-699: pass-up
//  |     pass-up|      +----------------+
//  |            v                       |
//  |     +------------+ --+ E: send-request after T2
//  |-----| proceeding |   | 1xx: pass-up
//  |  F  +------------+ <-+             |
//  |            | 200-699: pass-up      |
//  |            v                       |
//  |      +-----------+                 |
//  |      | completed |<----------------+   (absorbs responses)
//  |      +-----------+
//  |            | K
//  v            v
//  +-----------------+
//  |    terminated   |<--- transport error
//  +-----------------+

import type { Duration, Instant } from '../base/instant.ts'
import { plus } from '../base/instant.ts'
import { unreachable } from '../base/assert.ts'
import { doubled, earliest, retransmitAfter, sixtyFourT1Left } from './machine.ts'
import type { Retransmission } from './machine.ts'
import { timers } from './timers.ts'

export interface NonInviteClient {
  readonly state: 'trying' | 'proceeding' | 'completed' | 'terminated'
  readonly reliable: boolean
  /** Timer E. Invariant: null on reliable transports, and once a final answer came. */
  readonly e: Retransmission | null
  /** Timer F until a final answer came, then K. */
  readonly end: Instant | null
}

export type NonInviteClientEvent =
  | { readonly kind: 'response'; readonly status: number }
  | { readonly kind: 'transport-error' }
  | { readonly kind: 'time' }

type NonInviteClientAction = 'send-request' | 'pass-up' | 'timeout' | 'transport-error'

export interface NonInviteClientStep {
  readonly machine: NonInviteClient
  readonly actions: readonly NonInviteClientAction[]
}

/** The machine right after the request went out; `age`: how long ago it was decided (a takeover's CANCEL). */
export function startNonInviteClient(reliable: boolean, age: Duration, now: Instant): NonInviteClient {
  const e = reliable ? null : retransmitAfter(now, timers.t1)
  return { state: 'trying', reliable, e, end: sixtyFourT1Left(now, age) }
}

export function stepNonInviteClient(
  machine: NonInviteClient,
  event: NonInviteClientEvent,
  now: Instant,
): NonInviteClientStep {
  switch (event.kind) {
    case 'response':
      return onResponse(machine, event.status, now)
    case 'transport-error':
      return waiting(machine)
        ? { machine: terminated(machine.reliable), actions: ['transport-error'] }
        : { machine, actions: [] }
    case 'time':
      return onTime(machine, now)
    default:
      return unreachable(event)
  }
}

export function nonInviteClientDeadline(machine: NonInviteClient): Instant | null {
  return earliest([machine.e?.at ?? null, machine.end])
}

function waiting(machine: NonInviteClient): boolean {
  return machine.state === 'trying' || machine.state === 'proceeding'
}

function onResponse(machine: NonInviteClient, status: number, now: Instant): NonInviteClientStep {
  if (!waiting(machine)) return { machine, actions: [] }
  if (status < 200) return { machine: { ...machine, state: 'proceeding' }, actions: ['pass-up'] }
  return { machine: enterCompleted(machine.reliable, now), actions: ['pass-up'] }
}

function onTime(machine: NonInviteClient, now: Instant): NonInviteClientStep {
  if (machine.end !== null && machine.end <= now) {
    return { machine: terminated(machine.reliable), actions: waiting(machine) ? ['timeout'] : [] }
  }
  if (machine.e !== null && machine.e.at <= now) {
    // 17.1.2.2: doubling up to T2 in trying, always T2 in proceeding.
    const e = machine.state === 'proceeding' ? retransmitAfter(now, timers.t2) : doubled(machine.e, now, timers.t2)
    return { machine: { ...machine, e }, actions: ['send-request'] }
  }
  return { machine, actions: [] }
}

function enterCompleted(reliable: boolean, now: Instant): NonInviteClient {
  // Timer K is zero on reliable transports.
  if (reliable) return terminated(reliable)
  return { state: 'completed', reliable, e: null, end: plus(now, timers.t4) }
}

function terminated(reliable: boolean): NonInviteClient {
  return { state: 'terminated', reliable, e: null, end: null }
}
