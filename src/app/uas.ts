// Requests of the other end that an application answers: the first one of a leg, and those in its dialog (RFC 3261 8.2, 12.2.2, 14.2,
// 15.1.2). Each is in the log, with its bytes, before anybody answers it, so that any owner may; its answer is kept as long as it may be
// asked for again.
//
//   open --respond 2xx, INVITE--> accepted --ACK, 64*T1 (noAckReceived)--> acknowledged --64*T1--> gone
//     |--respond other final, CANCEL, BYE--> completed --64*T1--> gone

import { flat } from '../base/bytes.ts'
import { millis } from '../base/instant.ts'
import { liveSessions } from '../call/caps.ts'
import { allDialogs, allLegs, allSessions, allUac, allUas } from '../call/find.ts'
import type { Found } from '../call/find.ts'
import { isOpenUac } from '../call/leg-life.ts'
import { callLimits } from '../call/limits.ts'
import { upstreamOf } from '../call/reply.ts'
import type { Turn } from '../call/turn.ts'
import { what } from '../call/what.ts'
import { requestKey } from '../proxy/branch.ts'
import { answerText } from '../proxy/answer.ts'
import { hasDialog } from '../session/leg.ts'
import type { Leg } from '../session/leg.ts'
import { NO_CALL } from '../session/sip-session.ts'
import { callId, cseq, from, fromTag, header, parseMessage, to, toTag, values } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { startInviteServer, stepInviteServer } from '../transaction/invite-server.ts'
import { startSuccess } from '../transaction/success-repeats.ts'
import { timers } from '../transaction/timers.ts'
import { requestOf } from '../transaction/record.ts'
import type { UasRecord } from '../transaction/record.ts'
import type { Flow } from '../wire/entry.ts'
import type { Op, ResponseParts } from './contract.ts'
import { requestHandler } from './handler-names.ts'
import {
  beginCall,
  buryLegPart,
  enterSession,
  legOf,
  legTag,
  nextSession,
  openLegSession,
  putLeg,
  storedRequest,
  uasOfKey,
} from './leg-find.ts'
import type { LegEvent, LegOutcome, OpFault } from './leg-find.ts'
import { farEnd, partsFault, refusalText, responseText } from './leg-messages.ts'
import { appLimits } from './limits.ts'
import { noAckTimer, noPrackTimer } from './leg-timers.ts'
import { nextRseq, onPrack, reliableFault, reliableHeaders, repeated } from './reliable.ts'
import { applicationSession, hostSession } from './sessions.ts'

/** The first request of a leg: its session, the leg and the request are the log's with this turn, and then an INVITE gets its 100. */
export function openUas(turn: Turn, request: SipRequest, flow: Flow): LegEvent {
  const session = sessionFor(turn, request)
  const upstream = upstreamOf(request, flow)
  const { target, stream } = farEnd(request, upstream)
  const leg: Leg = {
    kind: 'leg',
    role: 'uas',
    state: 'initial',
    session,
    callId: flat(callId(request)),
    local: { party: flat(partyText(request, 'To')), tag: legTag(turn, session), cseq: 0 },
    remote: {
      party: flat(partyText(request, 'From')),
      tag: flat(fromTag(request) ?? ''),
      cseq: cseq(request).number,
      target: target ?? '',
      transport: upstream.transport,
      stream,
    },
    routes: values(request, 'Record-Route').map(flat),
    unacked: 0,
    ack: null,
  }
  putLeg(turn, leg)
  if (request.method === 'INVITE') beginCall(turn, session)
  return opened(turn, request, upstream, session, true)
}

