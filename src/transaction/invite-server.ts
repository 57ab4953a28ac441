// RFC 3261 17.2.1, as RFC 6026 8.5 changed it: the server side of an INVITE. Its user sends 100 itself.
//
//               INVITE: its user sends 100 once the call is committed
//                  |          INVITE: send-provisional
//                  v          provisional: send-response
//           +------------+ ---+
//           | proceeding |    |
//           +------------+ <--+
//     failure:  |      | success: send-response
//     send-resp |      +----------------------+
//               v                             v
//        +-----------+ --+ INVITE, G:    +----------+ --+ INVITE: nothing
//        | completed |   | send-final    | accepted |   | success: send-response
//        +-----------+ <-+               +----------+ <-+ ACK: pass-up
//     ACK  |     | H                          | L
//          v     |                            |
//   +-----------+|                            |
//   | confirmed ||  (absorbs ACK and INVITE)  |
//   +-----------+|                            |
//        | I     |                            |
//        v       v                            v
//      +----------------------------------------+
//      |                terminated              |
//      +----------------------------------------+

import type { Duration, Instant } from '../base/instant.ts'
import { plus } from '../base/instant.ts'
import { unreachable } from '../base/assert.ts'
import { doubled, earliest, retransmitAfter, sixtyFourT1Left } from './machine.ts'
import type { Retransmission } from './machine.ts'
import { timers } from './timers.ts'

export interface InviteServer {
  readonly state: 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated'
  readonly reliable: boolean
  /** Timer G. Invariant: null unless completed on an unreliable transport. */
  readonly g: Retransmission | null
  /** Timer H while completed, I while confirmed, L while accepted. */
  readonly end: Instant | null
}

export type InviteServerEvent =
  | { readonly kind: 'invite' }
  | { readonly kind: 'ack' }
  /** Its user sends a response. */
  | { readonly kind: 'respond'; readonly status: number }
  | { readonly kind: 'time' }

type InviteServerAction = 'send-provisional' | 'send-response' | 'send-final' | 'pass-up'

export interface InviteServerStep {
  readonly machine: InviteServer
  readonly actions: readonly InviteServerAction[]
}

export function startInviteServer(reliable: boolean): InviteServer {
  return { state: 'proceeding', reliable, g: null, end: null }
}

/** The machine at a new owner. `age`: since the commit that made this state. Timer G begins anew. */
export function resumeInviteServer(
  state: 'proceeding' | 'completed' | 'accepted',
  reliable: boolean,
  age: Duration,
  now: Instant,
): InviteServer {
  const end = state === 'proceeding' ? null : sixtyFourT1Left(now, age)
  return { state, reliable, g: state === 'completed' && !reliable ? retransmitAfter(now, timers.t1) : null, end }
}

export function stepInviteServer(machine: InviteServer, event: InviteServerEvent, now: Instant): InviteServerStep {
  switch (event.kind) {
    case 'invite':
      return { machine, actions: onInvite(machine) }
    case 'ack':
      return onAck(machine, now)
    case 'respond':
      return onRespond(machine, event.status, now)
    case 'time':
      return onTime(machine, now)
    default:
      return unreachable(event)
  }
}

export function inviteServerDeadline(machine: InviteServer): Instant | null {
  return earliest([machine.g?.at ?? null, machine.end])
}

function onInvite(machine: InviteServer): readonly InviteServerAction[] {
  if (machine.state === 'proceeding') return ['send-provisional']
  if (machine.state === 'completed') return ['send-final']
  return []
}

function onAck(machine: InviteServer, now: Instant): InviteServerStep {
  switch (machine.state) {
    case 'completed':
      return { machine: enterConfirmed(machine.reliable, now), actions: [] }
    case 'accepted':
      return { machine, actions: ['pass-up'] }
    case 'proceeding':
    case 'confirmed':
    case 'terminated':
      return { machine, actions: [] }
    default:
      return unreachable(machine.state)
  }
}

function onRespond(machine: InviteServer, status: number, now: Instant): InviteServerStep {
  const { reliable } = machine
  if (machine.state === 'accepted') {
    return { machine, actions: status >= 200 && status < 300 ? ['send-response'] : [] }
  }
  if (machine.state !== 'proceeding') return { machine, actions: [] }
  if (status < 200) return { machine, actions: ['send-response'] }
  if (status < 300) {
    // RFC 6026 7.1: timer L.
    const accepted: InviteServer = { state: 'accepted', reliable, g: null, end: plus(now, timers.sixtyFourT1) }
    return { machine: accepted, actions: ['send-response'] }
  }
  const g = reliable ? null : retransmitAfter(now, timers.t1)
  return {
    machine: { state: 'completed', reliable, g, end: plus(now, timers.sixtyFourT1) },
    actions: ['send-response'],
  }
}

function onTime(machine: InviteServer, now: Instant): InviteServerStep {
  if (machine.end !== null && machine.end <= now) return { machine: terminated(machine.reliable), actions: [] }
  if (machine.g !== null && machine.g.at <= now) {
    return { machine: { ...machine, g: doubled(machine.g, now, timers.t2) }, actions: ['send-final'] }
  }
  return { machine, actions: [] }
}

function enterConfirmed(reliable: boolean, now: Instant): InviteServer {
  // Timer I is zero on reliable transports.
  if (reliable) return terminated(reliable)
  return { state: 'confirmed', reliable, g: null, end: plus(now, timers.t4) }
}

function terminated(reliable: boolean): InviteServer {
  return { state: 'terminated', reliable, g: null, end: null }
}
