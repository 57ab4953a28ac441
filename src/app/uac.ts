// Requests of ours: the first one of a leg, and those in its dialog (RFC 3261 8.1, 12.2.1, 13.2, 14.1, 15.1.1). Each leaves after the commit
// that has its bytes and its CSeq number, so that whoever owns the call goes on with the same ones.
//
//   create-session, request --> calling --1xx--> proceeding --2xx--> accepted, and the ACK is the leg's
//      '-- a BYE before the ACK for our 2xx --> waiting    '---300 to 699--> completed, acknowledged by the transaction
//                                                '--timers B and F, no way there--> terminated: a final of our own making

import { flat } from '../base/bytes.ts'
import { millis } from '../base/instant.ts'
import { capsOf, isFull } from '../call/caps.ts'
import { allUac, allUas } from '../call/find.ts'
import { isOpenUac } from '../call/leg-life.ts'
import type { Turn } from '../call/turn.ts'
import { what } from '../call/what.ts'
import { sendOwn } from '../proxy/own-request.ts'
import { isSips } from '../proxy/route.ts'
import { makeCallId } from '../proxy/token.ts'
import { legId } from '../session/leg.ts'
import type { Leg } from '../session/leg.ts'
import { buildResponse } from '../sip/build.ts'
import { maxForwards } from '../sip/message.ts'
import { nameAddrText, parseNameAddr } from '../sip/name-addr.ts'
import { hostReference, isToken } from '../sip/scan.ts'
import { parseUri } from '../sip/uri.ts'
import { cancelFor } from '../transaction/hop-by-hop.ts'
import { startInviteClient } from '../transaction/invite-client.ts'
import { startNonInviteClient } from '../transaction/non-invite-client.ts'
import { requestOf } from '../transaction/record.ts'
import type { UacRecord } from '../transaction/record.ts'
import { timers } from '../transaction/timers.ts'
import type { Flow } from '../wire/entry.ts'
import type { InitialRequest, MessageParts, Op } from './contract.ts'
import {
  beginCall,
  enterSession,
  legOf,
  legTag,
  nextSession,
  openLegSession,
  placeOf,
  putLeg,
  storedRequest,
} from './leg-find.ts'
import type { OpFault } from './leg-find.ts'
import { contactValue, firstTransport, hasContact, legDraft, partsFault, wayOf } from './leg-messages.ts'
import type { LegRequest } from './leg-messages.ts'
import { cancelTimer, finalIntent } from './leg-timers.ts'
import { endLeg, hasRoom, hasRoomForLeg } from './uas.ts'

/** 8.1.1.6. */
const MAX_FORWARDS = 70
/** 8.1.1.5. */
const MOST_CSEQ = 2 ** 31 - 1
const MOST_CALL_ID = 256

export function createSession(turn: Turn, { id, first: given }: Extract<Op, { kind: 'create-session' }>): OpFault {
  const first = given.callId === '' ? { ...given, callId: ownCallId(turn, id) } : given
  const next = nextSession(turn)
  if (!/^[1-9]\d{0,8}$/.test(id) || Number(id) < Number(next))
    return `session ${id} isn't free: ${next} is the next one`
  if (!hasRoomForLeg(turn)) return 'the group has as many legs as it may'
  const [from, to] = [parseNameAddr(first.from), parseNameAddr(first.to)]
  const fault = initialFault(first, from !== null && to !== null) ?? partsFault(first)
  if (fault !== null || from === null || to === null) return fault
  const tag = legTag(turn, id)
  openLegSession(turn, id, 'uac', { callId: first.callId, callerTag: tag, caller: from.uri, callee: to.uri })
  const leg: Leg = {
    kind: 'leg',
    role: 'uac',
    state: 'initial',
    session: id,
    callId: first.callId,
    local: { party: nameAddrText(from), tag, cseq: 0 },
    remote: {
      party: nameAddrText(to),
      tag: '',
      cseq: 0,
      target: first.requestUri,
      transport: firstTransport(turn),
      stream: '',
    },
    routes: first.routes,
    unacked: 0,
    ack: null,
  }
  return sendRequest(turn, leg, first.method, first, first.linked ?? '')
}

/** 8.1.1.4: any owner makes the same one, and nobody else can guess it. */
export function ownCallId(turn: Turn, session: string): string {
  return makeCallId(turn.ctx.keys, turn.key, session, hostReference(turn.ctx.settings.sip.host))
}

