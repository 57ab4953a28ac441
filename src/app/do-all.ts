// Operations in their order, by whoever knows each: of a handler's answer, or of an order.

import type { CallInput } from '../call/contract.ts'
import type { Turn } from '../call/turn.ts'
import type { Op } from './contract.ts'
import { endCall } from './end-call.ts'
import { Initial } from './initial.ts'
import { applyLegOp } from './leg-ops.ts'
import { applyOp } from './operations.ts'
import { cancelProxy, proxyAgain } from './proxy-more.ts'

/** What the operations are about: a request that begins something, another input, or no message at all. */
export type DoneFor = Initial | CallInput | null

/** Why one of them isn't allowed; null = they are done. */
export function doAll(turn: Turn, ops: readonly Op[], about: DoneFor = null): string | null {
  for (const op of ops) {
    const fault = doOne(turn, op, about)
    if (fault !== null) return fault
  }
  return null
}

function doOne(turn: Turn, op: Op, about: DoneFor): string | null {
  switch (op.kind) {
    case 'proxy':
      if (about === null) return 'IllegalState: proxy: only a request that begins something can be proxied'
      return about instanceof Initial ? about.proxy(op) : proxyAgain(turn, about, op.plan)
    case 'respond':
      return applyLegOp(turn, op)
    case 'end-call':
      return endCall(turn, op.session)
    case 'cancel-proxy':
      return cancelProxy(turn, op.session)
    default:
      return applyOp(turn, op)
  }
}
