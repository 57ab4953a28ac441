// What an application's legs (session/leg.ts) mean for the group as a whole: which of them are calls, and whether anything is to come.
// A leg is a call of its own: a B2BUA's call of two legs counts twice, as its two dialogs are.

import { hasDialog } from '../session/leg.ts'
import type { UacRecord } from '../transaction/record.ts'
import { allLegs, allUac, allUas } from './find.ts'
import type { Turn } from './turn.ts'

/** A request of ours without its final. */
export function isOpenUac({ state }: UacRecord): boolean {
  return state === 'calling' || state === 'proceeding' || state === 'waiting'
}

/** The sessions of legs whose first INVITE has no final: of a fork the one that sent it. */
export function ringingLegs(turn: Turn): readonly string[] {
  const open = new Set<string>()
  for (const { value } of allUas(turn)) if (value.method === 'INVITE' && value.state === 'open') open.add(value.session)
  for (const { value } of allUac(turn)) if (value.method === 'INVITE' && isOpenUac(value)) open.add(value.session)
  const legs = allLegs(turn).filter(({ value }) => value.state === 'initial' || value.state === 'early')
  return legs.map(({ value }) => value.session).filter((session) => open.has(session))
}

export function confirmedLegs(turn: Turn): readonly string[] {
  return allLegs(turn).flatMap(({ value }) => (value.state === 'confirmed' ? [value.session] : []))
}

/** A dialog that hasn't ended, or a request without its final. */
export function hasOpenLegs(turn: Turn): boolean {
  return (
    allLegs(turn).some(({ value }) => hasDialog(value)) ||
    allUas(turn).some(({ value }) => value.state === 'open' || value.state === 'accepted') ||
    allUac(turn).some(({ value }) => isOpenUac(value))
  )
}
