// Intents of which an application hears: a timer fired, its session is new, expired, is ready, is gone, has another owner. Performed by whoever owns the group:
// the application is asked, and its operations, what the rules make of the event besides, and the intent's end are one commit.
//
//   callbackOf --asked--> beginCallback, its operations, endCallback --> one commit
//             --nobody listens, or the handler failed--> beginCallback, endCallback --> the same without operations
//             --null: it was cancelled, or extended--> dropCallback

import type { Stamp } from '../base/instant.ts'
import { dueOf } from '../session/servlet-timer.ts'
import type { Turn } from '../call/turn.ts'
import type { HandlerName } from './contract.ts'
import { EXPIRY, isExpiryChanged } from './expiry.ts'
import { ACTIVATED, CREATED, DESTROYED, READY, invalidateAll, isDone } from './lifecycle.ts'
import { applicationSession, changeApplicationSession, isValid } from './sessions.ts'
import { endIntent, logTimer, passTimer, putAt } from './timers.ts'

export interface Callback {
  readonly handler: HandlerName
  /** The timer that fired; '' = none. */
  readonly timer: string
  /** When that was due; null = no timer. */
  readonly due: Stamp | null
}

/** Whether an intent is this room's to perform. */
export function isCallback(intent: string): boolean {
  return intent.startsWith('t.') || [EXPIRY, CREATED, READY, DESTROYED, ACTIVATED].includes(intent)
}

/** null = there is nothing to call it for: a commit before this one cancelled the timer, extended or ended the session. */
export function callbackOf(turn: Turn, intent: string): Callback | null {
  if (turn.hasEnded(intent)) return null
  const none = { timer: '', due: null }
  if (intent === DESTROYED) {
    return applicationSession(turn)?.hosted.awaitsEnd === true ? { handler: 'sessionDestroyed', ...none } : null
  }
  if (!isValid(turn)) return null
  if (intent === CREATED) return { handler: 'sessionCreated', ...none }
  if (intent === ACTIVATED) return { handler: 'sessionDidActivate', ...none }
  if (intent === READY) return isDone(turn) ? { handler: 'sessionReadyToInvalidate', ...none } : null
  if (intent === EXPIRY) {
    return turn.get('ServletTimer', EXPIRY) === null ? null : { handler: 'sessionExpired', ...none }
  }
  const id = timerOf(intent)
  const timer = turn.get('ServletTimer', id)
  return timer?.kind === 'timer' ? { handler: 'timeout', timer: id, due: dueOf(timer, putAt(turn, id)) } : null
}

/** Before its operations: a timer's next deadline is set, so that what the handler does with the timer has the last word. */
export function beginCallback(turn: Turn, intent: string): void {
  if (intent.startsWith(logTimer(''))) passTimer(turn, timerOf(intent))
}

/** After them: what has expired and wasn't extended, or is still ready, is invalidated. */
export function endCallback(turn: Turn, intent: string): void {
  const isOver = intent === EXPIRY ? !isExpiryChanged(turn) : intent === READY && isDone(turn)
  if (isOver && isValid(turn)) invalidateAll(turn)
  if (intent === DESTROYED && applicationSession(turn) !== null) changeApplicationSession(turn, { awaitsEnd: false })
  endIntent(turn, intent)
}

/** It ends without anybody being called; one that an open commit ends is that commit's. */
export function dropCallback(turn: Turn, intent: string): void {
  endIntent(turn, intent)
}

function timerOf(intent: string): string {
  return intent.slice(logTimer('').length)
}
