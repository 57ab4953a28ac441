// Responses to requests of ours (RFC 3261 8.1.3, 12.2.1.2, 13.2.2). What they make of the dialog is committed with what the application
// makes of them.
//
// A fork somewhere below gives several dialogs for one INVITE: the first To tag is the leg's own, each other one has a derived SipSession
// with a leg of its own, the attributes cloned (JSR 289 6.2.3.2).

import { flat } from '../base/bytes.ts'
import { allLegs, allSessions } from '../call/find.ts'
import type { Found } from '../call/find.ts'
import { isOpenUac } from '../call/leg-life.ts'
import type { Turn } from '../call/turn.ts'
import { what } from '../call/what.ts'
import { viaOf } from '../proxy/upstream.ts'
import { hasDialog, legId } from '../session/leg.ts'
import type { Leg } from '../session/leg.ts'
import { cseq, parseMessage, toTag, values } from '../sip/message.ts'
import type { SipResponse } from '../sip/message.ts'
import { ackFor } from '../transaction/hop-by-hop.ts'
import { stepInviteClient } from '../transaction/invite-client.ts'
import { stepNonInviteClient } from '../transaction/non-invite-client.ts'
import type { UacRecord } from '../transaction/record.ts'
import { timers } from '../transaction/timers.ts'
import type { Flow } from '../wire/entry.ts'
import { responseHandler } from './handler-names.ts'
import {
  buryLegPart,
  enterSession,
  forgetLegPart,
  leaveCall,
  legOf,
  nextSession,
  openLegSession,
  putLeg,
  storedRequest,
  uacOfBranch,
} from './leg-find.ts'
import type { LegEvent, LegOutcome } from './leg-find.ts'
import { hangUpLate } from './late-answer.ts'
import { farEnd } from './leg-messages.ts'
import { cancelTimer, forkTimer } from './leg-timers.ts'
import { changeSession } from './sessions.ts'
import { endLeg, hasRoomForLeg } from './uas.ts'
import { enterProceeding, localFinalText } from './uac.ts'

type FoundUac = Found<UacRecord>

export function onUacResponse(turn: Turn, response: SipResponse): LegOutcome {
  const found = uacOfBranch(turn, viaOf(response).branch ?? '')
  if (found === null) return null
  const { method } = cseq(response)
  if (method === 'CANCEL' && found.value.method === 'INVITE') return onCancelResponse(turn, response, found)
  if (method !== found.value.method) return 'core'
  return method === 'INVITE' ? onInviteResponse(turn, response, found) : onOtherResponse(turn, response, found)
}

function onCancelResponse(turn: Turn, { status }: SipResponse, { id }: FoundUac): 'core' {
  const local = turn.local.uac.get(id)
  if (local?.kind === 'invite' && local.cancel !== null) {
    const { machine } = stepNonInviteClient(local.cancel, { kind: 'response', status }, turn.now)
    turn.setUac(id, { ...local, cancel: machine })
  }
  return 'core'
}

function onOtherResponse(turn: Turn, response: SipResponse, found: FoundUac): LegOutcome {
  const { id, value } = found
  const local = turn.local.uac.get(id)
  if (local?.kind !== 'other' || !isOpenUac(value)) return 'core'
  const { status } = response
  if (status < 200) {
    const { machine } = stepNonInviteClient(local.client, { kind: 'response', status }, turn.now)
    turn.setUac(id, { kind: 'other', client: machine })
    return status === 100 ? 'core' : responseEvent(value.session, id, value, response)
  }
  return otherFinal(turn, response, found)
}

/** Nothing of it is kept: what comes again is nobody's. */
function otherFinal(turn: Turn, response: SipResponse, { id, value }: FoundUac): LegEvent {
  const { status } = response
  forgetLegPart(turn, id)
  const leg = legOf(turn, value.session)
  // RFC 3311 5.1.
  if (leg !== null && value.method === 'UPDATE' && status < 300) refresh(turn, response, value, leg)
  // 12.2.1.2: the other end knows nothing of the dialog.
  if (status === 481 && leg !== null && hasDialog(leg)) endLeg(turn, value.session)
  return responseEvent(value.session, id, value, response)
}

function onInviteResponse(turn: Turn, response: SipResponse, found: FoundUac): LegOutcome {
  const { id, value } = found
  const { status } = response
  const local = turn.local.uac.get(id)
  if (local?.kind === 'invite') {
    const { machine } = stepInviteClient(local.client, { kind: 'response', status }, turn.now)
    turn.setUac(id, { ...local, client: machine })
  }
  if (status < 200) return isOpenUac(value) ? onProvisional(turn, response, found) : 'core'
  if (status < 300) return onSuccess(turn, response, found)
  if (isOpenUac(value)) return onFailure(turn, response, found)
  // 17.1.1.2: the ACK again, also for a final that comes after our own.
  if (value.state !== 'accepted') {
    turn.send(value.hop, value.ack ?? ackFor(storedRequest(turn, id), response), what.uac(id))
  }
  return 'core'
}

