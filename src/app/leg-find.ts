// What of a group's legs a message or an operation is about, and the small changes that several of them make.

import { must } from '../base/assert.ts'
import { hashHex, sipHashText } from '../base/hash.ts'
import { allLegs, allSessions, allUac, allUas, parsedRequest } from '../call/find.ts'
import type { Found } from '../call/find.ts'
import { buryTransaction } from '../call/settle.ts'
import type { Turn } from '../call/turn.ts'
import type { SetPlace } from '../proxy/forward.ts'
import { isOfLeg, legId } from '../session/leg.ts'
import type { Leg, LegRole } from '../session/leg.ts'
import { NO_CALL, enterConfirmed, isInCall } from '../session/sip-session.ts'
import type { SipSession, SipSessionState } from '../session/sip-session.ts'
import { callId, fromTag, toTag } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { requestOf } from '../transaction/record.ts'
import type { UacRecord, UasRecord } from '../transaction/record.ts'
import type { AppMessage, HandlerName } from './contract.ts'
import { applicationSession, hostSession } from './sessions.ts'

/** What an application may want to hear of. `null` = it is no leg's; `core` = nobody need be asked. */
export interface LegEvent {
  readonly handler: HandlerName
  readonly message: AppMessage | null
  /** Id of the SipSession, of what no message brought; else ''. */
  readonly subject: string
}

export type LegOutcome = LegEvent | 'core' | null

/** Why an operation isn't allowed; null = it is done. */
export type OpFault = string | null

/** Our end's tag in the leg of that session: any owner makes the same one. */
export function legTag(turn: Turn, session: string): string {
  const key = must(turn.ctx.keys.key(1), 'the set has no key yet')
  return hashHex(sipHashText(key, `leg ${turn.key} ${session}`))
}

export function legOf(turn: Turn, session: string): Leg | null {
  const leg = turn.get('Dialog', legId(session))
  return leg?.kind === 'leg' ? leg : null
}

export function putLeg(turn: Turn, leg: Leg): void {
  turn.put(legId(leg.session), leg)
}

/** The leg that a request of the other end is sent in. */
export function legOfRequest(turn: Turn, request: SipRequest): Leg | null {
  const [id, remote, local] = [callId(request), fromTag(request) ?? '', toTag(request)]
  if (local === null) return null
  return allLegs(turn).find(({ value }) => isOfLeg(value, id, remote, local))?.value ?? null
}

/** 17.2.3. */
export function uasOfKey(turn: Turn, key: string): Found<UasRecord> | null {
  return allUas(turn).find(({ value }) => value.key === key) ?? null
}

/** 17.1.3. */
export function uacOfBranch(turn: Turn, branch: string): Found<UacRecord> | null {
  return allUac(turn).find(({ value }) => value.branch === branch) ?? null
}

/** The request of a `uas` or `uac` record. */
export function storedRequest(turn: Turn, id: string): SipRequest {
  const record = turn.get('Transaction', requestOf(id))
  return parsedRequest(record?.kind === 'request' ? record.text : null)
}

/** A new SipSession of the group's application, for a leg; in no call yet. Ids are not used again. */
export function openLegSession(
  turn: Turn,
  id: string,
  role: LegRole,
  begun: Pick<SipSession, 'callId' | 'callerTag' | 'caller' | 'callee'>,
): void {
  const created = turn.ctx.cluster
  turn.put(id, { kind: 'session', state: 'INITIAL', created, began: NO_CALL, answered: null, hosted: null, ...begun })
  if (applicationSession(turn) !== null) hostSession(turn, id, role)
}

/** The number that the next SipSession gets. */
export function nextSession(turn: Turn): string {
  const next = Number(turn.nextId('SipSession'))
  return String(Math.max(next, applicationSession(turn)?.hosted.nextSession ?? 1))
}

/** Its first INVITE goes out, or came in. */
export function beginCall(turn: Turn, id: string): void {
  const session = turn.get('SipSession', id)
  if (session?.kind !== 'session' || isInCall(session)) return
  turn.put(id, { ...session, state: 'INITIAL', began: turn.ctx.cluster, answered: null })
}

/** JSR 289 6.2.1: that failed, and the session is as new. */
export function leaveCall(turn: Turn, id: string): void {
  const session = turn.get('SipSession', id)
  if (session?.kind === 'session') turn.put(id, { ...session, state: 'INITIAL', began: NO_CALL, answered: null })
}

export function enterSession(turn: Turn, id: string, state: SipSessionState): void {
  const session = allSessions(turn).find((one) => one.id === id)
  if (session === undefined || session.value.state === state) return
  turn.put(id, state === 'CONFIRMED' ? enterConfirmed(session.value, turn.ctx.cluster) : { ...session.value, state })
}

/** It goes 64*T1 from now, with its request. */
export function buryLegPart(turn: Turn, id: string): void {
  buryTransaction(turn, id, [requestOf(id)])
}

/** It goes at once. */
export function forgetLegPart(turn: Turn, id: string): void {
  turn.delete('Transaction', id)
  turn.delete('Transaction', requestOf(id))
  turn.dropLegPart(id)
}

export function placeOf(turn: Turn): SetPlace {
  const { settings, keys } = turn.ctx
  return { group: turn.key, set: settings.sip, keys }
}
