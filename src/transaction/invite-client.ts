// RFC 3261 17.1.1, as RFC 6026 8.4 changed it: the client side of an INVITE.
//
//                      send
//                       |                A: send-request, twice the time
//                       v              +---+
//       B: timeout  +---------+        |   |
//   +---------------| calling |<-------+---+
//   |               +---------+
//   |  300-699:        |   |   | 2xx: pass-up
//   |  ack, pass-up    |   |   +---------------------------+
//   |   +--------------+   | 1xx: pass-up                  |
//   |   |                  v         1xx: pass-up          |
//   |   |           +------------+ ---+                    |
//   |   |           | proceeding |    |                    |
//   |   |           +------------+ <--+                    |
//   |   | 300-699:     |        | 2xx: pass-up             |
//   |   | ack, pass-up |        |                          |
//   |   v              v        v                          v
//   | +-----------+         +----------+  2xx: pass-up
//   | | completed |--+      | accepted |--+
//   | +-----------+<-+      +----------+<-+
//   |   |   300-699: ack        | M
//   |   | D                     |
//   v   v                       v
//  +------------------------------+
//  |          terminated          |<--- transport error in calling, completed
//  +------------------------------+

import type { Duration, Instant } from '../base/instant.ts'
import { plus } from '../base/instant.ts'
import { unreachable } from '../base/assert.ts'
import { doubled, earliest, retransmitAfter, sixtyFourT1Left } from './machine.ts'
import type { Retransmission } from './machine.ts'
import { timers } from './timers.ts'

export interface InviteClient {
  readonly state: 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated'
  readonly reliable: boolean
  /** Timer A. Invariant: null unless calling on an unreliable transport. */
  readonly a: Retransmission | null
  /** Timer B while calling, D while completed, M while accepted. */
  readonly end: Instant | null
}

export type InviteClientEvent =
  | { readonly kind: 'response'; readonly status: number }
  | { readonly kind: 'transport-error' }
  | { readonly kind: 'time' }

type InviteClientAction = 'send-request' | 'send-ack' | 'pass-up' | 'timeout' | 'transport-error'

export interface InviteClientStep {
  readonly machine: InviteClient
  readonly actions: readonly InviteClientAction[]
}

/** The machine right after the INVITE went out. */
export function startInviteClient(reliable: boolean, now: Instant): InviteClient {
  return {
    state: 'calling',
    reliable,
    a: reliable ? null : retransmitAfter(now, timers.firstA),
    end: plus(now, timers.sixtyFourT1),
  }
}

/** The machine at a new owner. `age`: since the commit that made this state. The predecessor has sent the INVITE once, as far as
 * anybody knows, so timer A waits 2*T1: a callee that has answered repeats its 2xx after T1, so before it
 * (docs/decisions/0013). */
export function resumeInviteClient(
  state: 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated',
  reliable: boolean,
  age: Duration,
  now: Instant,
): InviteClient {
  const end = sixtyFourT1Left(now, age)
  switch (state) {
    case 'calling':
      return { state, reliable, a: reliable ? null : retransmitAfter(now, (2 * timers.t1) as Duration), end }
    case 'proceeding':
      return { state, reliable, a: null, end: null }
    case 'completed':
      return reliable ? terminated(reliable) : { state, reliable, a: null, end }
    case 'accepted':
      return { state, reliable, a: null, end }
    case 'terminated':
      return terminated(reliable)
    default:
      return unreachable(state)
  }
}

export function stepInviteClient(machine: InviteClient, event: InviteClientEvent, now: Instant): InviteClientStep {
  switch (event.kind) {
    case 'response':
      return onResponse(machine, event.status, now)
    case 'transport-error':
      // 17.1.4; in proceeding the request is known to have arrived.
      return machine.state === 'calling' || machine.state === 'completed'
        ? { machine: terminated(machine.reliable), actions: ['transport-error'] }
        : { machine, actions: [] }
    case 'time':
      return onTime(machine, now)
    default:
      return unreachable(event)
  }
}

export function inviteClientDeadline(machine: InviteClient): Instant | null {
  return earliest([machine.a?.at ?? null, machine.end])
}

function onResponse(machine: InviteClient, status: number, now: Instant): InviteClientStep {
  const { state, reliable } = machine
  switch (state) {
    case 'calling':
    case 'proceeding':
      if (status < 200) return { machine: { state: 'proceeding', reliable, a: null, end: null }, actions: ['pass-up'] }
      if (status < 300) return { machine: enterAccepted(reliable, now), actions: ['pass-up'] }
      return { machine: enterCompleted(reliable, now), actions: ['send-ack', 'pass-up'] }
    case 'completed':
      return { machine, actions: status >= 300 ? ['send-ack'] : [] }
    case 'accepted':
      // RFC 6026 7.2: each 2xx is passed up, anything else is not for us any more.
      return { machine, actions: status >= 200 && status < 300 ? ['pass-up'] : [] }
    case 'terminated':
      return { machine, actions: [] }
    default:
      return unreachable(state)
  }
}

function onTime(machine: InviteClient, now: Instant): InviteClientStep {
  if (machine.end !== null && machine.end <= now) {
    return { machine: terminated(machine.reliable), actions: machine.state === 'calling' ? ['timeout'] : [] }
  }
  if (machine.a !== null && machine.a.at <= now) {
    // 17.1.1.2: timer A doubles without a bound, until timer B.
    return { machine: { ...machine, a: doubled(machine.a, now, null) }, actions: ['send-request'] }
  }
  return { machine, actions: [] }
}

function enterCompleted(reliable: boolean, now: Instant): InviteClient {
  // Timer D is zero on reliable transports.
  if (reliable) return terminated(reliable)
  return { state: 'completed', reliable, a: null, end: plus(now, timers.sixtyFourT1) }
}

function enterAccepted(reliable: boolean, now: Instant): InviteClient {
  // RFC 6026 7.2: timer M.
  return { state: 'accepted', reliable, a: null, end: plus(now, timers.sixtyFourT1) }
}

function terminated(reliable: boolean): InviteClient {
  return { state: 'terminated', reliable, a: null, end: null }
}
