// An order at the owner of its group (orders.ts): found or begun, its operations done, one commit. Nobody is asked, and no message is there.
//
//   done before? late? --> no session there, or another application's? --> create? --> operations --> settled: done
//                    '---- refused           '---- gone                       '---- conflict, refused: nothing is done

import type { CallResult, InputRef, OrderMark, OrderOutcome } from '../call/contract.ts'
import { noteDone, standingOf } from '../call/done-orders.ts'
import { beginTurn as beginCall, endTurn } from '../call/group.ts'
import type { Group } from '../call/group-state.ts'
import type { Turn } from '../call/turn.ts'
import type { AppContext } from './context.ts'
import { doAll } from './do-all.ts'
import { resumeLegs } from './leg-wake.ts'
import { settleSessions } from './lifecycle.ts'
import { opsFault } from './op-shapes.ts'
import { isConflict } from './operations.ts'
import type { Order } from './orders.ts'
import { readSessionId } from './session-id.ts'
import { applicationSession, openApplicationSession } from './sessions.ts'

export interface OrderInput {
  readonly kind: 'order'
  readonly order: Order
  readonly mark: OrderMark
  readonly ref: InputRef
}

const NOTHING = { commit: null, sends: [], after: [], handledAfter: [], passedOn: [], waitsFor: null } as const
/** By which a repetition is told that the order began the session. */
const CREATED = 'created'

export function stepOrder(group: Group, { order, mark, ref }: OrderInput, ctx: AppContext): CallResult<Group> {
  const nothing = (outcome: OrderOutcome): CallResult<Group> => ({ ...NOTHING, group, handled: [ref], outcome })
  const turn = beginCall(group, ctx)
  resumeLegs(turn)
  turn.holdBack()
  const standing = standingOf(turn, mark)
  if (standing.kind === 'done') return nothing({ kind: 'done', created: standing.note === CREATED, isInLog: true })
  if (standing.kind === 'late') return nothing(refused('it came too late: ask again', true))
  if (standing.kind === 'full') return nothing(refused('too many orders for this session at once: ask again', true))
  const shape = opsFault(order.ops)
  if (shape !== null) return nothing(refused(shape, false))
  const opened = open(turn, order, ctx)
  if (opened.kind !== 'done') return nothing(opened)
  const fault = doAll(turn, order.ops)
  if (fault !== null) return nothing(isConflict(fault) ? { kind: 'conflict', reason: fault } : refused(fault, false))
  settleSessions(turn, ctx)
  turn.answer({ ...opened, isInLog: turn.commits })
  if (turn.commits) {
    noteDone(turn, mark, opened.created ? CREATED : '')
    turn.handledAfter(ref)
  } else turn.handled(ref)
  return endTurn(turn)
}

/** The session that the order is about is there, or is begun; or why not. */
function open(turn: Turn, { application, version, target }: Order, ctx: AppContext): OrderOutcome {
  const session = applicationSession(turn)
  const { key = null, isValid = false } = session?.hosted ?? {}
  if (target.kind === 'id') {
    const isThis = isValid && session?.applicationName === application
    const isSame = readSessionId(ctx.keys, target.id)?.created === session?.created
    return isThis && isSame ? found(false) : GONE
  }
  const wanted = target.kind === 'key' ? target.key : null
  if (session !== null && isValid) {
    const isThis = session.applicationName === application && key === wanted && wanted !== null
    return isThis ? found(false) : refused('what it would be called is taken: use another key', false)
  }
  if (target.kind === 'key' && !target.create) return GONE
  if (!ctx.acceptsCalls) return refused('the set has no room for new sessions now: ask again', true)
  openApplicationSession(turn, { application, version, key: wanted })
  return found(true)
}

function found(created: boolean): Extract<OrderOutcome, { kind: 'done' }> {
  return { kind: 'done', created, isInLog: false }
}

const GONE: OrderOutcome = { kind: 'gone', reason: 'there is no such session, or it has ended' }

function refused(reason: string, again: boolean): OrderOutcome {
  return { kind: 'refused', reason, again }
}
