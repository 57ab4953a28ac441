// What an application sends into the world that begins something, and where it goes next: to another application of the chain, or out
// (JSR 289 15.2; decision 0037).
//
//   answer of a handler --outgoing--> a question each --the router--> answers --rule--> URIs that are put before the request's Route
//
// A request for another application goes to that one's group, by a Route that says so (proxy/chain.ts): what it is on the wire from
// one proxy to the next, it is here from one group to the next.

import type { CallInput } from '../call/contract.ts'
import type { Turn } from '../call/turn.ts'
import { unpackChain } from '../proxy/chain.ts'
import type { Chain } from '../proxy/chain.ts'
import { buildRequest } from '../sip/build.ts'
import { edit } from '../sip/edit.ts'
import { callId, parseMessage } from '../sip/message.ts'
import { isToken } from '../sip/scan.ts'
import { parseUri } from '../sip/uri.ts'
import type { InitialRequest, NextQuestion, Op, RoutingDirective } from './contract.ts'
import type { AppEvent } from './event.ts'
import { DRAFT_VIA, partsFault } from './leg-messages.ts'
import { unpackValue } from './packed.ts'
import type { Place, Ruling } from './ruling.ts'
import { applicationSession } from './sessions.ts'
import { ownCallId } from './uac.ts'

/** A request that is about to leave. */
export interface Outgoing extends Place {
  /** A target of the request that is proxied, from 0, or the SipSession that begins. */
  readonly of: { readonly target: number } | { readonly session: string }
  readonly question: NextQuestion
}

/** What leaves with those operations. */
export function outgoing(turn: Turn, input: CallInput, event: AppEvent, ops: readonly Op[]): readonly Outgoing[] {
  const app = applicationSession(turn)
  const chain = event.chain ?? (app === null ? null : unpackChain(app.hosted.stateInfo))
  const position = positionAfter(chain)
  const isAimed =
    ops.some((op) => op.kind === 'proxy' && op.plan.targets.flat().length > 0) || (chain?.isAimed ?? false)
  const proxied = proxiedUris(input, event, ops).map((requestUri, target): Outgoing => {
    const { message } = input as Extract<CallInput, { kind: 'message' }>
    const isAsIs = message.kind === 'request' && message.requestUri === requestUri
    const text = isAsIs ? message.text : edit(message).requestUri(requestUri).print()
    const question = asked(chain, text, 'CONTINUE')
    return { of: { target }, position, callId: callId(message), requestUri, isAimed, question }
  })
  return [...proxied, ...begunBy(turn, chain, ops)]
}

/** What leaves with an order's operations, in a session that the router has found before, or not. */
export function outgoingOfOrder(turn: Turn, ops: readonly Op[]): readonly Outgoing[] {
  const app = applicationSession(turn)
  return begunBy(turn, app === null ? null : unpackChain(app.hosted.stateInfo), ops)
}

function begunBy(turn: Turn, chain: Chain | null, ops: readonly Op[]): readonly Outgoing[] {
  return ops.flatMap((op): readonly Outgoing[] => {
    if (op.kind !== 'create-session') return []
    const first = withCallId(turn, op)
    const text = draftOf(first)
    // It is refused in a moment, with a reason.
    if (text === null) return []
    const directive = first.directive ?? ((first.linked ?? '') === '' ? 'NEW' : 'CONTINUE')
    const { callId: id, requestUri } = first
    const question = asked(chain, text, directive)
    const position = positionAfter(chain)
    return [{ of: { session: op.id }, position, callId: id, requestUri, isAimed: false, question }]
  })
}

function positionAfter(chain: Chain | null): number {
  return (chain?.position ?? 1) + 1
}

function asked(chain: Chain | null, text: string, directive: RoutingDirective): NextQuestion {
  return directive === 'NEW'
    ? { text, directive, region: null, stateInfo: null }
    : { text, directive, region: chain?.region ?? null, stateInfo: chain === null ? null : unpackValue(chain.state) }
}

/** Request-URIs of what is proxied. */
function proxiedUris(input: CallInput, event: AppEvent, ops: readonly Op[]): readonly string[] {
  if (event.of !== 'initial' || input.kind !== 'message' || input.message.kind !== 'request') return []
  const proxy = ops.find((op) => op.kind === 'proxy')
  if (event.handler !== null && proxy === undefined) return []
  const targets = proxy?.plan.targets.flat() ?? []
  return targets.length === 0 ? [input.message.requestUri] : targets.filter((uri) => parseUri(uri) !== null)
}

/** The same operations, with what begins on its way. */
export function onTheirWay(turn: Turn, ops: readonly Op[], rulings: ReadonlyMap<string, Ruling>): readonly Op[] {
  return ops.map((op) => {
    const uris = op.kind === 'create-session' ? (rulings.get(op.id)?.uris ?? []) : []
    if (op.kind !== 'create-session' || uris.length === 0) return op
    const first = withCallId(turn, op)
    return { ...op, first: { ...first, routes: [...uris.map((uri) => `<${uri}>`), ...first.routes] } }
  })
}

function withCallId(turn: Turn, { id, first }: Extract<Op, { kind: 'create-session' }>): InitialRequest {
  return first.callId === '' ? { ...first, callId: ownCallId(turn, id) } : first
}

/** What the router sees of a request that isn't made yet; null = it can't be written. */
function draftOf(first: InitialRequest): string | null {
  const { method, requestUri, from, to, callId: id, headers, body } = first
  if (!isToken(method) || partsFault(first) !== null) return null
  const text = buildRequest({
    method,
    requestUri,
    headers: [
      ['Via', DRAFT_VIA],
      ['Max-Forwards', '70'],
      ['From', `${from};tag=draft`],
      ['To', to],
      ['Call-ID', id],
      ['CSeq', `1 ${method}`],
      ...headers,
    ],
    body,
  })
  const parsed = parseMessage(text)
  return parsed.ok && parsed.value.kind === 'request' ? text : null
}
