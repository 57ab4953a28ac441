// Operations on dialogs of which one end is ours: a UAS, a UAC, a B2BUA. That they look like operations is
// known (op-shapes.ts).

import { unreachable } from '../base/assert.ts'
import { allLegs, allUac, allUas } from '../call/find.ts'
import { isOpenUac } from '../call/leg-life.ts'
import type { Turn } from '../call/turn.ts'
import { hasDialog } from '../session/leg.ts'
import type { Op } from './contract.ts'
import type { OpFault } from './leg-find.ts'
import { ack, cancel, createSession, request } from './uac.ts'
import { answer, respond } from './uas.ts'

export type LegOp = Extract<Op, { kind: 'respond' | 'create-session' | 'request' | 'ack' | 'cancel' }>

/** Why it isn't allowed; null = it is done. */
export function applyLegOp(turn: Turn, op: LegOp): OpFault {
  const refused = apply(turn, op)
  return refused === null ? null : `IllegalState: ${op.kind}: ${refused}`
}

function apply(turn: Turn, op: LegOp): OpFault {
  switch (op.kind) {
    case 'respond':
      return respond(turn, op)
    case 'create-session':
      return createSession(turn, op)
    case 'request':
      return request(turn, op)
    case 'ack':
      return ack(turn, op)
    case 'cancel':
      return cancel(turn, op)
    default:
      return unreachable(op)
  }
}

/** SipSessions with a dialog of ours that isn't over, or a transaction. */
export function busyLegs(turn: Turn): readonly string[] {
  const busy = new Set<string>()
  for (const { value } of allLegs(turn)) if (hasDialog(value)) busy.add(value.session)
  for (const { value } of allUas(turn))
    if (value.state === 'open' || value.state === 'accepted') busy.add(value.session)
  for (const { value } of allUac(turn)) {
    const isToBeHeard = value.state === 'terminated' && value.answer !== null
    if (isOpenUac(value) || isToBeHeard) busy.add(value.session)
  }
  return [...busy]
}

/** The application session is invalidated, and nobody answers for its dialogs any more: those that are up get a BYE, INVITEs of ours a
 * CANCEL, and what waits for an answer 500. */
export function leaveLegs(turn: Turn): void {
  const nothing = { headers: [], body: '' }
  for (const { id, value } of allUas(turn))
    if (value.state === 'open') answer(turn, id, value, { ...nothing, status: 500 })
  for (const { value } of allUac(turn)) {
    if (value.method === 'INVITE' && isOpenUac(value)) cancel(turn, { kind: 'cancel', session: value.session })
  }
  for (const { value } of allLegs(turn)) {
    if (value.state !== 'confirmed') continue
    request(turn, { kind: 'request', session: value.session, method: 'BYE', parts: nothing })
  }
}
