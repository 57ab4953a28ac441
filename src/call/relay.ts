// Requests that are neither INVITE, ACK nor CANCEL: relayed at once through a server and a client transaction of this
// owner alone (design.md 4). A BYE is committed behind; it has its own rules in bye.ts.

import { flat } from '../base/bytes.ts'
import { answerText } from '../proxy/answer.ts'
import { requestKey } from '../proxy/branch.ts'
import { isOfFollowed } from '../proxy/forward.ts'
import { withFlowTimer } from '../proxy/path.ts'
import { relayResponse, groupOfVia } from '../proxy/response.ts'
import { viaOf } from '../proxy/upstream.ts'
import { refreshedBy } from '../session/dialog.ts'
import { edit } from '../sip/edit.ts'
import { cseq } from '../sip/message.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import { transportOfVia } from '../sip/transport.ts'
import { startNonInviteClient, stepNonInviteClient } from '../transaction/non-invite-client.ts'
import { startNonInviteServer, stepNonInviteServer } from '../transaction/non-invite-server.ts'
import { millis } from '../base/instant.ts'
import type { Flow } from '../wire/entry.ts'
import { isElsewhere } from './bound.ts'
import { byeAnswered, byeFinal, byeRelayed } from './bye.ts'
import type { InputRef } from './contract.ts'
import { byeOfKey, dialogOf, parsedRequest } from './find.ts'
import { forwardedToPlaces, forwardStateless, routeOf } from './forward.ts'
import type { Way } from './forward.ts'
import type { Relay } from './group-state.ts'
import { contactOf } from './invite-dialog.ts'
import { noteCseq, noteSession } from './lifetime.ts'
import { callLimits } from './limits.ts'
import { onOwnResponse, ownOf } from './own-bye.ts'
import { onProbeResponse, probeOf } from './probe.ts'
import { refuse, turnAway } from './refuse.ts'
import { isAsked, tryNextPlace } from './relay-places.ts'
import { reply, upstreamOf } from './reply.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

/** `way`: where its application sends it; null = where it goes by itself. */
export function onNonInvite(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  ref: InputRef,
  way: Exclude<Way, { kind: 'wait' }> | null = null,
): void {
  const key = requestKey(request)
  const id = `${request.method} ${key}`
  const known = turn.local.relays.get(id)
  if (known !== undefined) {
    onRepeated(turn, isElsewhere(known.upstream, flow) ? { ...known, upstream: upstreamOf(request, flow) } : known, ref)
    return
  }
  const bye = request.method === 'BYE' ? byeOfKey(turn, key) : null
  if (bye !== null) {
    const { upstream: was, final } = bye.value
    const upstream = isElsewhere(was, flow) ? upstreamOf(request, flow) : was
    if (upstream !== was) turn.put(bye.id, { ...bye.value, upstream })
    turn.send(upstream, final, what.byeFinal(bye.id))
    turn.handled(ref)
    return
  }
  const dialog = dialogOf(turn, request)
  const verdict = dialog === null ? turn.ctx.admit(flow) : 'admit'
  if (verdict !== 'admit') {
    turnAway(turn, request, flow, ref, verdict)
    return
  }
  if (!turn.ctx.keepsRelays && turn.base.entities.size === 0) {
    forwardStateless(turn, request, flow, null)
    turn.handled(ref)
    return
  }
  if (turn.local.relays.size >= callLimits.relays) {
    const out = refuse(request, flow, 503, callLimits.retryAfterSeconds, turn.ctx)
    turn.send(out.flow, out.data, out.what)
    turn.handled(ref)
    return
  }
  const answer = way ?? routeOf(turn, request, flow, dialog)
  if (answer.kind === 'wait') return turn.wait(answer.place)
  if (answer.kind === 'refuse') {
    reply(turn, request, flow, answer.status, { reason: answer.reason })
    turn.handled(ref)
    return
  }
  const [out, ...places] = forwardedToPlaces(turn, request, flow, answer)
  const upstream = upstreamOf(request, flow)
  turn.setRelay({
    id: flat(id),
    method: flat(request.method),
    key: flat(key),
    branch: out.branch,
    upstream: { ...upstream, host: flat(upstream.host) },
    hop: { ...out.hop, host: flat(out.hop.host) },
    request: flat(out.text),
    places: places.map((place) => ({ ...place, text: flat(place.text) })),
    tried: [],
    server: startNonInviteServer(),
    client: startNonInviteClient(out.hop.transport !== 'udp', millis(0), turn.now),
    last: null,
    waiting: [ref],
  })
  turn.send(out.hop, out.text, what.request(id))
  if (dialog === null) return
  if (request.method === 'BYE') byeRelayed(turn, request, dialog)
  else noteCseq(turn, request, dialog)
}

