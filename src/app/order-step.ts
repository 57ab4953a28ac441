// An order at the owner of its group (orders.ts): found or begun, its operations done, one commit. No message is there, and nobody is asked but a router.
//
//   done before? late? --> no session there, or another application's? --> create? --> operations --> settled: done
//                    '---- refused           '---- gone                       '---- conflict, refused: nothing is done

import type { CallResult, InputRef, OrderMark, OrderOutcome } from '../call/contract.ts'
import { noteDone, standingOf } from '../call/done-orders.ts'
import { beginTurn as beginCall, endTurn } from '../call/group.ts'
import type { Group } from '../call/group-state.ts'
import type { Turn } from '../call/turn.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { AppContext } from './context.ts'
import type { AppAnswer, NextApplication, NextQuestion, Op } from './contract.ts'
import { doAll } from './do-all.ts'
import { resumeLegs } from './leg-wake.ts'
import { settleSessions } from './lifecycle.ts'
import { opsFault } from './op-shapes.ts'
import { isConflict } from './operations.ts'
import { readAnswers } from './next-application.ts'
import { onTheirWay, outgoingOfOrder } from './onward.ts'
import type { Order } from './orders.ts'
import { readTable } from './router-table.ts'
import { hasRouter, rule } from './ruling.ts'
import type { Ruling } from './ruling.ts'
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

export interface OrderResult extends CallResult<Group> {
  /** Nothing has come of it: the router's module is asked these, and the order is given again with what it answers. */
  readonly questions: readonly NextQuestion[] | null
}

export function stepOrder(
  group: Group,
  input: OrderInput,
  ctx: AppContext,
  answer: AppAnswer | null = null,
): OrderResult {
  const done = doOrder(group, input, ctx, answer)
  return 'questions' in done ? { ...NOTHING, group, handled: [], ...done } : { ...done, questions: null }
}

function doOrder(
  group: Group,
  { order, mark, ref }: OrderInput,
  ctx: AppContext,
  answer: AppAnswer | null,
): CallResult<Group> | Pick<OrderResult, 'questions'> {
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
  const routed = onTheirOwnWay(turn, order.ops, ctx, answer)
  if (routed.kind === 'ask') return { questions: routed.questions }
  if (routed.kind === 'refused') return nothing(refused(routed.reason, false))
  const fault = doAll(turn, routed.ops)
  if (fault !== null) return nothing(isConflict(fault) ? { kind: 'conflict', reason: fault } : refused(fault, false))
  settleSessions(turn, ctx)
  turn.answer({ ...opened, isInLog: turn.commits })
  if (turn.commits) {
    noteDone(turn, mark, opened.created ? CREATED : '')
    turn.handledAfter(ref)
  } else turn.handled(ref)
  return endTurn(turn)
}

type Routed =
  | { readonly kind: 'done'; readonly ops: readonly Op[] }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'ask'; readonly questions: readonly NextQuestion[] }

/** Whoever is to have what the order begins is found first (onward.ts). */
function onTheirOwnWay(turn: Turn, ops: readonly Op[], ctx: AppContext, answer: AppAnswer | null): Routed {
  const leaving = hasRouter(ctx) ? outgoingOfOrder(turn, ops) : []
  if (leaving.length === 0) return { kind: 'done', ops }
  const questions = leaving.map(({ question }) => question)
  const { router: table } = ctx.settings
  if (table === undefined && answer === null) return { kind: 'ask', questions }
  const said =
    table === undefined ? answered(answer, questions.length) : ok(questions.map((one) => readTable(table, one)))
  if (!said.ok) return ofRouter(said.error)
  const rulings = new Map<string, Ruling>()
  for (const [i, place] of leaving.entries()) {
    const ruled = rule(turn, ctx, said.value[i] ?? null, place, false)
    if (!ruled.ok) return ofRouter(ruled.error)
    if ('session' in place.of) rulings.set(place.of.session, ruled.value)
  }
  return { kind: 'done', ops: onTheirWay(turn, ops, rulings) }
}

function answered(answer: AppAnswer | null, count: number): Result<readonly (NextApplication | null)[], string> {
  return answer?.kind === 'done' ? readAnswers(answer.result, count) : err(answer?.reason ?? 'it says nothing')
}

function ofRouter(reason: string): Routed {
  return { kind: 'refused', reason: `the application router: ${reason}` }
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