function sessionFor(turn: Turn, request: SipRequest): string {
  const [id, tag] = [callId(request), fromTag(request) ?? '']
  // An INVITE that comes again with credentials belongs to the session of the one before.
  const known = allSessions(turn).find(
    (one) => one.value.callId === id && one.value.callerTag === tag && isFree(turn, one.id),
  )
  if (known !== undefined) {
    turn.put(known.id, { ...known.value, state: 'INITIAL', began: NO_CALL, answered: null })
    if (applicationSession(turn) !== null) hostSession(turn, known.id, 'uas')
    return known.id
  }
  const session = nextSession(turn)
  openLegSession(turn, session, 'uas', {
    callId: flat(id),
    callerTag: flat(tag),
    caller: flat(from(request).uri),
    callee: flat(to(request).uri),
  })
  return session
}

/** Whether a new INVITE may have it: nothing of it is alive, and its tag named no dialog that may still be asked for. */
function isFree(turn: Turn, session: string): boolean {
  const leg = legOf(turn, session)
  if (leg === null) return !liveSessions(turn).has(session)
  const isOver = leg.role === 'uas' && !hasDialog(leg)
  return isOver && !allUas(turn).some(({ value }) => value.session === session && value.state !== 'completed')
}

/** From or To as it stands there, without its tag. */
function partyText(request: SipRequest, name: 'From' | 'To'): string {
  const text = header(request, name) ?? ''
  const { uri } = name === 'From' ? from(request) : to(request)
  const end = text.indexOf('>', text.indexOf(uri))
  // An addr-spec without brackets: what follows its semicolon is the header's.
  return end < 0 ? `<${uri}>` : text.slice(0, end + 1)
}

function opened(turn: Turn, request: SipRequest, upstream: Flow, session: string, isInitial: boolean): LegEvent {
  const id = turn.nextId('Transaction')
  const { method } = request
  turn.put(id, {
    kind: 'uas',
    key: flat(requestKey(request)),
    method: flat(method),
    session,
    cseq: cseq(request).number,
    upstream: { ...upstream, host: flat(upstream.host) },
    state: 'open',
    cancelAnswer: null,
    answer: null,
    rseq: 0,
  })
  turn.put(requestOf(id), { kind: 'request', text: flat(request.text) })
  if (method === 'INVITE') turn.sendAfter(upstream, answerText(request, turn.ctx.keys, 100), what.uas(id))
  // Who sent another one gives up after 64*T1 (17.1.2.2), and no later answer finds him.
  else buryLegPart(turn, id)
  return requestEvent(session, id, request, isInitial)
}

export function requestEvent(session: string, id: string, request: SipRequest, isInitial = false): LegEvent {
  const message = { kind: 'request', session, request: id, text: request.text, isInitial } as const
  return { handler: requestHandler(request.method), message, subject: '' }
}

/** A request that is no ACK and no CANCEL: a repeated one, a merged one, or one in the dialog of a leg. */
export function onUasRequest(turn: Turn, request: SipRequest, flow: Flow, leg: Leg | null): LegOutcome {
  const known = uasOfKey(turn, requestKey(request))
  if (known !== null) {
    onRepeated(turn, request, known)
    return 'core'
  }
  if (leg === null) return isMerged(turn, request) ? refuse(turn, request, flow, mergedLeg(turn, request), 482) : null
  return onInDialog(turn, request, flow, leg)
}

/** 17.2.1, 17.2.2: what was answered last, again. */
function onRepeated(turn: Turn, request: SipRequest, { id, value }: Found<UasRecord>): void {
  const trying = value.method === 'INVITE' ? answerText(request, turn.ctx.keys, 100) : null
  // RFC 6026 7.1: an INVITE that comes again after its 2xx gets nothing; the 2xx repeats itself.
  const isAbsorbed = value.state === 'accepted' || value.state === 'acknowledged'
  const text = isAbsorbed ? null : (value.answer ?? trying)
  if (text !== null) turn.send(value.upstream, text, what.uas(id))
}

/** 8.2.2.2: the same request came another way. */
function isMerged(turn: Turn, request: SipRequest): boolean {
  return toTag(request) === null && mergedLeg(turn, request) !== null
}

