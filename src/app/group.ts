// One group with its application, as the replica steps it (decision 0031): what call/group.ts is for a plain call.
//
//   input --> does its application want to hear of it (event.ts)?
//     no  --> its course: call/group.ts, as ever
//     yes --> `asks`, and nothing else; the owner gives the input again with the answer:
//             done   --> a turn: its operations, then the input's course --> one commit, then the messages
//             failed --> its course alone; an INVITE that begins a call gets 500

import { must } from '../base/assert.ts'
import { beginTurn, endTurn, handle, stepGroup as stepCall } from '../call/group.ts'
import type { Group } from '../call/group-state.ts'
import type { CallInput, CallResult } from '../call/contract.ts'
import { dialogOf, inviteOfBranch, inviteOfKey } from '../call/find.ts'
import { isToBegin, openSession } from '../call/invite.ts'
import { reply } from '../call/reply.ts'
import type { Turn } from '../call/turn.ts'
import { requestKey } from '../proxy/branch.ts'
import { viaOf } from '../proxy/upstream.ts'
import { LAST_ACCESS } from '../session/application-session.ts'
import type { SipMessage, SipRequest } from '../sip/message.ts'
import { beginCallback, callbackOf, dropCallback, endCallback, isCallback } from './callbacks.ts'
import type { AppContext } from './context.ts'
import type { AppAnswer, AppCall, HandlerName, Op } from './contract.ts'
import { eventOf } from './event.ts'
import type { AppEvent, GroupInput } from './event.ts'
import { noteHeard } from './heard.ts'
import { beginProxied, endCall, newPlan } from './initial.ts'
import { settleSessions } from './lifecycle.ts'
import { opsFault } from './op-shapes.ts'
import { applyOp } from './operations.ts'
import { applicationSession, hostSession, openApplicationSession, touch } from './sessions.ts'
import { viewOf } from './view.ts'
import type { Initial, InvitePlan } from './initial.ts'

export { emptyLocal, isIdle, isInLog, loadGroup, localOf, wakeAt } from '../call/group.ts'
export type { Group } from '../call/group-state.ts'
export { passesAsk, wantsToHear } from './event.ts'
export type { GroupInput } from './event.ts'

/** What an application is to be asked; the owner gives it its id, and the group's version. */
export interface Ask {
  readonly event: AppEvent
  readonly call: Omit<AppCall, 'id'>
}

/** What the owner knows besides. */
export interface Around {
  /** The input was asked about, and here is what the application says. */
  readonly event?: AppEvent
  readonly answer?: AppAnswer
  /** The application is to be told of more, and its sessions stay open for that. */
  readonly isTold: boolean
}

export interface StepResult extends CallResult<Group> {
  /** Nothing has come of the input; it is to be given again with the answer. */
  readonly asks: Ask | null
  /** Nothing came of what a handler did. */
  readonly failure: Failure | null
}

export interface Failure {
  readonly application: string
  readonly handler: HandlerName
  readonly reason: string
}

const NOTHING = { commit: null, sends: [], after: [], handled: [], handledAfter: [], waitsFor: null } as const
const NO_OPERATIONS: AppAnswer = { kind: 'done', ops: [], result: null }
const NO_ROOM = 'the set writes format 1, which has no room for what applications keep: upgrade all replicas'

export function stepGroup(group: Group, input: GroupInput, ctx: AppContext, around: Around = ALONE): StepResult {
  const { event, answer, isTold } = around
  const step: Step = { group, input, ctx, isTold }
  if (event !== undefined && answer !== undefined) return afterAnswer(step, event, answer)
  const asked = ctx.applications.length === 0 ? null : eventOf(group, input, ctx)
  return asked === null ? takeItsCourse(step, null) : ask(step, asked)
}

const ALONE: Around = { isTold: false }

interface Step {
  readonly group: Group
  readonly input: GroupInput
  readonly ctx: AppContext
  readonly isTold: boolean
}

/** What becomes of the input without its application. */
export function course(group: Group, input: GroupInput, ctx: AppContext, { isTold }: Around): StepResult {
  return takeItsCourse({ group, input, ctx, isTold }, null)
}

function takeItsCourse({ group, input, ctx, isTold }: Step, failure: Failure | null): StepResult {
  const turn = beginTurn(group, ctx)
  const isPlain = applicationSession(turn) === null && input.kind !== 'told'
  if (isPlain) return { ...stepCall(group, input, ctx), asks: null, failure }
  perform(turn, input)
  return { ...end(turn, { group, input, ctx, isTold }), asks: null, failure }
}

function perform(turn: Turn, input: GroupInput): void {
  // It was handled when it came.
  if (input.kind === 'told') turn.handled(input.ref)
  else if (input.kind !== 'intent' || !isCallback(input.id)) handle(turn, input)
  else if (callbackOf(turn, input.id) === null) dropCallback(turn, input.id)
  else {
    beginCallback(turn, input.id)
    endCallback(turn, input.id)
  }
}

/** What every turn of such a group ends with. */
function end(turn: Turn, { input, ctx, isTold }: Step): CallResult<Group> {
  // A commit, so that what it kept open may end.
  if (input.kind === 'told') turn.put(LAST_ACCESS, { kind: 'access' })
  else if (input.kind === 'message') touch(turn)
  if (!isTold) settleSessions(turn, ctx)
  return endTurn(turn)
}

