// What a replica does with bytes before any group is asked: parse, validate (RFC 3261 16.3), and find the group. It keeps
// no state and gives the same result at every replica.

import type { GroupKey } from '../base/brand.ts'
import { answerText, withSource } from '../proxy/answer.ts'
import { isListed } from '../proxy/access.ts'
import { chainOf } from '../proxy/chain.ts'
import { isSetHost, isSetUri } from '../proxy/own.ts'
import type { SetAddress } from '../proxy/settings.ts'
import { sessionOfUri } from '../proxy/session-token.ts'
import { LEG, TOKEN, groupOfCallId, legMark, readToken } from '../proxy/token.ts'
import { streamOf, viaOf } from '../proxy/upstream.ts'
import { validateRequest } from '../proxy/validate.ts'
import { callId, contacts, parseMessage, routes, toTag } from '../sip/message.ts'
import type { ParseError, SipMessage, SipRequest, SipResponse } from '../sip/message.ts'
import { parseUri } from '../sip/uri.ts'
import type { Flow } from '../wire/entry.ts'
import type { CallContext, Outgoing } from './contract.ts'
import { upstreamOf } from './reply.ts'
import { what } from './what.ts'

export type Received =
  | {
      readonly kind: 'group'
      readonly group: GroupKey
      /** With what its source adds to the top Via (18.2.1). */
      readonly message: SipMessage
      /** Whether it may begin a call: an INVITE without a To tag. */
      readonly opens: boolean
    }
  /** It needs no group: these answers are all that becomes of it. `reason` is a stable code. */
  | { readonly kind: 'answer'; readonly sends: readonly Outgoing[]; readonly reason: string }
  | { readonly kind: 'drop'; readonly reason: string }

export function receive(data: string, flow: Flow, ctx: CallContext): Received {
  const parsed = parseMessage(data)
  if (!parsed.ok) return refusedByParser(parsed.error, flow, ctx)
  const message = parsed.value
  // A set that is being made has no key yet, and nobody serves.
  if (ctx.keys.key(1) === null) return { kind: 'drop', reason: 'no-set-key' }
  return message.kind === 'request' ? receiveRequest(message, flow, ctx) : receiveResponse(message, ctx)
}

/** The authenticated key in our topmost Route, Request-URI (also one that names a session), Via or Contact; else a hash of Call-ID (design.md 3). */
function groupKeyOf(message: SipMessage, ctx: CallContext): GroupKey {
  const named = message.kind === 'request' ? keyInRequest(message, ctx) : keyInVia(message, ctx)
  return named ?? groupOfCallId(ctx.keys, callId(message))
}

function refusedByParser(error: ParseError, flow: Flow, ctx: CallContext): Received {
  const { answerable, status, reason, code } = error
  if (answerable === null || ctx.keys.key(1) === null) return { kind: 'drop', reason: code }
  return answered(answerable, flow, ctx, status, code, { reason, source: flow })
}

function receiveRequest(original: SipRequest, flow: Flow, ctx: CallContext): Received {
  const request = withSource(original, flow)
  const { sip, nextHop } = ctx.settings
  if (isForSetAlone(request, sip, nextHop !== null))
    return answered(request, flow, ctx, 200, 'options', { headers: CAPABILITIES })
  if (!mayBeRelayed(request, flow, ctx)) {
    if (request.method === 'ACK') return { kind: 'drop', reason: 'not-allowed' }
    return answered(request, flow, ctx, 403, 'not-allowed', {})
  }
  const refusal = validateRequest(request, sip, ctx.keys)
  if (refusal !== null) {
    const { status, headers, code } = refusal
    return request.method === 'ACK'
      ? { kind: 'drop', reason: code }
      : answered(request, flow, ctx, status, code, { headers })
  }
  const opens = request.method === 'INVITE' && toTag(request) === null
  const isNobodys = nextHop === null && ctx.hasApplications !== true
  if (isNobodys && isNewToSet(request, sip)) return answered(request, flow, ctx, 404, 'no-next-hop', {})
  return { kind: 'group', group: groupKeyOf(request, ctx), message: request, opens }
}

/** Whether its source is on the access list, or it is part of a call that was let in: it has a To tag, and the key of its Call-ID's
 * group, which only we can make and only a Record-Route of that call tells (decision 0026). */
