// Where a request goes: RFC 3261 16.4 (route information), 16.5 (targets) and the next hop of 16.6. One target, but for an
// INVITE that starts a dialog, where several next hops are set.
//
// A next hop with a name is not looked up here (RFC 3263): the answer says what is to be found.

import { must } from '../base/assert.ts'
import type { GroupKey } from '../base/brand.ts'
import { routes, toTag, values } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { withoutBrackets } from '../sip/host.ts'
import { parseNameAddr } from '../sip/name-addr.ts'
import { equalUris, parseUri } from '../sip/uri.ts'
import type { SipUri, Uri } from '../sip/uri.ts'
import { defaultPort, isSecure, isWebSocket } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'
import type { Flow } from '../wire/entry.ts'
import type { Place } from './locate.ts'
import { readDatagramBinding } from './datagram-binding.ts'
import { FLOW, isSameFlow, readFlowToken } from './flow-token.ts'
import { OUTBOUND } from './path.ts'
import { isName, isNumeric, isSetHost, isSetUri, speaks, transportOfOwn } from './own.ts'
import type { NextHop, NextHops, SetAddress, SetKeys } from './settings.ts'
import type { TargetSet } from './targets.ts'
import { TOKEN, readToken } from './token.ts'

export interface RouteQuestion {
  readonly request: SipRequest
  /** The transport the request came on, and the flow. */
  readonly transport: Transport
  readonly arrival?: Flow
  readonly set: SetAddress
  readonly keys: SetKeys
  readonly nextHop: NextHop | null
  /** Where an INVITE goes instead, if to more than one. */
  readonly nextHops?: NextHops | undefined
  /** Whose request it is now: what our own values say of other groups is theirs to read (chain.ts); absent = every group's. */
  readonly group?: GroupKey
  /** URIs that are put before its Route: the application router sends it there; absent = none. */
  readonly onward?: readonly string[]
  /** The committed target of the dialog's other side; null = no dialog, or it gave none. `stream`: the connection that it is reached
   * by, where it can't be called back; empty = by its target. */
  readonly remote: {
    readonly target: string
    readonly transport: Transport
    readonly stream: string
    readonly routes?: readonly string[]
  } | null
}

export type RouteAnswer =
  | {
      readonly kind: 'forward'
      /** null = as it is. */
      readonly requestUri: string | null
      /** The Route values it leaves with; null = as they are. */
      readonly routes: readonly string[] | null
      readonly hop: Hop
      /** All targets of an INVITE that forks; null = `hop` alone. */
      readonly targets: TargetSet<Hop> | null
    }
  /** It can't be forwarded; `code` says why, in a log's words. */
  | { readonly kind: 'refuse'; readonly status: number; readonly reason: string | null; readonly code: string }

/** Where it goes: an address, or what is still to be found, and then `host` is a name and the rest only what it would be. */
export interface Hop extends Flow {
  readonly place?: Place
  /** The connection that is tried before that. */
  readonly first?: Flow
}

interface RouteValue {
  /** As on the wire. */
  readonly text: string
  readonly uri: string
}

interface Plan {
  readonly requestUri: string
  readonly routes: readonly RouteValue[]
  /** For a next hop that names none: that of the side the request leaves on. */
  readonly transport: Transport
  /** Our own value that a phone's Path had, which leads to that phone (path.ts). */
  readonly path?: RouteValue & { readonly own: SipUri }
}

export function route(question: RouteQuestion): RouteAnswer {
  const plan = withoutOurRoutes(question, withoutStrictRoute(question, originalPlan(question)))
  const { onward = [] } = question
  if (onward.length > 0) return byPlan(question, before(plan, onward))
  if (plan.path !== undefined) return byPath(question, plan, plan.path.own)
  return byPlan(question, plan)
}

/** Those URIs come first; what leads to a phone by its Path is still to be read where the last of them leads. */
function before({ path, ...plan }: Plan, onward: readonly string[]): Plan {
  const routes = path === undefined ? plan.routes : [path, ...plan.routes]
  return { ...plan, routes: [...onward.map((uri) => ({ text: `<${uri}>`, uri })), ...routes] }
}

