// Operations on dialogs of which one end is ours: a UAS, a UAC, a B2BUA. (Not here yet.)

import type { Turn } from '../call/turn.ts'
import type { Op } from './contract.ts'

export type LegOp = Extract<Op, { kind: 'create-session' | 'request' | 'ack' | 'cancel' }>

/** Why it isn't allowed; null = it is done. */
export function applyLegOp(turn: Turn, op: LegOp): string | null {
  return `not-supported: ${op.kind} in group ${turn.key}: applications proxy calls, and begin none yet`
}

/** SipSessions with a dialog of ours that isn't over, or a transaction. */
export function busyLegs(_turn: Turn): readonly string[] {
  return []
}

/** The application session is invalidated: what becomes of dialogs of ours that are up. */
export function leaveLegs(_turn: Turn): void {
  // There are none.
}