function onProvisional(turn: Turn, response: SipResponse, { id, value }: FoundUac): LegOutcome {
  const known = value.state === 'calling' ? enterProceeding(turn, id, value) : value
  if (response.status === 100) return 'core'
  // 12.1: without a To tag it makes no dialog.
  if (toTag(response) === null || !known.isInitial) return responseEvent(known.session, id, known, response)
  const leg = legOfAnswer(turn, response, id, known)
  if (leg === null) return 'core'
  if (leg.state === 'initial') enterDialog(turn, response, known, leg, 'early')
  return responseEvent(leg.session, id, known, response)
}

/** 13.2.2.4. */
function onSuccess(turn: Turn, response: SipResponse, { id, value }: FoundUac): LegOutcome {
  const isFirst = isOpenUac(value)
  if (!isFirst && value.state !== 'accepted') {
    hangUpLate(turn, response, value)
    return 'core'
  }
  const leg = value.isInitial ? legOfAnswer(turn, response, id, value) : legOf(turn, value.session)
  if (leg === null) return 'core'
  if (isFirst) accept(turn, id, value, leg)
  else if (leg.ack?.cseq === value.cseq) {
    turn.send(leg.ack.hop, leg.ack.text, what.legAck(legId(leg.session)))
    return 'core'
  } else if (leg.state === 'confirmed' || leg.state === 'ended') return 'core'
  if (value.isInitial) enterDialog(turn, response, value, leg, 'confirmed')
  else {
    refresh(turn, response, value, leg)
    const now = legOf(turn, value.session) ?? leg
    if (now.state === 'confirmed') putLeg(turn, { ...now, unacked: value.cseq })
  }
  return responseEvent(leg.session, id, value, response)
}

function accept(turn: Turn, id: string, record: UacRecord, leg: Leg): void {
  turn.put(id, { ...record, state: 'accepted' })
  turn.cancelTimer(cancelTimer(id))
  turn.dropLegPart(id)
  // RFC 6026 7.2: timer M.
  buryLegPart(turn, id)
  const isFork = familyOf(turn, leg).some(({ value }) => value.session !== leg.session && value.state === 'early')
  if (isFork) turn.setTimer(forkTimer(id), timers.sixtyFourT1, null)
}

function onFailure(turn: Turn, response: SipResponse, { id, value }: FoundUac): LegEvent {
  const ack = flat(ackFor(storedRequest(turn, id), response))
  const answer = flat(response.text.slice(0, response.text.indexOf('\r\n')))
  turn.put(id, { ...value, state: 'completed', ack, cancel: null, answer })
  turn.sendAfter(value.hop, ack, what.uac(id))
  turn.cancelTimer(cancelTimer(id))
  turn.dropLegPart(id)
  buryLegPart(turn, id)
  return failed(turn, id, value, response)
}

/** JSR 289 6.2.1: a session whose first INVITE failed is as new; a dialog goes on as it was (14.1), unless the other end has none. */
function failed(turn: Turn, id: string, record: UacRecord, response: SipResponse): LegEvent {
  const { session, isInitial } = record
  const leg = legOf(turn, session)
  if (leg !== null && isInitial) {
    const sent = storedRequest(turn, id)
    for (const { value } of familyOf(turn, leg)) {
      if (value.session !== session && value.state === 'early') endLeg(turn, value.session)
    }
    const remote = { ...leg.remote, tag: '', target: flat(sent.requestUri) }
    putLeg(turn, { ...leg, state: 'initial', remote, routes: values(sent, 'Route').map(flat) })
    leaveCall(turn, session)
  } else if (leg !== null && response.status === 481) endLeg(turn, session)
  return responseEvent(session, id, record, response)
}

/** The intent of a final of our own making. */
export function onLocalFinal(turn: Turn, id: string): LegOutcome {
  const record = turn.get('Transaction', id)
  if (record?.kind !== 'uac' || record.answer === null) return 'core'
  const parsed = parseMessage(record.answer)
  if (!parsed.ok || parsed.value.kind !== 'response') return 'core'
  if (record.method !== 'INVITE') return otherFinal(turn, parsed.value, { id, value: record })
  turn.put(id, { ...record, answer: null })
  buryLegPart(turn, id)
  return failed(turn, id, record, parsed.value)
}