function byPlan(question: RouteQuestion, plan: Plan): RouteAnswer {
  const next = plan.routes[0]
  if (next !== undefined) return byRoute(question, plan, next)
  const uri = parseUri(plan.requestUri)
  if (uri === null || uri.kind !== 'sip') return byScheme(question, plan, uri)
  const inDialog = toTag(question.request) !== null
  if (isSetUri(question.set, uri)) return inDialog ? byDialog(question, plan) : byNextHop(question, plan, 404)
  if (!inDialog && question.nextHop !== null) return byNextHop(question, plan, 404)
  return byUri(question, plan, uri)
}

/** Where a URI leads that a 3xx named (16.7 step 4), as a Request-URI that nothing but itself decides; the set's own is the next
 * hop's. */
export function routeToUri(question: RouteQuestion, text: string): RouteAnswer {
  const { set, transport, onward = [] } = question
  const plan: Plan = { requestUri: text, routes: [], transport: sideOf(set, transport) }
  if (onward.length > 0) return byPlan(question, before(plan, onward))
  const uri = parseUri(text)
  if (uri === null || uri.kind !== 'sip') return refuse(416, null, 'request-uri-scheme')
  return isSetUri(question.set, uri)
    ? byNextHop({ ...question, nextHops: undefined }, plan, 404)
    : byUri(question, plan, uri)
}

/** What came by WebSocket comes from a client; what it asks for is elsewhere, and by itself speaks UDP (RFC 3263 4.1). */
function sideOf(set: SetAddress, arrival: Transport): Transport {
  return isWebSocket(arrival) && speaks(set, 'udp') ? 'udp' : arrival
}

function originalPlan({ request, remote, transport, set }: RouteQuestion): Plan {
  const texts = values(request, 'Route')
  const uris = routes(request)
  return {
    requestUri: request.requestUri,
    transport: remote?.transport ?? sideOf(set, transport),
    routes: texts.map((text, i) => ({ text, uri: must(uris[i], 'a Route value that was not parsed').uri })),
  }
}

/** 16.4: a strict router before us put our Record-Route value into the Request-URI; its target is the last Route. */
function withoutStrictRoute(question: RouteQuestion, plan: Plan): Plan {
  const last = plan.routes.at(-1)
  if (last === undefined) return plan
  const uri = parseUri(plan.requestUri)
  if (uri === null || !isSetUri(question.set, uri) || !isOurToken(question, uri)) return plan
  const text = `<${plan.requestUri}>`
  const path = uri.params.has(FLOW) ? { path: { text, uri: plan.requestUri, own: uri } } : {}
  const transport = transportOfOwn(question.set, uri)
  return { requestUri: last.uri, routes: plan.routes.slice(0, -1), transport, ...path }
}

/** 16.4: our own value on top is removed; both of them where the transport changes between the sides. The last one removed
 * names the transport of the side that the request leaves on. */
function withoutOurRoutes(question: RouteQuestion, plan: Plan): Plan {
  let { transport, path } = plan
  let ours = 0
  for (const value of plan.routes) {
    const uri = parseUri(value.uri)
    if (uri === null || !isSetUri(question.set, uri) || isOfAnother(question, uri)) break
    transport = transportOfOwn(question.set, uri)
    path = uri.params.has(FLOW) ? { ...value, own: uri } : undefined
    ours++
  }
  if (ours === 0) return plan
  const { path: _, ...others } = plan
  return { ...others, ...(path === undefined ? {} : { path }), transport, routes: plan.routes.slice(ours) }
}

/** Whether a value of ours names another group than the one that reads it: the next one of a chain of applications. */
function isOfAnother({ group, keys }: RouteQuestion, own: SipUri): boolean {
  const token = own.params.get(TOKEN) ?? ''
  // Nearly always it is its own.
  if (group === undefined || token.includes(group)) return false
  const named = readToken(keys, token, '')
  return named !== null && named !== group
}

/** RFC 3327 5.2, RFC 5626 5.3: a request that came by the Path of a phone's registration goes to that phone: on its flow, and if that is
 * a connection that is gone, where the URI says, unless the flow is the only way. */
