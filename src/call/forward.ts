// A request of this group on its way: its route, and the bytes for its next hop.

import { must } from '../base/assert.ts'
import { sipHashText } from '../base/hash.ts'
import { forwardRequest } from '../proxy/forward.ts'
import type { BranchPlace } from '../proxy/branch.ts'
import type { ForwardPlace, Forwarded } from '../proxy/forward.ts'
import { flowsTo, placeName } from '../proxy/locate.ts'
import type { Place } from '../proxy/locate.ts'
import { isSips, route, routeToUri } from '../proxy/route.ts'
import type { Hop, RouteAnswer } from '../proxy/route.ts'
import { isNumeric, isOwnFlow, speaks } from '../proxy/own.ts'
import { breadthOf, shareOf, withinBreadth } from '../proxy/targets.ts'
import type { TargetSet } from '../proxy/targets.ts'
import { otherSide } from '../session/dialog.ts'
import type { Dialog, Side } from '../session/dialog.ts'
import { callId, toTag } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Transport } from '../sip/transport.ts'
import type { Flow } from '../wire/entry.ts'
import type { CallSettings, NextHop } from './contract.ts'
import { callLimits } from './limits.ts'
import { reply } from './reply.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

/** A route whose hops are found. */
export type Way =
  | {
      readonly kind: 'forward'
      readonly requestUri: string | null
      readonly routes: readonly string[] | null
      readonly hop: Flow
      /** Each target as the flows to try for it, one after another (RFC 3263 4.3); null = `hop` alone. */
      readonly targets: TargetSet<readonly Flow[]> | null
      /** Whether it goes to the set's own next hop. */
      readonly isIn: boolean
    }
  | Extract<RouteAnswer, { kind: 'refuse' }>
  /** A name is being looked up. */
  | { readonly kind: 'wait'; readonly place: Place }

export type ForwardWay = Extract<Way, { kind: 'forward' }>

/** The one target of what doesn't fork. */
const FIRST = { ordinal: 1, attempt: 1 } as const

/** Where the request goes. `dialog`: the one it is sent in, if we know it. */
export function routeOf(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  dialog: { readonly value: Dialog; readonly sender: Side } | null,
): Way {
  const { settings, keys } = turn.ctx
  const other = dialog === null ? null : dialog.value[otherSide(dialog.sender)]
  const remote = other === null || other.target === '' ? null : other
  const { sip: set, nextHop, nextHops } = settings
  const onward = toTag(request) === null ? turn.onward : []
  const { transport } = flow
  const own = { group: turn.key, set, keys, nextHop, nextHops }
  const answer = route({ request, transport, arrival: flow, ...own, onward, remote })
  return answer.kind === 'refuse' ? answer : located(turn, request, answer)
}

/** Where a URI of a 3xx leads (16.7 step 4), which came by that transport. `onward`: by way of those URIs. */
export function routeToContact(
  turn: Turn,
  request: SipRequest,
  transport: Transport,
  uri: string,
  onward: readonly string[] = [],
): Way {
  const { sip: set, nextHop } = turn.ctx.settings
  const question = { request, transport, set, keys: turn.ctx.keys, group: turn.key, nextHop, onward, remote: null }
  const answer = routeToUri(question, uri)
  return answer.kind === 'refuse' ? answer : located(turn, request, answer)
}

/** RFC 3263: the route with flows in the place of names. A target that isn't found is none. */
function located(turn: Turn, request: SipRequest, answer: Extract<RouteAnswer, { kind: 'forward' }>): Way {
  const { requestUri, routes, hop, targets } = answer
  const groups: (readonly Flow[])[][] = []
  let why: 'none' | 'failed' = 'none'
  for (const group of targets ?? [[hop]]) {
    const found: (readonly Flow[])[] = []
    for (const target of group) {
      const flows = flowsOf(turn, request, requestUri ?? request.requestUri, target)
      if (flows === 'wait') return { kind: 'wait', place: must(target.place, 'an address need not be found') }
      if (typeof flows === 'string') why = flows
      else found.push(flows)
    }
    if (found.length > 0) groups.push(found)
  }
  const first = groups[0]?.[0]?.[0]
  if (first === undefined) return notFound(turn, why)
  const isOne = groups.length === 1 && groups[0]?.length === 1 && groups[0][0]?.length === 1
  const isIn = isNextHop(turn.ctx.settings, hop)
  return { kind: 'forward', requestUri, routes, hop: first, targets: isOne && targets === null ? null : groups, isIn }
}

function flowsOf(
  turn: Turn,
  request: SipRequest,
  requestUri: string,
  { first, ...hop }: Hop,
): readonly Flow[] | 'wait' | 'none' | 'failed' {
  if (first === undefined) return placesOf(turn, request, requestUri, hop)
  const others = placesOf(turn, request, requestUri, hop)
  if (others === 'wait') return others
  return typeof others === 'string' ? [first] : [first, ...others].slice(0, callLimits.places)
}

function placesOf(
  turn: Turn,
  request: SipRequest,
  requestUri: string,
  { place, ...flow }: Hop,
): readonly Flow[] | 'wait' | 'none' | 'failed' {
  if (place === undefined) return [flow]
  const answer = turn.ctx.locate?.(place) ?? { kind: 'none' }
  if (answer === 'wait') return answer
  if (answer.kind !== 'found') return answer.kind
  // Each call draws its own way, the same one at whatever replica.
  const key = must(turn.ctx.keys.key(1), 'the set has no key yet')
  let draws = 0
  const text = `way ${turn.key} ${callId(request)} ${placeName(place)}`
  const chance = (below: number): number => sipHashText(key, text, String(draws++)).low % below
  const flows = flowsTo(answer.candidates, turn.ctx.settings.sip, isSips(requestUri), chance)
  return flows.length === 0 ? 'none' : flows.slice(0, callLimits.places)
}