function mergedLeg(turn: Turn, request: SipRequest): Leg | null {
  const { number, method } = cseq(request)
  const [id, tag] = [callId(request), fromTag(request) ?? '']
  for (const { value } of allUas(turn)) {
    const leg = value.cseq === number && value.method === method ? legOf(turn, value.session) : null
    if (leg !== null && leg.role === 'uas' && leg.callId === id && leg.remote.tag === tag) return leg
  }
  return null
}

function onInDialog(turn: Turn, request: SipRequest, flow: Flow, leg: Leg): LegOutcome {
  const { method } = request
  // Both hung up at once: theirs is as good as ours (15.1.2 has 481 where nothing is known of the dialog).
  if (leg.state === 'ended') return refuse(turn, request, flow, leg, method === 'BYE' ? 200 : 481)
  const { number } = cseq(request)
  // 12.2.2: it was overtaken.
  if (number < leg.remote.cseq) return refuse(turn, request, flow, leg, 500)
  if (method === 'INVITE') {
    const of = (record: { readonly session: string; readonly method: string }): boolean =>
      record.session === leg.session && record.method === 'INVITE'
    // 14.2: one of its own has no answer yet: in 0 to 10 s, by its number so that any owner says the same.
    if (allUas(turn).some(({ value }) => of(value) && value.state === 'open'))
      return refuse(turn, request, flow, leg, 500, [['Retry-After', String(number % 11)]])
    if (allUac(turn).some(({ value }) => of(value) && isOpenUac(value))) return refuse(turn, request, flow, leg, 491)
  }
  if (method !== 'BYE' && !hasRoom(turn)) {
    return refuse(turn, request, flow, leg, 503, [['Retry-After', String(callLimits.retryAfterSeconds)]])
  }
  if (method === 'PRACK' && !onPrack(turn, request, leg)) return refuse(turn, request, flow, leg, 481)
  const upstream = upstreamOf(request, flow)
  putLeg(turn, { ...leg, remote: { ...leg.remote, cseq: number } })
  const event = opened(turn, request, upstream, leg.session, false)
  if (method === 'BYE') endLeg(turn, leg.session)
  return event
}

/** Nothing is kept of it: the same one gets the same again, or is let in by then. */
function refuse(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  leg: Leg | null,
  status: number,
  headers: readonly (readonly [string, string])[] = [],
): 'core' {
  if (leg !== null) turn.send(upstreamOf(request, flow), refusalText(request, leg, status, headers), what.untracked)
  return 'core'
}

/** Whether the group has room for another transaction of a leg. */
export function hasRoom(turn: Turn): boolean {
  return allUas(turn).length + allUac(turn).length < callLimits.invites
}

/** Whether it has room for another leg. */
export function hasRoomForLeg(turn: Turn): boolean {
  return (
    hasRoom(turn) &&
    allSessions(turn).length < appLimits.sessions &&
    allLegs(turn).length + allDialogs(turn).length < callLimits.dialogs
  )
}

/** 15: the dialog is over. What waits for an answer of ours gets 487 (15.1.2), and no 2xx is repeated any more. */
export function endLeg(turn: Turn, session: string): void {
  const leg = legOf(turn, session)
  if (leg === null || leg.state === 'ended') return
  putLeg(turn, { ...leg, state: 'ended', unacked: 0 })
  enterSession(turn, session, 'TERMINATED')
  for (const { id, value } of allUas(turn)) {
    if (value.session !== session || value.method === 'BYE') continue
    if (value.state === 'open') answer(turn, id, value, { status: 487, headers: [], body: '' })
    else if (value.state === 'accepted') acknowledge(turn, id, value)
  }
}

/** An application's answer. */
export function respond(turn: Turn, op: Extract<Op, { kind: 'respond' }>): OpFault {
  const { request: id, response } = op
  const record = turn.get('Transaction', id)
  if (record?.kind !== 'uas' || record.state !== 'open') return `request ${id} waits for no answer`
  const { status } = response
  if (!Number.isInteger(status) || status <= 100 || status > 699) return `status ${status} is none from 101 to 699`
  return partsFault(response) ?? reliableFault(turn, id, record, response) ?? answer(turn, id, record, response)
}