function byPath(question: RouteQuestion, plan: Plan, path: SipUri): RouteAnswer {
  const flow = readFlowToken(question.keys, path.params.get(FLOW) ?? '')
  if (flow === null) return refuse(403, 'Bad Flow Token', 'flow-token')
  // 5.3.1: it comes from there, so it leads elsewhere.
  if (question.arrival !== undefined && isSameFlow(question.arrival, flow)) return byPlan(question, plan)
  if (path.params.has(OUTBOUND) || isWebSocket(flow.transport)) return forward(question, plan, flow)
  const next = plan.routes[0]
  const uri = next === undefined ? parseUri(plan.requestUri) : null
  const answer =
    next === undefined ? (uri === null ? BAD_URI : byUri(question, plan, uri)) : byRoute(question, plan, next)
  if (flow.stream === '') return answer
  if (answer.kind === 'refuse') return forward(question, plan, flow)
  return { ...answer, hop: { ...answer.hop, first: flow } }
}

function isOurToken(question: RouteQuestion, uri: SipUri): boolean {
  const token = uri.params.get(TOKEN)
  if (readFlowToken(question.keys, uri.params.get(FLOW) ?? '') !== null) return true
  return token !== undefined && token !== null && readToken(question.keys, token, '') !== null
}

/** 16.6 step 6 and 7: to the first Route; a strict router there gets its own address as Request-URI. */
function byRoute(question: RouteQuestion, plan: Plan, next: RouteValue): RouteAnswer {
  const uri = parseUri(next.uri)
  if (uri === null || uri.kind !== 'sip') return refuse(416, null, 'route-scheme')
  if (uri.params.has('lr')) return byUri(question, plan, uri)
  const target = { text: `<${plan.requestUri}>`, uri: plan.requestUri }
  const strict = { ...plan, requestUri: next.uri, routes: [...plan.routes.slice(1), target] }
  return byUri(question, strict, uri)
}

/** What a next hop may know a way to: telephone numbers and services (RFC 3966, RFC 5031). */
const SCHEMES_FOR_NEXT_HOP: readonly string[] = ['tel', 'urn']

/** A scheme that we can't reach by itself goes to the next hop if there is one; one that we don't know nowhere (16.3 step
 * 2). */
function byScheme(question: RouteQuestion, plan: Plan, uri: Uri | null): RouteAnswer {
  const isKnown = uri !== null && uri.kind === 'other' && SCHEMES_FOR_NEXT_HOP.includes(uri.scheme)
  if (isKnown && toTag(question.request) === null) return byNextHop(question, plan, 416)
  return refuse(416, null, 'request-uri-scheme')
}

/** A caller without Route support: the Request-URI is the set, the dialog knows the other side (interface.md). */
function byDialog(question: RouteQuestion, plan: Plan): RouteAnswer {
  const { remote } = question
  const uri = remote === null ? null : parseUri(remote.target)
  if (remote === null || uri === null) return refuse(481, null, 'unknown-dialog')
  const routes = (remote.routes ?? []).flatMap((text) => readRoute(text) ?? [])
  const first = routes[0] === undefined ? null : parseUri(routes[0].uri)
  // The rest of a chain of applications lies between: what the caller would have said, could he.
  if (first !== null && isSetUri(question.set, first)) {
    const { target: requestUri, transport } = remote
    return byPlan(question, { ...plan, requestUri, transport, routes })
  }
  return byUri(question, { ...plan, requestUri: remote.target, transport: remote.transport }, uri)
}

function readRoute(text: string): RouteValue | null {
  const address = parseNameAddr(text)
  return address === null ? null : { text, uri: address.uri }
}

function byNextHop(question: RouteQuestion, plan: Plan, without: number): RouteAnswer {
  const { nextHop, nextHops } = question
  if (nextHop === null) return refuse(without, null, 'no-next-hop')
  const answer = forward(question, plan, hopFlow(question, nextHop))
  if (answer.kind === 'refuse' || nextHops === undefined || question.request.method !== 'INVITE') return answer
  return { ...answer, targets: nextHops.map((group) => group.map((one) => hopFlow(question, one))) }
}

function hopFlow(question: RouteQuestion, { host, port, transport }: NextHop): Hop {
  const flow: Flow = { transport: transport ?? question.transport, host, port, stream: '' }
  return isNumeric(host) ? flow : { ...flow, place: placeOf(host, port === 0 ? null : port, transport, flow.transport) }
}

/** 4.1 and 4.2 of RFC 3263: with a port nothing but the address is left to be found, and the transport is that of the side. */
function placeOf(host: string, port: number | null, named: Transport | null, side: Transport): Place {
  return { host: host.toLowerCase(), port, transport: named ?? (port === null ? null : side) }
}

