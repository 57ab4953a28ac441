// A request of this group on its way: its route, and the bytes for its next hop.

import { forwardRequest } from '../proxy/forward.ts'
import type { Forwarded } from '../proxy/forward.ts'
import { route } from '../proxy/route.ts'
import type { RouteAnswer } from '../proxy/route.ts'
import { speaks } from '../proxy/own.ts'
import { breadthOf, shareOf, withinBreadth } from '../proxy/targets.ts'
import { otherSide } from '../session/dialog.ts'
import type { Dialog, Side } from '../session/dialog.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import type { CallSettings } from './contract.ts'
import { callLimits } from './limits.ts'
import { reply } from './reply.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

type ForwardAnswer = Extract<RouteAnswer, { kind: 'forward' }>

/** The one target of what doesn't fork. */
const FIRST = { ordinal: 1 } as const

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
  const { sip: set, nextHop, nextHops } = settings
  return route({ request, transport: flow.transport, set, keys, nextHop, nextHops, remote })
}

/** `mayMove`: it may go by TCP for its size, since its transaction can bring it back to UDP (18.1.1). */
export function forwarded(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  answer: ForwardAnswer,
  mayMove = true,
  target: { readonly ordinal: number; readonly breadth?: number } = FIRST,
): Forwarded {
  const { settings, keys } = turn.ctx
  const moves = mayMove && speaks(settings.sip, 'tcp') && !isUdpOnly(settings, answer.hop)
  const datagramMost = moves ? callLimits.datagramRequest : Infinity
  return forwardRequest(request, answer, {
    ...target,
    attempt: 1,
    group: turn.key,
    set: settings.sip,
    keys,
    arrival: flow,
    datagramMost,
  })
}

/** A request on its way to one of its targets. */
export interface Target extends Forwarded {
  /** From 1. */
  readonly ordinal: number
  /** Which group of targets, from 1. */
  readonly rank: number
}

/** An INVITE for each of its targets (16.6). A set that writes format 1 has no way to keep more than one. */
export function forwardedToAll(turn: Turn, request: SipRequest, flow: Flow, answer: ForwardAnswer): readonly Target[] {
  const { targets } = answer
  if (targets === null || turn.ctx.format === 1) {
    return [{ ...forwarded(turn, request, flow, answer), ordinal: 1, rank: 1 }]
  }
  const breadth = breadthOf(request)
  let ordinal = 0
  return withinBreadth(targets, breadth, callLimits.targets).flatMap((group, i) =>
    group.map((hop): Target => {
      ordinal++
      const place = { ordinal, breadth: shareOf(breadth, group.length) }
      return { ...forwarded(turn, request, flow, { ...answer, hop }, true, place), ordinal, rank: i + 1 }
    }),
  )
}

/** A next hop that the operator called one for UDP gets datagrams of any size. */
function isUdpOnly({ nextHop, nextHops }: CallSettings, hop: Flow): boolean {
  const all = nextHops?.flat() ?? (nextHop === null ? [] : [nextHop])
  return all.some(({ transport, host, port }) => transport === 'udp' && host === hop.host && port === hop.port)
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
