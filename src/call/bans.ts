// The group of banned sources (decision 0030): an entity for each, and a timer of the log that deletes it, so that a ban ends at one index
// at every replica, whoever dies.

import { groupKey } from '../base/brand.ts'
import type { BanChange, InputRef } from './contract.ts'
import { callLimits } from './limits.ts'
import type { Turn } from './turn.ts'

/** One Call-ID in 2^64 has it, and nobody can look for that one: the hash is keyed. */
export const BANS = groupKey('0000000000000000')

/** A change that changes nothing, or for which there is no room, is handled without a commit. */
export function onBan(turn: Turn, change: BanChange, ref: InputRef): void {
  const { source } = change
  const known = turn.get('ServletContext', source)
  if (change.kind === 'unban') {
    if (known === null) return turn.handled(ref)
    turn.delete('ServletContext', source)
    turn.cancelTimer(timerOf(source))
    return turn.handledAfter(ref)
  }
  if (known === null && turn.entries('ServletContext').length >= callLimits.bans) return turn.handled(ref)
  turn.put(source, { kind: 'ban', source, since: turn.ctx.cluster })
  if (change.after === null) turn.cancelTimer(timerOf(source))
  else turn.setTimer(timerOf(source), change.after, [{ tree: 'ServletContext', id: source }])
  turn.handledAfter(ref)
}

/** The timer's id, in that group. */
export function timerOf(source: string): string {
  return `ban ${source}`
}