/** Forward to a URI's address. */
function byUri(question: RouteQuestion, plan: Plan, uri: Uri): RouteAnswer {
  if (uri.kind !== 'sip') return refuse(416, null, 'uri-scheme')
  if (isSetHost(question.set, uri.host, uri.port)) return inside(question, plan)
  const bound = boundTo(question, plan, uri)
  if (bound !== null) return forward(question, plan, bound)
  const transport = transportTo(question.set, uri, plan.transport)
  if (transport === null || !speaks(question.set, transport)) {
    return uri.secure ? refuse(416, null, 'uri-scheme') : refuse(404, 'Unsupported Transport', 'transport')
  }
  const host = withoutBrackets(uri.params.get('maddr') ?? uri.host)
  const hop: Flow = { transport, host, port: uri.port ?? defaultPort(transport), stream: '' }
  if (isNumeric(host)) return forward(question, plan, hop)
  if (!isName(host)) return refuse(404, 'Not a Host', 'host-name')
  const named = uri.params.has('transport') ? transport : null
  return forward(question, plan, { ...hop, place: placeOf(host, uri.port, named, transport) })
}

/** To another group of this set, without the network (replica/egress.ts). */
function inside(question: RouteQuestion, plan: Plan): RouteAnswer {
  const { host, port } = question.set
  return forward(question, plan, { transport: 'udp', host, port, stream: '' })
}

/** The connection of the dialog's other side, if the request goes straight to it and nobody can call it back (RFC 7118 5.2.2,
 * RFC 5626 4.3): whatever its address is. */
function boundTo({ remote }: RouteQuestion, plan: Plan, uri: SipUri): Flow | null {
  if (remote === null || remote.stream === '' || plan.routes.length > 0) return null
  const target = parseUri(remote.target)
  if (target === null || !equalUris(uri, target)) return null
  const datagrams = readDatagramBinding(remote.stream)
  if (datagrams !== null) return datagrams
  const { transport, stream } = remote
  return { transport, host: uri.host, port: uri.port ?? defaultPort(transport), stream }
}

/** The transport that a URI asks for; null = none of ours. Where it names none, that of the side. */
function transportTo(set: SetAddress, uri: SipUri, side: Transport): Transport | null {
  switch (uri.params.get('transport')?.toLowerCase()) {
    case undefined:
      return uri.secure && !isSecure(side) ? 'tls' : side
    case 'udp':
      return uri.secure ? null : 'udp'
    case 'tcp':
      return uri.secure ? 'tls' : 'tcp'
    case 'tls':
      return 'tls'
    case 'ws':
      return uri.secure || side === 'wss' || !speaks(set, 'ws') ? 'wss' : 'ws'
    default:
      return null
  }
}

function forward(question: RouteQuestion, plan: Plan, hop: Hop): RouteAnswer {
  // 26.2.2: a sips URI is reached by TLS on every hop; what stays in the set makes none.
  const isOpen =
    isSetHost(question.set, hop.host, hop.port) || (hop.place !== undefined && hop.place.transport === null)
  if (isSips(plan.requestUri) && !isOpen && !isSecure(hop.transport)) return refuse(416, null, 'uri-scheme')
  const isSame = plan.requestUri === question.request.requestUri
  // 19.1.1: a Route, or a Contact of a dialog, that becomes the Request-URI has no headers.
  if (!isSame && hasHeaders(plan.requestUri)) return refuse(400, 'Bad Route', 'route-headers')
  const texts = plan.routes.map((value) => value.text)
  const before = values(question.request, 'Route')
  const same = texts.length === before.length && texts.every((text, i) => text === before[i])
  return {
    kind: 'forward',
    requestUri: isSame ? null : plan.requestUri,
    routes: same ? null : texts,
    hop,
    targets: null,
  }
}

export function isSips(text: string): boolean {
  const uri = parseUri(text)
  return uri !== null && uri.kind === 'sip' && uri.secure
}

function hasHeaders(text: string): boolean {
  const uri = parseUri(text)
  return uri !== null && uri.kind === 'sip' && uri.headers !== ''
}

const BAD_URI = refuse(416, null, 'request-uri-scheme')

function refuse(status: number, reason: string | null, code: string): RouteAnswer {
  return { kind: 'refuse', status, reason, code }
}
