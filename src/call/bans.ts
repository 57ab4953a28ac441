// The group of banned sources (decision 0030): an entity for each, and a timer of the log that deletes it, so that a ban ends at one index
// at every replica, whoever dies.

import { groupKey } from '../base/brand.ts'
import type { CallInput } from './contract.ts'
import { MARKS, MARK_KEPT, noteDone, standingOf } from './done-orders.ts'
import { callLimits } from './limits.ts'
import type { Turn } from './turn.ts'

/** One Call-ID in 2^64 has it, and nobody can look for that one: the hash is keyed. */
export const BANS = groupKey('0000000000000000')

/** A change that changes nothing, or for which there is no room, is handled without a commit. */
export function onBan(turn: Turn, { change, mark, ref }: Extract<CallInput, { kind: 'ban' }>): void {
  const { source } = change
  const standing = standingOf(turn, mark)
  const known = turn.get('ServletContext', source)
  const isChange = standing.kind !== 'done' && (change.kind === 'ban' || known !== null)
  turn.answer({ kind: 'done', created: false, isInLog: standing.kind === 'done' || isChange })
  if (!isChange) return turn.handled(ref)
  const isFull = known === null && turn.entries('ServletContext').length >= callLimits.bans
  const again = standing.kind !== 'new'
  if (again || isFull) {
    const full = `${callLimits.bans} sources are banned already: take one back, or ban a larger block`
    turn.answer({ kind: 'refused', again, reason: again ? 'too many requests at once: ask again' : full })
    return turn.handled(ref)
  }
  if (change.kind === 'unban') {
    turn.delete('ServletContext', source)
    turn.cancelTimer(timerOf(source))
  } else {
    turn.put(source, { kind: 'ban', source, since: turn.ctx.cluster })
    if (change.after === null) turn.cancelTimer(timerOf(source))
    else turn.setTimer(timerOf(source), change.after, [{ tree: 'ServletContext', id: source }])
  }
  noteDone(turn, mark)
  turn.setTimer(MARKS.id, MARK_KEPT, [MARKS])
  turn.handledAfter(ref)
}

/** The timer's id, in that group. */
export function timerOf(source: string): string {
  return `ban ${source}`
}