function notFound({ ctx }: Turn, why: 'none' | 'failed'): Extract<RouteAnswer, { kind: 'refuse' }> {
  if (ctx.locate === undefined) {
    return { kind: 'refuse', status: 404, reason: 'Host Names Are Not Resolved', code: 'host-name' }
  }
  // 16.9 has a transport error be a 503, which goes upstream as 500 (16.7 step 6).
  if (why === 'failed') return { kind: 'refuse', status: 500, reason: 'Host Not Looked Up', code: 'dns-failed' }
  return { kind: 'refuse', status: 404, reason: 'No Such Host', code: 'no-such-host' }
}

function isNextHop(settings: CallSettings, hop: Flow): boolean {
  return hopsOf(settings).some(({ host, port }) => host === hop.host && port === hop.port)
}

/** Whether it may be the set's own next hop, which stands there by a name perhaps. */
export function mayBeNextHop(settings: CallSettings, hop: Flow): boolean {
  return isNextHop(settings, hop) || hopsOf(settings).some(({ host }) => !isNumeric(host))
}

function hopsOf({ nextHop, nextHops }: CallSettings): readonly NextHop[] {
  return nextHops?.flat() ?? (nextHop === null ? [] : [nextHop])
}

/** `mayMove`: it may go by TCP for its size, since its transaction can bring it back to UDP (18.1.1). */
export function forwarded(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  answer: ForwardWay,
  mayMove = true,
  target: BranchPlace & Pick<ForwardPlace, 'breadth' | 'isFollowed'> = FIRST,
): Forwarded {
  const { settings, keys } = turn.ctx
  const isFree = isUdpOnly(settings, answer.hop) || isOwnFlow(settings.sip, answer.hop)
  const moves = mayMove && speaks(settings.sip, 'tcp') && !isFree
  const datagramMost = moves ? callLimits.datagramRequest : Infinity
  return forwardRequest(request, answer, {
    ...target,
    group: turn.key,
    set: settings.sip,
    keys,
    arrival: flow,
    datagramMost,
  })
}

/** What doesn't fork, for each place of its target (RFC 3263 4.3): the first one, and those to try after it. */
export function forwardedToPlaces(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  answer: ForwardWay,
  mayMove = true,
): readonly [first: Forwarded, ...others: Forwarded[]] {
  const [, ...others] = answer.targets?.[0]?.[0] ?? []
  const at = (n: number): Parameters<typeof forwarded>[5] => {
    return { ordinal: 1, attempt: n + 1, ...(n < others.length ? { isFollowed: true } : {}) }
  }
  const later = others.map((hop, n) => forwarded(turn, request, flow, { ...answer, hop }, mayMove, at(n + 1)))
  return [forwarded(turn, request, flow, answer, mayMove, at(0)), ...later]
}

/** A request on its way to one of its targets. */
export interface Target extends Forwarded {
  /** From 1; the places to try for one target are attempts at it, from 1 as well. */
  readonly ordinal: number
  readonly attempt: number
  /** Which group of targets, from 1. */
  readonly rank: number
}

/** An INVITE for each of its targets (16.6). A set that writes format 1 has no way to keep more than one. */
export function forwardedToAll(turn: Turn, request: SipRequest, flow: Flow, answer: ForwardWay): readonly Target[] {
  const { targets } = answer
  if (targets === null || turn.ctx.format === 1) {
    return [{ ...forwarded(turn, request, flow, answer), ...FIRST, rank: 1 }]
  }
  const ways = targets.map((group) => group.map((flows) => ({ ...answer, targets: [[flows]] })))
  return forwardedTo(turn, request, flow, ways)
}

/** The same where each target has a way of its own. */
export function forwardedTo(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  ways: TargetSet<ForwardWay>,
): readonly Target[] {
  const breadth = breadthOf(request)
  const groups = withinBreadth(ways, breadth, callLimits.targets)
  const count = groups.flat().length
  const places = Math.max(1, Math.floor(callLimits.targets / count))
  let ordinal = 0
  return groups.flatMap((group, i) =>
    group.flatMap((way) => {
      ordinal++
      return flowsOfWay(way)
        .slice(0, places)
        .map((hop, n): Target => {
          const place = { ordinal, attempt: n + 1 }
          // A request with one target leaves as it always did.
          const share = count === 1 ? {} : { breadth: shareOf(breadth, group.length) }
          const out = forwarded(turn, request, flow, { ...way, hop }, true, { ...place, ...share })
          return { ...out, ...place, rank: i + 1 }
        })
    }),
  )
}

/** Those of its first target, one to be tried after another. */
export function flowsOfWay({ hop, targets }: ForwardWay): readonly Flow[] {
  return targets?.[0]?.[0] ?? [hop]
}

/** A next hop that the operator called one for UDP gets datagrams of any size. */
function isUdpOnly(settings: CallSettings, hop: Flow): boolean {
  return hopsOf(settings).some(
    ({ transport, host, port }) => transport === 'udp' && host === hop.host && port === hop.port,
  )
}

/** 16.11: relayed without state, at once; answered if it can't be (an ACK is dropped). */
export function forwardStateless(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  dialog: { readonly value: Dialog; readonly sender: Side } | null,
): void {
  const answer = routeOf(turn, request, flow, dialog)
  if (answer.kind === 'wait') return turn.wait(answer.place)
  if (answer.kind === 'refuse') {
    reply(turn, request, flow, answer.status, { reason: answer.reason })
    return
  }
  const out = forwarded(turn, request, flow, answer, false)
  turn.send(out.hop, out.text, what.untracked)
}
