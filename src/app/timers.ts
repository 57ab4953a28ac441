// ServletTimers (JSR 289 8). The log fires them (design.md 5): a deadline is a timer `t.ID` of the log, firing writes an intent of
// that name, and what timeout() did, the intent's end and the next deadline are one commit. So nothing fires twice, whoever dies.
//
//   createTimer --commit: entity, timer t.ID--> pulse: intent t.ID --timeout()--> commit: intent done, and
//                                                      '                once         entity deleted
//                                                      '                fixed delay  due again a period after this commit
//   cancel() ends all three, in one commit:            '                fixed rate   due again a period after it was due; after a gap
//   with the smaller index it wins                     '                             at most `catchUp` times at once
//
// Persistent or not, a timer is in the log, so it survives every replica's death as calls do. `isPersistent` is kept and shown, and
// promises no more (JSR 289: a timer that isn't may be lost at a restart): with durability `memory` both are lost with the whole set.

import { between, plus, stamp } from '../base/instant.ts'
import type { Duration, Stamp } from '../base/instant.ts'
import { dueOf } from '../session/servlet-timer.ts'
import type { ServletTimer } from '../session/servlet-timer.ts'
import type { Found } from '../call/find.ts'
import type { Turn } from '../call/turn.ts'
import { appLimits } from './limits.ts'

/** The id of its timer in the log, and of its intent. */
export function logTimer(id: string): string {
  return `t.${id}`
}

/** Its number; null = no ServletTimer is called that. */
export function timerNumber(id: string): number | null {
  return /^t[1-9][0-9]{0,14}$/.test(id) ? Number(id.slice(1)) : null
}

/** In the order of their numbers. */
export function timersOf(turn: Turn): readonly Found<ServletTimer>[] {
  const found: Found<ServletTimer>[] = []
  for (const [id, value] of turn.entries('ServletTimer')) {
    if (value.kind === 'timer' && timerNumber(id) !== null) found.push({ id, value })
  }
  return found.sort((a, b) => (timerNumber(a.id) ?? 0) - (timerNumber(b.id) ?? 0))
}

export function setTimer(turn: Turn, id: string, timer: ServletTimer): void {
  turn.put(id, timer)
  turn.setTimer(logTimer(id), timer.after, null)
}

/** Nothing of it is left: neither a deadline nor, if it fired before this, its callback. One that isn't there is ignored. */
export function cancelTimer(turn: Turn, id: string): void {
  if (turn.get('ServletTimer', id) === null) return
  turn.delete('ServletTimer', id)
  turn.cancelTimer(logTimer(id))
  endIntent(turn, logTimer(id))
}

/** The commit that has what timeout() did ends this firing, and sets the next one. */
export function passTimer(turn: Turn, id: string): void {
  endIntent(turn, logTimer(id))
  const timer = turn.get('ServletTimer', id)
  if (timer?.kind !== 'timer') return
  const next = nextRound(timer, dueOf(timer, putAt(turn, id)), turn.ctx.cluster)
  if (next === null) turn.delete('ServletTimer', id)
  else setTimer(turn, id, next)
}

/** The stamp of the commit that put a timer; of one that this turn put, an estimate. */
export function putAt(turn: Turn, id: string): Stamp {
  const held = turn.held('ServletTimer', id)
  return held !== null && held.value === turn.get('ServletTimer', id) ? held.stamp : turn.ctx.cluster
}

/** The timer for its next time, after it was due at `due` and is performed at `now`; null = it fires once. */
export function nextRound(timer: ServletTimer, due: Stamp, now: Stamp): ServletTimer | null {
  const { period } = timer
  if (period === null) return null
  const fired = timer.fired + 1
  if (timer.isFixedDelay) return { ...timer, after: period, nominal: null, fired }
  const nominal = nextOfRate(due, period, now)
  return { ...timer, after: Math.max(0, between(now, nominal)) as Duration, nominal, fired }
}

/** The next time of a fixed rate: a period later, unless more than `catchUp` times have been missed; then the oldest of the newest. */
function nextOfRate(due: Stamp, period: Duration, now: Stamp): Stamp {
  const next = plus(due, period)
  const missed = Math.floor(between(next, now) / period) + 1
  return missed <= appLimits.catchUp ? next : stamp(next + (missed - appLimits.catchUp) * period)
}

/** Said once is enough. */
export function endIntent(turn: Turn, id: string): void {
  if (!turn.hasEnded(id)) turn.intentDone(id)
}
