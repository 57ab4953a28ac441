// A request of this group on its way: its route, and the bytes for its next hop.

import { forwardRequest } from '../proxy/forward.ts'
import type { Forwarded } from '../proxy/forward.ts'
import { route } from '../proxy/route.ts'
import type { RouteAnswer } from '../proxy/route.ts'
import type { NextHop } from '../proxy/settings.ts'
import { otherSide } from '../session/dialog.ts'
import type { Dialog, Side } from '../session/dialog.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import { callLimits } from './limits.ts'
import { reply } from './reply.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

/** One target and one attempt at it: parallel and sequential forking are for later. */
const FIRST = { ordinal: 1, attempt: 1 } as const

/** Where the request goes. `dialog`: the one it is sent in, if we know it. */
export function routeOf(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  dialog: { readonly value: Dialog; readonly sender: Side } | null,
): RouteAnswer {
  const { settings, keys } = turn.ctx
  const other = dialog === null ? null : dialog.value[otherSide(dialog.sender)]
  const remote = other === null || other.target === '' ? null : other
  return route({ request, transport: flow.transport, set: settings.sip, keys, nextHop: settings.nextHop, remote })
}

/** `mayMove`: it may go by TCP for its size, since its transaction can bring it back to UDP (18.1.1). */
export function forwarded(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  answer: Extract<RouteAnswer, { kind: 'forward' }>,
  mayMove = true,
): Forwarded {
  const { settings, keys } = turn.ctx
  const datagramMost = mayMove && !isUdpOnly(settings.nextHop, answer.hop) ? callLimits.datagramRequest : Infinity
  return forwardRequest(request, answer, {
    ...FIRST,
    group: turn.key,
    set: settings.sip,
    keys,
    arrival: flow,
    datagramMost,
  })
}

/** A next hop that the operator called one for UDP gets datagrams of any size. */
function isUdpOnly(nextHop: NextHop | null, hop: Flow): boolean {
  return nextHop?.transport === 'udp' && nextHop.host === hop.host && nextHop.port === hop.port
}

/** 16.11: relayed without state, at once; answered if it can't be (an ACK is dropped). */
export function forwardStateless(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  dialog: { readonly value: Dialog; readonly sender: Side } | null,
): void {
  const answer = routeOf(turn, request, flow, dialog)
  if (answer.kind === 'refuse') {
    reply(turn, request, flow, answer.status, { reason: answer.reason })
    return
  }
  const out = forwarded(turn, request, flow, answer, false)
  turn.send(out.hop, out.text, what.untracked)
}
