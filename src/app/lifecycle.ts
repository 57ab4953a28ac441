// How sessions end (JSR 289 6.1.2, 6.2.4). A session is ready to be invalidated once nothing of it is under way; an application session
// once all its SipSessions are and no timer is active. What is invalid is kept as a tombstone until its calls are over and 64*T1 more
// (call/settle.ts): who comes too late is told what it was.
//
//   opened --intent n--> sessionCreated(), once the commit that opened it is applied: the handler of the message comes first
//   valid --invalidate()-------------------------------------------------> invalid --intent z--> sessionDestroyed()
//     | --expiry fires: intent a --sessionExpired(), and not extended---------^
//     | --another owner--> intent v --sessionDidActivate()
//     '--ready, invalidateWhenReady: intent y --sessionReadyToInvalidate(), and still ready--^    (at once if nobody listens)

import { allDialogs, allSessions } from '../call/find.ts'
import { liveSessions } from '../call/caps.ts'
import { Turn } from '../call/turn.ts'
import { legId } from '../session/leg.ts'
import { timers } from '../transaction/timers.ts'
import type { EntityRef } from '../wire/entry.ts'
import type { AppContext } from './context.ts'
import type { HandlerName } from './contract.ts'
import { setExpires } from './expiry.ts'
import { busyLegs, leaveLegs } from './leg-ops.ts'
import {
  applicationSession,
  changeApplicationSession,
  changeSession,
  hostSession,
  isValid,
  sipSession,
} from './sessions.ts'
import { cancelTimer, endIntent, timersOf } from './timers.ts'

/** Intents: the listeners of what has become of a session are to be called. */
export const CREATED = 'n'
export const READY = 'y'
export const DESTROYED = 'z'
export const ACTIVATED = 'v'

/** Ends the timers and SipSessions of the application session along with it. */
export function invalidateAll(turn: Turn): void {
  for (const { id } of timersOf(turn)) cancelTimer(turn, id)
  setExpires(turn, null)
  for (const id of [CREATED, READY, ACTIVATED]) endIntent(turn, id)
  leaveLegs(turn)
  for (const { id, value } of allSessions(turn)) {
    if (value.hosted?.isValid === true) changeSession(turn, id, { isValid: false, linked: '' })
  }
  changeApplicationSession(turn, { isValid: false })
}

/** Its dialogs and transactions are over. */
export function invalidateSession(turn: Turn, id: string): void {
  const session = sipSession(turn, id)
  if (session === null) return
  unlink(turn, id)
  changeSession(turn, id, { isValid: false })
  const dialogs = allDialogs(turn).filter(({ value }) => value.session === id)
  const targets = dialogs.map((dialog): EntityRef => ({ tree: 'Dialog', id: dialog.id }))
  if (turn.get('Dialog', legId(id)) !== null) targets.push({ tree: 'Dialog', id: legId(id) })
  turn.setTimer(tombstone(id), timers.sixtyFourT1, [{ tree: 'SipSession', id }, ...targets])
}

export function unlink(turn: Turn, id: string): void {
  const other = sipSession(turn, id)?.hosted.linked ?? ''
  if (other === '') return
  changeSession(turn, id, { linked: '' })
  if (sipSession(turn, other)?.hosted.linked === id) changeSession(turn, other, { linked: '' })
}

/** Sessions with a dialog, or a transaction, that isn't over. */
export function openSessions(turn: Turn): ReadonlySet<string> {
  return new Set([...liveSessions(turn), ...busyLegs(turn)])
}

/** To be called once the turn's work is done, before call/settle.ts; only a commit changes anything. */
export function settleSessions(turn: Turn, ctx: AppContext): void {
  if (!turn.commits || applicationSession(turn) === null) return
  const was = new Turn(turn.base, turn.ctx)
  if (isValid(turn)) {
    if (!isValid(was) && listens(turn, ctx, 'sessionCreated')) turn.openIntent(CREATED)
    const open = openSessions(turn)
    for (const { id } of allSessions(turn)) settleSession(turn, id, open.has(id))
    if (isDone(turn)) {
      if (!listens(turn, ctx, 'sessionReadyToInvalidate')) invalidateAll(turn)
      else if (!isDone(was)) turn.openIntent(READY)
    }
  }
  if (!isValid(was) || isValid(turn) || !listens(turn, ctx, 'sessionDestroyed')) return
  turn.openIntent(DESTROYED)
  changeApplicationSession(turn, { awaitsEnd: true })
}

function settleSession(turn: Turn, id: string, isOpen: boolean): void {
  const session = sipSession(turn, id)
  if (session === null) return hostSession(turn, id, 'proxy')
  const { isValid: isOn, invalidateWhenReady, role } = session.hosted
  if (isOpen && !isOn) {
    // A call that was over begins again (an INVITE with credentials after a 407).
    turn.cancelTimer(tombstone(id))
    hostSession(turn, id, role)
  } else if (!isOpen && isOn && invalidateWhenReady) invalidateSession(turn, id)
}

/** Whether it is to be invalidated because nothing of it is left. One that never had anything waits for it, or for its expiry. */
export function isDone(turn: Turn): boolean {
  const app = applicationSession(turn)
  if (app === null || timersOf(turn).length > 0) return false
  const { isValid: isOn, invalidateWhenReady, wasUsed } = app.hosted
  if (!isOn || !invalidateWhenReady || !wasUsed) return false
  const open = openSessions(turn)
  return allSessions(turn).every(({ id, value }) => value.hosted?.isValid === false || !open.has(id))
}

/** JSR 289's activation: a new owner has the session. What the old one would be told before, and can't be at its death, is told to nobody:
 * all that a session has is in the log, and a worker keeps nothing of it. */
export function activate(turn: Turn, ctx: AppContext): void {
  if (isValid(turn) && listens(turn, ctx, 'sessionDidActivate')) turn.openIntent(ACTIVATED)
}

function listens(turn: Turn, { applications }: AppContext, handler: HandlerName): boolean {
  const app = applicationSession(turn)
  return applications.some(
    ({ name, version, handlers }) =>
      name === app?.applicationName && version === app.hosted.applicationVersion && handlers.includes(handler),
  )
}

/** The timer that deletes a SipSession of a group that goes on. */
function tombstone(session: string): string {
  return `x.s${session}`
}
