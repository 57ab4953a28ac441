// An order is done once, however often it is asked for (decision 0034). Who asked asks the next owner when one dies, and can't know what the
// dead one still committed; so an order's mark is in the commit of what it changed, for as long as anybody may ask for it.
//
//   asked --------- until --------- + margin ------> cluster time
//     marked by whoever does it  |  refused as late  |  its mark is forgotten

import { plus, seconds } from '../base/instant.ts'
import type { Heard, HeardMark } from '../session/heard.ts'
import type { EntityRef } from '../wire/entry.ts'
import type { OrderMark } from './contract.ts'
import { callLimits } from './limits.ts'
import type { Turn } from './turn.ts'

/** Its entity, in each group that has marks. */
export const MARKS: EntityRef = { tree: 'SipApplicationSession', id: 'ordered' }
/** Two owners' estimates of cluster time differ by less: an owner has heard the leader within `limits.stale`. */
const margin = seconds(2)
/** A mark is kept for no longer than an order may be asked for, and this. */
export const MARK_KEPT = seconds(5)

export type Standing =
  | { readonly kind: 'new' }
  /** `note`: as it was noted. */
  | { readonly kind: 'done'; readonly note: string }
  /** Whoever asked for it has given up. */
  | { readonly kind: 'late' }
  /** The group has had `callLimits.orders` of them in the last seconds. */
  | { readonly kind: 'full' }

export function standingOf(turn: Turn, { id, until }: OrderMark): Standing {
  for (const { mark } of marksOf(turn)) {
    const [name = '', note = ''] = mark.split(' ')
    if (name === id) return { kind: 'done', note }
  }
  if (turn.ctx.cluster > until) return { kind: 'late' }
  return { kind: young(turn).length < callLimits.orders ? 'new' : 'full' }
}

/** With the commit of this turn it is done. `note`: a word that whoever asks again is told by. */
export function noteDone(turn: Turn, { id, until }: OrderMark, note = ''): void {
  const mark = note === '' ? id : `${id} ${note}`
  turn.put(MARKS.id, { kind: 'heard', marks: [...young(turn), { mark, at: until }] })
}

function young(turn: Turn): readonly HeardMark[] {
  return marksOf(turn).filter(({ at }) => plus(at, margin) >= turn.ctx.cluster)
}

function marksOf(turn: Turn): Heard['marks'] {
  const marks = turn.get(MARKS.tree, MARKS.id)
  return marks?.kind === 'heard' ? marks.marks : []
}