function mayBeRelayed(request: SipRequest, flow: Flow, ctx: CallContext): boolean {
  const { access } = ctx.settings
  if (access === undefined || isListed(access, flow.host)) return true
  // What comes from one of our groups to another was let in before; what comes back from elsewhere (ROUTE_BACK) is asked who it is.
  if (toTag(request) === null) return (chainOf(ctx.keys, ctx.settings.sip, request)?.application ?? '') !== ''
  const group = keyOfRoute(request, ctx)
  if (group === null) return false
  return group === groupOfCallId(ctx.keys, callId(request)) || isOfOurCall(request, group, ctx)
}

/** A call that an application placed has a Call-ID of its own, and one in a chain of applications several groups: our Contact, or our
 * Record-Route, vouches for it. */
function isOfOurCall(request: SipRequest, group: GroupKey, { keys }: CallContext): boolean {
  return [routes(request)[0]?.uri, request.requestUri].some((text) => {
    const uri = text === undefined ? null : parseUri(text)
    return uri?.kind === 'sip' && uri.params.get(LEG) === legMark(keys, group, callId(request))
  })
}

/** The group that our own Record-Route named, as it came back. */
export function keyOfRoute(request: SipRequest, ctx: CallContext): GroupKey | null {
  return keyInUri(routes(request)[0]?.uri, ctx) ?? keyInUri(request.requestUri, ctx)
}

function receiveResponse(response: SipResponse, ctx: CallContext): Received {
  const via = viaOf(response)
  // 18.1.2: a response whose top Via is not ours is not for us.
  if (!isSetHost(ctx.settings.sip, via.host, via.port)) return { kind: 'drop', reason: 'via-not-ours' }
  return { kind: 'group', group: groupKeyOf(response, ctx), message: response, opens: false }
}

/** What the set itself takes (11.2): no body, no extension. */
const CAPABILITIES = [['Accept', 'application/sdp']] as const

/** Section 11: OPTIONS to the set itself. With a user part it is the next hop's, if there is one. */
function isForSetAlone(request: SipRequest, set: SetAddress, hasNextHop: boolean): boolean {
  if (request.method !== 'OPTIONS' || toTag(request) !== null || !goesToSet(request, set)) return false
  const uri = parseUri(request.requestUri)
  return uri !== null && uri.kind === 'sip' && (uri.user === null || !hasNextHop)
}

/** A new request to the set itself; CANCEL and ACK follow their INVITE. */
function isNewToSet(request: SipRequest, set: SetAddress): boolean {
  const { method } = request
  return method !== 'CANCEL' && method !== 'ACK' && toTag(request) === null && goesToSet(request, set)
}

/** Whether the Request-URI is the set and no Route leads elsewhere. */
function goesToSet(request: SipRequest, set: SetAddress): boolean {
  const uri = parseUri(request.requestUri)
  if (uri === null || !isSetUri(set, uri)) return false
  return routes(request).every((value) => {
    const route = parseUri(value.uri)
    return route !== null && isSetUri(set, route)
  })
}

function answered(
  request: SipRequest,
  flow: Flow,
  ctx: CallContext,
  status: number,
  code: string,
  parts: Parameters<typeof answerText>[3],
): Received {
  const data = answerText(request, ctx.keys, status, parts)
  return { kind: 'answer', sends: [{ flow: upstreamOf(request, flow), data, what: what.untracked }], reason: code }
}

function keyInRequest(request: SipRequest, ctx: CallContext): GroupKey | null {
  const route = routes(request)[0]
  const list = contacts(request)
  const contact = list === '*' ? undefined : list[0]
  return (
    keyInUri(route?.uri, ctx) ??
    // An ACK for a failure has a To tag, and its INVITE's Request-URI.
    sessionOfUri(ctx.keys, request.requestUri)?.group ??
    keyInUri(request.requestUri, ctx) ??
    keyInUri(contact?.uri, ctx)
  )
}

function keyInUri(text: string | undefined, ctx: CallContext): GroupKey | null {
  const uri = text === undefined ? null : parseUri(text)
  if (uri === null || !isSetUri(ctx.settings.sip, uri)) return null
  const token = uri.params.get(TOKEN)
  return token === undefined || token === null ? null : readToken(ctx.keys, token, '')
}

function keyInVia(response: SipResponse, ctx: CallContext): GroupKey | null {
  const via = viaOf(response)
  return readToken(ctx.keys, via.params.get(TOKEN) ?? '', streamOf(via))
}