/** `record` is open. */
export function answer(turn: Turn, id: string, record: UasRecord, response: ResponseParts): OpFault {
  const leg = legOf(turn, record.session)
  if (leg === null) return `request ${id} has no leg any more`
  const { status } = response
  const rseq = response.reliable === true ? nextRseq(record) : null
  const parts = rseq === null ? response : { ...response, headers: [...response.headers, ...reliableHeaders(rseq)] }
  const text = flat(responseText(turn, storedRequest(turn, id), leg, record.upstream, parts))
  if (!parseMessage(text).ok) return `the ${status} can't be written: its headers are too many or too long`
  turn.sendAfter(record.upstream, text, what.uas(id))
  if (status < 200) provisional(turn, id, rseq === null ? record : repeated(turn, id, record, rseq), leg, text)
  else if (record.method !== 'INVITE') finish(turn, id, record, leg, status, text)
  else if (status < 300) accept(turn, id, record, leg, text)
  else reject(turn, id, record, leg, status, text)
  return null
}

/** 12.1.1: our tag makes the dialog. */
function provisional(turn: Turn, id: string, record: UasRecord, leg: Leg, text: string): void {
  turn.put(id, { ...record, answer: text })
  if (record.method !== 'INVITE' || leg.state !== 'initial') return
  putLeg(turn, { ...leg, state: 'early' })
  enterSession(turn, leg.session, 'EARLY')
}

/** 13.3.1.4. */
function accept(turn: Turn, id: string, record: UasRecord, leg: Leg, text: string): void {
  turn.put(id, { ...record, state: 'accepted', answer: text })
  turn.cancelTimer(noPrackTimer(id))
  turn.setTimer(noAckTimer(id), timers.sixtyFourT1, null)
  turn.setUas(id, { kind: 'success', repeats: startSuccess(millis(0), turn.now) })
  if (leg.state === 'confirmed') return refresh(turn, id, record, leg)
  putLeg(turn, { ...leg, state: 'confirmed' })
  enterSession(turn, leg.session, 'CONFIRMED')
}

/** 13.3.1.3. */
function reject(turn: Turn, id: string, record: UasRecord, leg: Leg, status: number, text: string): void {
  turn.put(id, { ...record, state: 'completed', answer: text })
  turn.cancelTimer(noPrackTimer(id))
  const server = startInviteServer(record.upstream.transport !== 'udp')
  turn.setUas(id, { kind: 'failure', server: stepInviteServer(server, { kind: 'respond', status }, turn.now).machine })
  buryLegPart(turn, id)
  if (leg.state !== 'initial' && leg.state !== 'early') return
  putLeg(turn, { ...leg, state: 'ended' })
  enterSession(turn, leg.session, 'TERMINATED')
}

function finish(turn: Turn, id: string, record: UasRecord, leg: Leg, status: number, text: string): void {
  turn.put(id, { ...record, state: 'completed', answer: text })
  buryLegPart(turn, id)
  // RFC 3311 5.2.
  if (record.method === 'UPDATE' && status < 300) refresh(turn, id, record, leg)
}

/** 12.2.2: the other end's target, by a request that was accepted. */
function refresh(turn: Turn, id: string, record: UasRecord, leg: Leg): void {
  const { target, stream } = farEnd(storedRequest(turn, id), record.upstream)
  if (target === null || (target === leg.remote.target && stream === leg.remote.stream)) return
  putLeg(turn, { ...leg, remote: { ...leg.remote, target, stream } })
}

/** The 2xx is not repeated any more. */
export function acknowledge(turn: Turn, id: string, record: UasRecord): void {
  turn.put(id, { ...record, state: 'acknowledged', cancelAnswer: null })
  turn.cancelTimer(noAckTimer(id))
  turn.dropLegPart(id)
  buryLegPart(turn, id)
}
