// When a SipApplicationSession expires (JSR 289 6.1.2.2): a deadline in the log as a ServletTimer's is, under the name `a`. Extending
// sets it anew and ends a firing that nobody has performed yet; whichever commit has the smaller index wins, so a session is
// expired or extended, never both.
//
//   setExpires --commit: timer a--> pulse: intent a --sessionExpired()--> commit: intent done, and extended, or invalid

import type { Duration, Stamp } from '../base/instant.ts'
import { dueOf } from '../session/servlet-timer.ts'
import type { Turn } from '../call/turn.ts'
import { packedNull } from './packed.ts'
import { endIntent, putAt } from './timers.ts'

/** The name of its entity among the ServletTimers, of its timer in the log, and of its intent. */
export const EXPIRY = 'a'

/** `after` from this turn's commit; null = never. */
export function setExpires(turn: Turn, after: Duration | null): void {
  if (turn.get('ServletTimer', EXPIRY) !== null) endIntent(turn, EXPIRY)
  if (after === null) {
    turn.delete('ServletTimer', EXPIRY)
    turn.cancelTimer(EXPIRY)
    return
  }
  turn.put(EXPIRY, { ...ONCE, after, info: packedNull() })
  turn.setTimer(EXPIRY, after, null)
}

const ONCE = {
  kind: 'timer',
  nominal: null,
  period: null,
  isFixedDelay: false,
  isPersistent: true,
  fired: 0,
} as const

/** null = never. */
export function expiresAt(turn: Turn): Stamp | null {
  const timer = turn.get('ServletTimer', EXPIRY)
  return timer?.kind === 'timer' ? dueOf(timer, putAt(turn, EXPIRY)) : null
}

/** Whether this turn has set it anew, or taken it away. */
export function isExpiryChanged(turn: Turn): boolean {
  return turn.get('ServletTimer', EXPIRY) !== (turn.held('ServletTimer', EXPIRY)?.value ?? null)
}