function ask(step: Step, event: AppEvent): StepResult {
  const { group, input, ctx } = step
  const { application, handler, message, timer, due, isInitial } = event
  const turn = beginTurn(group, ctx)
  let session = ''
  if (isInitial) {
    const { message: request, flow, ref } = initial(input)
    // What is not let in costs no application anything.
    if (!isToBegin(turn, request, flow, ref)) return { ...endTurn(turn), asks: null, failure: null }
    if (ctx.format === 1) return refuse(step, 503, failureOf(event, NO_ROOM))
    if (handler === null) return afterAnswer(step, event, NO_OPERATIONS)
    session = openSessions(turn, request, event)
  } else if (message !== null) session = sessionOf(turn, message)
  const request = isInitial ? turn.nextId('Transaction') : ''
  const call: Ask['call'] = {
    application: application.name,
    version: application.version,
    handler: must(handler, 'an application is asked by one of its handlers'),
    message: message === null ? null : { kind: message.kind, session, request, text: message.text, isInitial },
    subject: timer,
    due,
    http: null,
    now: ctx.cluster,
    view: viewOf(turn, ctx, timer),
  }
  return { ...NOTHING, group, asks: { event, call }, failure: null }
}

/** The SipSession of an INVITE that begins a call, and the application's session around it. */
function openSessions(turn: Turn, request: SipRequest, { application: { name, version } }: AppEvent): string {
  openApplicationSession(turn, { application: name, version, key: null })
  const session = openSession(turn, request)
  hostSession(turn, session, 'proxy')
  return session
}

/** An answer that keeps no state. */
function refuse({ group, input, ctx }: Step, status: number, failure: Failure): StepResult {
  const { message, flow, ref } = initial(input)
  const turn = beginTurn(group, ctx)
  reply(turn, message, flow, status)
  turn.handled(ref)
  return { ...endTurn(turn), asks: null, failure }
}

function afterAnswer(step: Step, event: AppEvent, answer: AppAnswer): StepResult {
  if (answer.kind === 'failed') return afterFailure(step, event, answer.reason)
  const { group, input, ctx } = step
  const turn = beginTurn(group, ctx)
  turn.holdBack()
  const plan = newPlan(event.isInitial)
  if (event.isInitial) openSessions(turn, initial(input).message, event)
  const isCallable = input.kind !== 'intent' || callbackOf(turn, input.id) !== null
  if (input.kind === 'intent' && isCallable) beginCallback(turn, input.id)
  // What a callback was for may have gone while it ran: nothing that it did counts then.
  const fault = isCallable ? doAll(turn, answer.ops, plan) : null
  if (fault !== null) return afterFailure(step, event, fault)
  if (event.isInitial) return begin(turn, step, plan)
  // A turn that changes nothing needs no mark: its handler may run again.
  if (turn.commits && event.message !== null) noteHeard(turn, event.message)
  if (input.kind === 'intent' && isCallable) endCallback(turn, input.id)
  else perform(turn, input)
  return { ...end(turn, step), asks: null, failure: null }
}

function begin(turn: Turn, step: Step, plan: InvitePlan): StepResult {
  const { group, input, ctx } = step
  const transaction = turn.nextId('Transaction')
  beginProxied(turn, initial(input), plan)
  const hasBegun = turn.isWaiting || turn.get('Transaction', transaction) !== null
  if (hasBegun) return { ...end(turn, step), asks: null, failure: null }
  // There is no way to where it is proxied, or no room: what its handler did with a call that never was goes with that.
  const bare = beginTurn(group, ctx)
  beginProxied(bare, initial(input), plan)
  return { ...endTurn(bare), asks: null, failure: null }
}

/** Why one of them isn't allowed; null = they are done. */
function doAll(turn: Turn, ops: readonly Op[], plan: InvitePlan): string | null {
  const shape = opsFault(ops)
  if (shape !== null) return shape
  for (const op of ops) {
    const fault = doOne(turn, op, plan)
    if (fault !== null) return fault
  }
  return null
}

function doOne(turn: Turn, op: Op, plan: InvitePlan): string | null {
  switch (op.kind) {
    case 'proxy':
    case 'respond':
      return plan.take(op)
    case 'end-call':
      return endCall(turn, op.session)
    default:
      return applyOp(turn, op)
  }
}

/** Nothing that the handler did counts. */
function afterFailure(step: Step, event: AppEvent, reason: string): StepResult {
  const failure = failureOf(event, reason)
  return event.isInitial ? refuse(step, 500, failure) : takeItsCourse(step, failure)
}

function failureOf({ application, handler }: AppEvent, reason: string): Failure {
  return { application: application.name, handler: handler ?? 'doInvite', reason }
}

function initial(input: GroupInput): Initial {
  const isOne = input.kind === 'message' && input.message.kind === 'request'
  return must(
    isOne ? (input as Extract<CallInput, { kind: 'message' }> as Initial) : null,
    'a call begins with a request',
  )
}

function sessionOf(turn: Turn, message: SipMessage): string {
  const invite =
    message.kind === 'response'
      ? inviteOfBranch(turn, viaOf(message).branch ?? '')
      : message.method === 'CANCEL'
        ? inviteOfKey(turn, requestKey(message))
        : null
  return invite?.value.session ?? dialogOf(turn, message)?.value.session ?? ''
}