function initialFault(first: InitialRequest, hasParties: boolean): OpFault {
  if (!hasParties) return 'from and to are to be name-addrs (RFC 3261 20.10)'
  if (parseUri(first.requestUri) === null) return `"${first.requestUri.slice(0, 80)}" is no URI`
  const { callId } = first
  const isCallId = callId.length > 0 && callId.length <= MOST_CALL_ID && !/[\s<>",;]/.test(callId)
  return isCallId ? null : 'a Call-ID is a word of 256 characters at most'
}

/** A request in the dialog of a leg, or once more the first one, after it failed. */
export function request(turn: Turn, op: Extract<Op, { kind: 'request' }>): OpFault {
  const { session, method, parts } = op
  const leg = legOf(turn, session)
  if (leg === null) return `session ${session} is no leg`
  const fault = stateFault(turn, leg, method) ?? partsFault(parts)
  if (fault !== null) return fault
  // 13.2.2.4: an ACK goes first.
  if (method === 'BYE' && leg.unacked > 0) {
    const wrong = ack(turn, { kind: 'ack', session, parts: NOTHING })
    if (wrong !== null) return wrong
  }
  return sendRequest(turn, legOf(turn, session) ?? leg, method, parts, op.linked ?? '')
}

const NOTHING: MessageParts = { headers: [], body: '' }

function stateFault(turn: Turn, leg: Leg, method: string): OpFault {
  const { state, role, session } = leg
  if (method === 'ACK' || method === 'CANCEL') return `${method} has an operation of its own`
  if (state === 'ended') return `the dialog of session ${session} has ended`
  if (method === 'BYE' && state !== 'confirmed') return `session ${session} isn't answered: it is cancelled, or refused`
  if (state === 'initial' && role === 'uas') return `session ${session} has no dialog yet`
  // 14.1, and 13.2.1 for the first one.
  const isPending =
    allUac(turn).some(({ value }) => isOfInvite(value, session) && isOpenUac(value)) ||
    allUas(turn).some(({ value }) => isOfInvite(value, session) && value.state === 'open')
  if (method === 'INVITE' && isPending) return `an INVITE of session ${session} waits for its answer (14.1)`
  return hasRoom(turn) || method === 'BYE' ? null : 'the group has as many transactions as it may'
}

function isOfInvite(record: { readonly session: string; readonly method: string }, session: string): boolean {
  return record.method === 'INVITE' && record.session === session
}

function sendRequest(turn: Turn, leg: Leg, method: string, parts: MessageParts, linked: string): OpFault {
  if (!isToken(method)) return `"${method.slice(0, 40)}" is no method`
  const cseq = leg.local.cseq + 1
  if (cseq > MOST_CSEQ) return 'CSeq is used up'
  const hops = hopsLeft(turn, linked)
  // JSR 289 11.2.2: TooManyHopsException.
  if (hops < 0) return 'the request that it is sent for has Max-Forwards 0'
  const asked: LegRequest = { method, cseq, parts, maxForwards: hops }
  const draft = legDraft(leg, asked, null)
  if (draft === null) return `this ${method} can't be written`
  const way = wayOf(turn, leg, draft)
  if (way.kind === 'wait') {
    turn.wait(way.place)
    return null
  }
  const isInitial = leg.state === 'initial'
  const id = turn.nextId('Transaction')
  putLeg(turn, { ...leg, local: { ...leg.local, cseq } })
  if (isInitial && method === 'INVITE') beginCall(turn, leg.session)
  const record = {
    kind: 'uac',
    method,
    session: leg.session,
    isInitial,
    cseq,
    ack: null,
    cancel: null,
    linked,
  } as const
  const caps = way.kind === 'forward' && isInitial && method === 'INVITE' ? capsOf(turn.ctx.settings, way, NOWHERE) : []
  if (way.kind === 'refuse' || isFull(turn, caps)) {
    turn.put(requestOf(id), { kind: 'request', text: flat(draft.text) })
    turn.put(id, { ...record, branch: '', hop: NOWHERE, state: 'terminated', answer: null })
    // With as many calls as there may be, it is told what a caller would be.
    localFinal(turn, id, way.kind === 'refuse' ? way.status : 503)
    return null
  }
  turn.takeCaps(caps)
  const contact = hasContact(method) ? contactValue(turn, leg, way.hop, isSips(leg.remote.target)) : null
  const whole = legDraft(leg, asked, contact)
  if (whole === null) return `this ${method} can't be written`
  const out = sendOwn(whole, way, placeOf(turn))
  const hop: Flow = { ...out.hop, host: flat(out.hop.host) }
  const isEarly = method === 'BYE' && leg.role === 'uas' && hasUnacknowledged(turn, leg.session)
  turn.put(id, { ...record, branch: out.branch, hop, state: isEarly ? 'waiting' : 'calling', answer: null })
  turn.put(requestOf(id), { kind: 'request', text: flat(out.text) })
  if (method === 'BYE') endDialog(turn, leg.session, isEarly)
  if (!isEarly) start(turn, id, method, hop, out.text)
  return null
}

const NOWHERE: Flow = { transport: 'udp', host: '', port: 0, stream: '' }

/** What is left of the Max-Forwards of the request that ours is sent for, so that a circle of B2BUAs ends. */
function hopsLeft(turn: Turn, linked: string): number {
  const record = linked === '' ? null : turn.get('Transaction', requestOf(linked))
  if (record?.kind !== 'request') return MAX_FORWARDS
  return (maxForwards(storedRequest(turn, linked)) ?? MAX_FORWARDS) - 1
}

function hasUnacknowledged(turn: Turn, session: string): boolean {
  return allUas(turn).some(({ value }) => value.session === session && value.state === 'accepted')
}

/** 15.1.1: the session is over as soon as its BYE is given to the client transaction. While that waits for the ACK, the 2xx goes on. */
function endDialog(turn: Turn, session: string, isEarly: boolean): void {
  const leg = legOf(turn, session)
  if (leg === null) return
  if (!isEarly) return endLeg(turn, session)
  putLeg(turn, { ...leg, state: 'ended' })
  enterSession(turn, session, 'TERMINATED')
}

function start(turn: Turn, id: string, method: string, hop: Flow, text: string): void {
  const reliable = hop.transport !== 'udp'
  if (method === 'INVITE')
    turn.setUac(id, { kind: 'invite', client: startInviteClient(reliable, turn.now), cancel: null })
  else turn.setUac(id, { kind: 'other', client: startNonInviteClient(reliable, millis(0), turn.now) })
  turn.sendAfter(hop, text, what.uac(id))
}

/** The BYE that waited for an ACK goes. */
export function startWaiting(turn: Turn, id: string): void {
  const record = turn.get('Transaction', id)
  if (record?.kind !== 'uac' || record.state !== 'waiting') return
  turn.put(id, { ...record, state: 'calling' })
  // Put once more: the stamp of this commit is what timer F runs from at another owner.
  const { text } = storedRequest(turn, id)
  turn.put(requestOf(id), { kind: 'request', text: flat(text) })
  start(turn, id, record.method, record.hop, text)
}

/** 13.2.2.4: the ACK for a 2xx is a request of its own, and its bytes are kept. */
export function ack(turn: Turn, { session, parts }: Extract<Op, { kind: 'ack' }>): OpFault {
  const leg = legOf(turn, session)
  if (leg === null || leg.unacked === 0) return `session ${session} has no 2xx that waits for an ACK`
  const fault = partsFault(parts)
  if (fault !== null) return fault
  const draft = legDraft(leg, { method: 'ACK', cseq: leg.unacked, parts, maxForwards: MAX_FORWARDS }, null)
  if (draft === null) return "this ACK can't be written"
  const way = wayOf(turn, leg, draft)
  if (way.kind === 'wait') turn.wait(way.place)
  // Nobody can be told: its 2xx comes again, and at last a BYE.
  if (way.kind !== 'forward') return null
  const { text, hop } = sendOwn(draft, way, placeOf(turn))
  const sent = { cseq: leg.unacked, text: flat(text), hop: { ...hop, host: flat(hop.host) } }
  putLeg(turn, { ...leg, unacked: 0, ack: sent })
  turn.sendAfter(hop, text, what.legAck(legId(session)))
  return null
}

/** 9.1. */
export function cancel(turn: Turn, { session }: Extract<Op, { kind: 'cancel' }>): OpFault {
  const open = allUac(turn).find(({ value }) => isOfInvite(value, session) && isOpenUac(value))
  if (open === undefined) return `session ${session} has no INVITE that waits for its answer`
  const { id, value } = open
  if (value.cancel !== null) return null
  const text = flat(cancelFor(storedRequest(turn, id)))
  const cancelled: UacRecord = { ...value, cancel: text }
  turn.put(id, cancelled)
  turn.setTimer(cancelTimer(id), timers.sixtyFourT1, null)
  // 9.1: not before the first provisional.
  if (value.state === 'proceeding') sendCancel(turn, id, cancelled)
  return null
}

/** The stored CANCEL goes out after the commit, with its own client transaction. */
function sendCancel(turn: Turn, id: string, { cancel: text, hop }: UacRecord): void {
  const local = turn.local.uac.get(id)
  if (text === null || local?.kind !== 'invite') return
  turn.setUac(id, { ...local, cancel: startNonInviteClient(hop.transport !== 'udp', millis(0), turn.now) })
  turn.sendAfter(hop, text, what.uac(id))
}

/** The first provisional came, which a CANCEL waits for. */
export function enterProceeding(turn: Turn, id: string, record: UacRecord): UacRecord {
  const proceeding: UacRecord = { ...record, state: 'proceeding' }
  turn.put(id, proceeding)
  if (record.cancel !== null) sendCancel(turn, id, proceeding)
  return proceeding
}

/** No final came, or none can: the application hears of one of our own making (8.1.3.1), once that is in the log. */
export function localFinal(turn: Turn, id: string, status: number): void {
  const record = turn.get('Transaction', id)
  if (record?.kind !== 'uac' || record.answer !== null) return
  turn.put(id, { ...record, state: 'terminated', cancel: null, answer: localFinalText(turn, id, record, status) })
  turn.cancelTimer(cancelTimer(id))
  turn.dropLegPart(id)
  turn.openIntent(finalIntent(id))
}

export function localFinalText(turn: Turn, id: string, { session }: UacRecord, status: number): string {
  return flat(buildResponse(storedRequest(turn, id), status, undefined, { toTag: legTag(turn, `${session} far`) }))
}
