// What a handler may read: the group as its owner has it, at the beginning of a turn.

import { makeSessionToken } from '../proxy/session-token.ts'
import { APPLICATION_SESSION, LAST_ACCESS } from '../session/application-session.ts'
import type { PackedAttribute } from '../session/attributes.ts'
import { dueOf } from '../session/servlet-timer.ts'
import type { ServletTimer } from '../session/servlet-timer.ts'
import { unpackChain } from '../proxy/chain.ts'
import { newHosted } from '../session/sip-session.ts'
import type { SipSession } from '../session/sip-session.ts'
import { allDialogs, allSessions, allUac, allUas } from '../call/find.ts'
import { isOpenUac } from '../call/leg-life.ts'
import type { Turn } from '../call/turn.ts'
import type { AppContext } from './context.ts'
import type { Attribute, PendingRequest, ServletTimerView, SessionView, SipSessionView } from './contract.ts'
import { expiresAt } from './expiry.ts'
import { legOf, storedRequest } from './leg-find.ts'
import { unpackValue } from './packed.ts'
import { makeSessionId } from './session-id.ts'
import { applicationSession } from './sessions.ts'
import { nextRound, putAt, timersOf } from './timers.ts'

/** `firing`: a timer that fired, of which its callback sees the next time; '' = none. */
export function viewOf(turn: Turn, ctx: AppContext, firing = ''): SessionView {
  const app = applicationSession(turn)
  const created = app?.created ?? ctx.cluster
  const held = turn.held('SipApplicationSession', APPLICATION_SESSION)
  const sessions = [...allSessions(turn)].sort((a, b) => Number(a.id) - Number(b.id))
  const last = Math.max(0, ...sessions.map(({ id }) => Number(id)))
  return {
    group: turn.key,
    id: makeSessionId(ctx.keys, { group: turn.key, created }),
    uriToken: makeSessionToken(ctx.keys, 'session uri', { group: turn.key, created }),
    created,
    lastAccessed: turn.held('SipApplicationSession', LAST_ACCESS)?.stamp ?? created,
    expires: expiresAt(turn),
    isValid: app?.hosted.isValid ?? false,
    invalidateWhenReady: app?.hosted.invalidateWhenReady ?? true,
    key: app?.hosted.key ?? null,
    ...chainView(app),
    attributes: attributesOf(app?.hosted.attributes ?? []),
    sessions: sessions.map(({ id, value }) => sessionView(turn, id, value)),
    timers: timersOf(turn).map(({ id, value }) => timerView(turn, id, value, id === firing)),
    version: held?.version ?? 0,
    // The owner's to fill in.
    groupVersion: 0,
    index: ctx.applied,
    nextSession: Math.max(app?.hosted.nextSession ?? 1, last + 1),
    nextTimer: app?.hosted.nextTimer ?? 1,
  }
}

function chainView(
  app: ReturnType<typeof applicationSession>,
): Pick<SessionView, 'stateInfo' | 'region' | 'subscriber'> {
  const chain = app === null ? null : unpackChain(app.hosted.stateInfo)
  if (chain === null) return { stateInfo: null }
  const { region, subscriber, state } = chain
  return {
    stateInfo: unpackValue(state),
    ...(region === null ? {} : { region }),
    ...(subscriber === '' ? {} : { subscriber }),
  }
}

function sessionView(turn: Turn, id: string, session: SipSession): SipSessionView {
  const { role, isValid, invalidateWhenReady, linked, handler, attributes } = session.hosted ?? newHosted('proxy')
  const { state, callId, callerTag, caller, callee } = session
  const [callerEnd, calleeEnd] = [
    { uri: `<${caller}>`, tag: callerTag },
    { uri: `<${callee}>`, tag: calleeTag(turn, id) },
  ]
  const leg = legOf(turn, id)
  const [local, remote] = role === 'uas' ? [calleeEnd, callerEnd] : [callerEnd, calleeEnd]
  return {
    id,
    state,
    role,
    isValid,
    invalidateWhenReady,
    callId,
    local: leg?.local.party ?? local.uri,
    remote: leg?.remote.party ?? remote.uri,
    localTag: leg?.local.tag ?? local.tag,
    remoteTag: leg?.remote.tag ?? remote.tag,
    linked,
    handler,
    attributes: attributesOf(attributes),
    pending: pendingOf(turn, id),
    version: turn.held('SipSession', id)?.version ?? 0,
  }
}

/** Requests without a final, the oldest first. */
function pendingOf(turn: Turn, session: string): readonly PendingRequest[] {
  const pending: PendingRequest[] = []
  for (const { id, value } of allUas(turn)) {
    if (value.session !== session || value.state !== 'open') continue
    pending.push({ id, direction: 'in', method: value.method, text: storedRequest(turn, id).text })
  }
  for (const { id, value } of allUac(turn)) {
    if (value.session !== session || !isOpenUac(value)) continue
    const { method, linked } = value
    pending.push({ id, direction: 'out', method, text: storedRequest(turn, id).text, linked })
  }
  return pending.sort((a, b) => Number(a.id) - Number(b.id))
}

/** Of the dialog that was confirmed, else of the newest: one INVITE may have several. */
function calleeTag(turn: Turn, session: string): string {
  const dialogs = allDialogs(turn).filter(({ value }) => value.session === session)
  const dialog = dialogs.find(({ value }) => value.state === 'confirmed') ?? dialogs.at(-1)
  return dialog?.value.callee.tag ?? ''
}

function timerView(turn: Turn, id: string, timer: ServletTimer, isFiring: boolean): ServletTimerView {
  const { period, isFixedDelay, isPersistent, info } = timer
  const due = dueOf(timer, putAt(turn, id))
  const next = isFiring ? nextRound(timer, due, turn.ctx.cluster) : null
  return {
    id,
    due: next === null ? due : dueOf(next, turn.ctx.cluster),
    period,
    isFixedDelay,
    isPersistent,
    info: unpackValue(info),
  }
}

function attributesOf(attributes: readonly PackedAttribute[]): readonly Attribute[] {
  return attributes.map(({ name, bytes }) => ({ name, value: unpackValue(bytes) }))
}
