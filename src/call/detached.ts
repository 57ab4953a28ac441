// What a replica does with a message while it hears of no quorum (design.md 7). It decides nothing: it keeps everything for who owns
// the group once there is a quorum again. But what is of a dialog that is up, and ends nobody's waiting for a decision, it also relays,
// without state (RFC 3261 16.11), so that calls go on meanwhile:
//
//   INVITE, CANCEL, what begins outside of a dialog      waits
//   ACK for a 2xx                                         relayed
//   other requests in a dialog, BYE too                   relayed; kept as well where nobody would repeat it
//   1xx but 100, finals but those of INVITE, BYE, CANCEL  relayed, and kept: the log hears of them later. A 2xx to UPDATE sets
//   and a 2xx to UPDATE                                   targets (RFC 3311), and so it waits as those of INVITE and BYE do
//
// What is relayed twice is the same bytes with the same branch, so it is absorbed.

import type { GroupKey } from '../base/brand.ts'
import { requestKey } from '../proxy/branch.ts'
import { isOfFollowed } from '../proxy/forward.ts'
import { groupOfVia, relayResponse } from '../proxy/response.ts'
import { cseq, toTag } from '../sip/message.ts'
import type { SipMessage, SipRequest, SipResponse } from '../sip/message.ts'
import type { GroupView } from '../store/view.ts'
import type { Flow } from '../wire/entry.ts'
import type { CallContext, Outgoing } from './contract.ts'
import { dialogOf, inviteOfKey } from './find.ts'
import { forwarded, forwardedToPlaces, routeOf } from './forward.ts'
import { loadGroup } from './group.ts'
import { keyOfRoute } from './receive.ts'
import { Turn } from './turn.ts'
import { what } from './what.ts'

export interface RelayedDetached {
  readonly outgoing: Outgoing
  /** Whoever owns the group is to handle it as well. */
  readonly isKept: boolean
}

/** `view`: the group as this replica has applied it. Null: it waits for the quorum. */
export function relayDetached(
  key: GroupKey,
  view: GroupView | null,
  message: SipMessage,
  flow: Flow,
  ctx: CallContext,
): RelayedDetached | null {
  if (message.kind === 'response') return relayedResponse(message, ctx)
  return relayedRequest(new Turn(loadGroup(key, view, null), ctx), message, flow)
}

function relayedRequest(turn: Turn, request: SipRequest, flow: Flow): RelayedDetached | null {
  const { method } = request
  if (method === 'INVITE' || method === 'CANCEL' || toTag(request) === null) return null
  const dialog = dialogOf(turn, request)
  if (dialog === null && keyOfRoute(request, turn.ctx) === null) return null
  // The ACK for a failure goes no further than here (17.2.1).
  const invite = method === 'ACK' ? inviteOfKey(turn, requestKey(request)) : null
  if (invite !== null && invite.value.state !== 'accepted') return null
  const way = routeOf(turn, request, flow, dialog)
  if (way.kind !== 'forward') return null
  // The bytes that the owner would send to the first place of its target, marked where there are others: a 503 of that one is no answer.
  const isAck = method === 'ACK'
  const out = isAck ? forwarded(turn, request, flow, way, false) : forwardedToPlaces(turn, request, flow, way, false)[0]
  const { hop, text } = out
  // On a stream a request comes once; a datagram on its way from here may be lost.
  const isKept = !isAck && flow.transport !== 'udp' && hop.transport === 'udp'
  return { outgoing: { flow: hop, data: text, what: what.untracked }, isKept }
}

function relayedResponse(response: SipResponse, ctx: CallContext): RelayedDetached | null {
  if (!mayPass(response) || groupOfVia(response, ctx.keys) === null) return null
  const relayed = relayResponse(response)
  if (relayed === null) return null
  return { outgoing: { flow: relayed.flow, data: relayed.text, what: what.untracked }, isKept: true }
}

function mayPass(response: SipResponse): boolean {
  const { status } = response
  const { method } = cseq(response)
  // RFC 3263 4.3: another place is to be asked.
  if (status === 503 && isOfFollowed(response)) return false
  if (status < 200) return status > 100 && method !== 'CANCEL'
  if (method === 'UPDATE') return status >= 300
  return method !== 'INVITE' && method !== 'BYE' && method !== 'CANCEL'
}
