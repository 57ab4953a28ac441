// The operations that tests of legs use, without the rules of sessions around them.

import type { Op } from '../contract.ts'
import { applyLegOp } from '../leg-ops.ts'
import { applyOp } from '../operations.ts'
import type { Turn } from '../../call/turn.ts'

/** Why it is not allowed; none = it is. */
export function operate(turn: Turn, op: Op): readonly string[] {
  if (op.kind === 'proxy' || op.kind === 'end-call') return [`${op.kind}: not here`]
  const fault = op.kind === 'respond' ? applyLegOp(turn, op) : applyOp(turn, op)
  return fault === null ? [] : [fault]
}
