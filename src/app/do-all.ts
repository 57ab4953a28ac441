// Operations in their order, by whoever knows each: of a handler's answer, or of an order.

import type { Turn } from '../call/turn.ts'
import type { Op } from './contract.ts'
import { endCall } from './end-call.ts'
import type { Initial } from './initial.ts'
import { applyLegOp } from './leg-ops.ts'
import { applyOp } from './operations.ts'

/** Why one of them isn't allowed; null = they are done. */
export function doAll(turn: Turn, ops: readonly Op[], initial: Initial | null = null): string | null {
  for (const op of ops) {
    const fault = doOne(turn, op, initial)
    if (fault !== null) return fault
  }
  return null
}

function doOne(turn: Turn, op: Op, initial: Initial | null): string | null {
  switch (op.kind) {
    case 'proxy':
      return initial === null
        ? 'IllegalState: proxy: only a request that begins something can be proxied'
        : initial.proxy(op)
    case 'respond':
      return applyLegOp(turn, op)
    case 'end-call':
      return endCall(turn, op.session)
    default:
      return applyOp(turn, op)
  }
}