/** 17.2.2: the last response again, or nothing while there is none. Whoever keeps the repeat waits for the final too. */
function onRepeated(turn: Turn, relay: Relay, ref: InputRef): void {
  const { actions } = stepNonInviteServer(relay.server, { kind: 'request' }, turn.now)
  if (actions.includes('send-last') && relay.last !== null) turn.send(relay.upstream, relay.last, what.answer(relay.id))
  const over = relay.server.state === 'completed' || relay.server.state === 'terminated'
  const isDone = over || relay.waiting.length >= callLimits.waiting
  if (isDone) turn.handled(ref)
  turn.setRelay(isDone ? relay : { ...relay, waiting: [...relay.waiting, ref] })
}

/** 17.1.3: the relay that a response with our branch parameter belongs to, at its present place or one that failed. */
function relayOfBranch(turn: Turn, branch: string, method: string): Relay | null {
  for (const relay of turn.local.relays.values()) {
    if (relay.method === method && (relay.branch === branch || relay.tried.includes(branch))) return relay
  }
  return null
}

export function onNonInviteResponse(turn: Turn, response: SipResponse, ref: InputRef): void {
  const own = ownOf(turn, response)
  if (own !== null) return onOwnResponse(turn, response, own, ref)
  const probe = probeOf(turn, response)
  if (probe !== null) return onProbeResponse(turn, response, probe.id, probe.ping, ref)
  const branch = viaOf(response).branch ?? ''
  const relay = relayOfBranch(turn, branch, cseq(response).method)
  if (relay === null) {
    onUnknownResponse(turn, response, ref)
    return
  }
  // What a place says that was given up goes no further (RFC 4320 4.2): another one is asked.
  if (relay.branch !== branch || (response.status === 503 && isAsked(relay) && tryNextPlace(turn, relay))) {
    turn.handled(ref)
    return
  }
  const { machine, actions } = stepNonInviteClient(
    relay.client,
    { kind: 'response', status: response.status },
    turn.now,
  )
  turn.setRelay({ ...relay, client: machine })
  if (relay.server.state === 'terminated' && response.status >= 200) turn.dropRelay(relay.id)
  const relayed = actions.includes('pass-up') ? relayResponse(response) : null
  if (relayed !== null) {
    const isRegister = relay.method === 'REGISTER'
    const sent = isRegister ? parsedRequest(relay.request) : null
    const text = sent === null ? relayed.text : withFlowTimer(sent, response, relayed.text, turn.ctx.keys)
    passUp(turn, response, relay.id, flat(text))
  }
  if (turn.commits) turn.handledAfter(ref)
  else turn.handled(ref)
}

function passUp(turn: Turn, response: SipResponse, id: string, text: string): void {
  const relay = turn.local.relays.get(id)
  if (relay === undefined) return
  if (response.status >= 200 && relay.method === 'BYE') {
    const { upstream, key } = relay
    byeFinal(turn, response, { upstream, key, text })
  } else if (response.status >= 200) refreshTargets(turn, response, relay)
  answerRelay(turn, relay.id, response.status, text)
}

