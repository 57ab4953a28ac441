// RFC 3261 17.2.2: the server side of a request that is neither INVITE nor ACK. Timer J is 64*T1 on streams too: between
// replicas an input is passed on at least once (design.md 3), so a repeat may come where the transport makes none.
//
//          request: pass-up
//             |
//             v
//        +--------+ --+ request: nothing
//        | trying |   |
//        +--------+ <-+
//    1xx:  |     | 200-699: send-response
//    send  v     +-----------+
//   +------------+ --+       |   request: send-last
//   | proceeding |   |       |   1xx: send-response
//   +------------+ <-+       |
//          | 200-699: send-response
//          v                 v
//        +--------------------+ --+
//        |     completed      |   | request: send-last
//        +--------------------+ <-+
//          | J
//          v
//    +------------+
//    | terminated |
//    +------------+

import type { Instant } from '../base/instant.ts'
import { plus } from '../base/instant.ts'
import { unreachable } from '../base/assert.ts'
import { timers } from './timers.ts'

export interface NonInviteServer {
  readonly state: 'trying' | 'proceeding' | 'completed' | 'terminated'
  /** Timer J. Invariant: null until a final answer went out. */
  readonly j: Instant | null
}

export type NonInviteServerEvent =
  | { readonly kind: 'request' }
  /** Its user sends a response. */
  | { readonly kind: 'respond'; readonly status: number }
  | { readonly kind: 'time' }

type NonInviteServerAction = 'send-response' | 'send-last'

export interface NonInviteServerStep {
  readonly machine: NonInviteServer
  readonly actions: readonly NonInviteServerAction[]
}

export function startNonInviteServer(): NonInviteServer {
  return { state: 'trying', j: null }
}

export function stepNonInviteServer(
  machine: NonInviteServer,
  event: NonInviteServerEvent,
  now: Instant,
): NonInviteServerStep {
  switch (event.kind) {
    case 'request':
      return { machine, actions: answers(machine) ? ['send-last'] : [] }
    case 'respond':
      return onRespond(machine, event.status, now)
    case 'time':
      return machine.j !== null && machine.j <= now
        ? { machine: { state: 'terminated', j: null }, actions: [] }
        : { machine, actions: [] }
    default:
      return unreachable(event)
  }
}

export function nonInviteServerDeadline(machine: NonInviteServer): Instant | null {
  return machine.j
}

function answers(machine: NonInviteServer): boolean {
  return machine.state === 'proceeding' || machine.state === 'completed'
}

function onRespond(machine: NonInviteServer, status: number, now: Instant): NonInviteServerStep {
  if (machine.state !== 'trying' && machine.state !== 'proceeding') return { machine, actions: [] }
  if (status < 200) return { machine: { ...machine, state: 'proceeding' }, actions: ['send-response'] }
  return { machine: { state: 'completed', j: plus(now, timers.sixtyFourT1) }, actions: ['send-response'] }
}