/** 9.1: no final within 64*T1 of our CANCEL. */
export function onCancelTimer(turn: Turn, id: string): LegOutcome {
  const record = turn.get('Transaction', id)
  if (record?.kind !== 'uac' || !isOpenUac(record)) return 'core'
  turn.put(id, { ...record, state: 'terminated', cancel: null, answer: localFinalText(turn, id, record, 487) })
  turn.dropLegPart(id)
  return onLocalFinal(turn, id)
}

/** 13.2.2.4: early dialogs of an INVITE that was answered end 64*T1 after its first 2xx. */
export function onForkTimer(turn: Turn, id: string): void {
  const record = turn.get('Transaction', id)
  const leg = record?.kind === 'uac' ? legOf(turn, record.session) : null
  if (leg === null) return
  for (const { value } of familyOf(turn, leg)) if (value.state === 'early') endLeg(turn, value.session)
}

/** The legs that one INVITE has made. */
function familyOf(turn: Turn, { callId, local }: Leg): readonly Found<Leg>[] {
  return allLegs(turn).filter(({ value }) => value.callId === callId && value.local.tag === local.tag)
}

/** The leg of a response's To tag; a new one if that is new and the leg has another already. Null: there is no room for it. */
function legOfAnswer(turn: Turn, response: SipResponse, id: string, record: UacRecord): Leg | null {
  const tag = toTag(response) ?? ''
  const origin = legOf(turn, record.session)
  if (origin === null) return null
  const known = familyOf(turn, origin).find(({ value }) => value.remote.tag === tag)
  if (known !== undefined) return known.value
  if (origin.remote.tag === '') return origin
  const session = allSessions(turn).find((one) => one.id === record.session)
  if (session === undefined || !hasRoomForLeg(turn)) return null
  const derived = nextSession(turn)
  const { callId, callerTag, caller, callee, hosted } = session.value
  openLegSession(turn, derived, 'uac', { callId, callerTag, caller, callee })
  if (hosted !== null) {
    const { attributes, handler, invalidateWhenReady } = hosted
    changeSession(turn, derived, { attributes, handler, invalidateWhenReady })
  }
  const { requestUri } = storedRequest(turn, id)
  const remote = { ...origin.remote, tag: '', target: flat(requestUri), cseq: 0 }
  // 12.2.1.1: what was sent in another dialog counts there.
  const local = { ...origin.local, cseq: record.cseq }
  const leg: Leg = { ...origin, state: 'initial', session: derived, local, remote, routes: [], unacked: 0, ack: null }
  putLeg(turn, leg)
  return leg
}

/** 12.1.2, and anew with the 2xx (13.2.2.4). */
function enterDialog(
  turn: Turn,
  response: SipResponse,
  record: UacRecord,
  leg: Leg,
  state: 'early' | 'confirmed',
): void {
  if (leg.state === 'ended') return
  const { target, stream } = farEnd(response, record.hop)
  const remote = {
    ...leg.remote,
    tag: flat(toTag(response) ?? ''),
    target: target ?? leg.remote.target,
    transport: record.hop.transport,
    stream,
  }
  const routes = values(response, 'Record-Route').map(flat).toReversed()
  putLeg(turn, { ...leg, state, remote, routes, unacked: state === 'confirmed' ? record.cseq : 0 })
  enterSession(turn, leg.session, state === 'confirmed' ? 'CONFIRMED' : 'EARLY')
}

/** 12.2.1.2. */
function refresh(turn: Turn, response: SipResponse, record: UacRecord, leg: Leg): void {
  const { target, stream } = farEnd(response, record.hop)
  if (target === null || (target === leg.remote.target && stream === leg.remote.stream)) return
  putLeg(turn, { ...leg, remote: { ...leg.remote, target, stream } })
}

function responseEvent(session: string, id: string, record: UacRecord, response: SipResponse): LegEvent {
  const { isInitial, linked } = record
  const message = { kind: 'response', session, request: id, text: response.text, isInitial, linked } as const
  return { handler: responseHandler(response.status), message, subject: '' }
}

/** The connection that a leg's phone was asked on is gone, and it answers on another: that one counts from now on (RFC 5626). */
export function bindUac(turn: Turn, response: SipResponse, flow: Flow): void {
  const found = uacOfBranch(turn, viaOf(response).branch ?? '')
  if (found === null || found.value.hop.stream === '' || flow.stream === '' || found.value.hop.stream === flow.stream)
    return
  if (flow.transport !== found.value.hop.transport) return
  turn.put(found.id, { ...found.value, hop: { ...found.value.hop, stream: flow.stream } })
}