/** A response goes upstream on the relay's server transaction: after the turn's commit if it has one to wait for. */
function answerRelay(turn: Turn, id: string, status: number, text: string): void {
  const relay = turn.local.relays.get(id)
  if (relay === undefined) return
  const { machine, actions } = stepNonInviteServer(relay.server, { kind: 'respond', status }, turn.now)
  if (!actions.includes('send-response')) return
  const final = status >= 200
  turn.setRelay({ ...relay, server: machine, last: text, waiting: final ? [] : relay.waiting })
  if (turn.commits) turn.sendAfter(relay.upstream, text, what.answer(id))
  else turn.send(relay.upstream, text, what.answer(id))
  if (!final) return
  if (turn.commits) turn.handledAfter(...relay.waiting)
  else turn.handled(...relay.waiting)
}

/** The set answers in the place of who was asked. A BYE has its end by that. */
export function answerItself(turn: Turn, relay: Relay, status: number): void {
  const request = parsedRequest(relay.request)
  const text = flat(answerText(parsedRequest(edit(request).removeTopVia().print()), turn.ctx.keys, status))
  const dialog = relay.method === 'BYE' ? dialogOf(turn, request) : null
  if (dialog !== null) byeAnswered(turn, dialog, { upstream: relay.upstream, key: relay.key, text })
  answerRelay(turn, relay.id, status, text)
}

/** Besides INVITE those whose 2xx sets the targets of the dialog that they are sent in (RFC 5057 5.4; 3311, 6665, 3515). */
const REFRESHING: ReadonlySet<string> = new Set(['UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER'])

/** Such a 2xx sets both targets, unless one to a later request of that side came before it; so it waits for its commit. */
function refreshTargets(turn: Turn, response: SipResponse, relay: Relay | null): void {
  const { method, number } = cseq(response)
  if (!REFRESHING.has(method) || response.status >= 300) return
  const dialog = dialogOf(turn, response)
  if (dialog === null || dialog.value.state === 'ended') return
  const asked = relay === null ? null : contactOf(parsedRequest(relay.request))
  const refreshed = refreshedBy(dialog.value, dialog.sender, number, { asked, answered: contactOf(response) })
  if (refreshed === null) return
  turn.put(dialog.id, refreshed)
  if (method === 'UPDATE') noteSession(turn, dialog.id, response)
}

/** It sets targets, one of which was in the request, which is gone with its owner. On datagrams both phones say all of it again (timers E, J). */
function isToComeAgain(response: SipResponse, upstream: Flow): boolean {
  const isTarget = REFRESHING.has(cseq(response).method) && response.status >= 200 && response.status < 300
  return isTarget && upstream.transport === 'udp' && transportOfVia(viaOf(response).transport) === 'udp'
}

/** No transaction of ours knows it (the owner that had one died): relayed by the next Via, if our Via is authentic. What
 * it means for the dialog is committed all the same. */
export function onUnknownResponse(turn: Turn, response: SipResponse, ref: InputRef): void {
  const relayed = groupOfVia(response, turn.ctx.keys) === null ? null : relayResponse(response)
  if (relayed === null) {
    turn.handled(ref)
    return
  }
  if ((response.status === 503 && isOfFollowed(response)) || isToComeAgain(response, relayed.flow)) {
    // Whoever sent the request asks the new owner again, and that goes on to the next place (relay-places.ts), or has the Contact.
    turn.handled(ref)
    return
  }
  const isBye = cseq(response).method === 'BYE'
  if (isBye && byeOfKey(turn, relayed.key) !== null) {
    // Its final is in the log and went up: another one (a BYE that was sent again over a new stream may get 481) is absorbed,
    // as a client transaction in Completed would (17.1.2.2).
    turn.handled(ref)
    return
  }
  if (response.status >= 200) {
    if (isBye) {
      byeFinal(turn, response, { upstream: relayed.flow, key: relayed.key, text: flat(relayed.text) })
    } else refreshTargets(turn, response, null)
  }
  const text = withFlowTimer(null, response, relayed.text, turn.ctx.keys)
  if (turn.commits) {
    turn.sendAfter(relayed.flow, text, what.untracked)
    turn.handledAfter(ref)
  } else {
    turn.send(relayed.flow, text, what.untracked)
    turn.handled(ref)
  }
}
