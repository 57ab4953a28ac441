// One group with its application, as the replica steps it (decision 0031): what call/group.ts is for a plain call.
//
//   input --> does its application want to hear of it (event.ts)?
//     no  --> its course: call/group.ts and legs.ts, as ever
//     yes --> `asks`, and nothing else; the owner gives the input again with the answer:
//             done   --> a turn: its operations, and the input's course --> one commit, then the messages
//             failed --> its course alone; a request that begins something gets 500
//
// A request that begins something is the application's to proxy or to answer, now or later. If it does neither, the request waits, until
// the session expires.

import { assert, must, unreachable } from '../base/assert.ts'
import { homeOf, openAlias } from '../call/alias.ts'
import { beginTurn as beginCall, endTurn, handle, loadGroup, stepGroup as stepCall } from '../call/group.ts'
import type { Group } from '../call/group-state.ts'
import type { CallInput, CallResult } from '../call/contract.ts'
import { Turn } from '../call/turn.ts'
import { chainOf } from '../proxy/chain.ts'
import { edit } from '../sip/edit.ts'
import { parseMessage } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Destination } from '../wire/entry.ts'
import { beginCallback, callbackOf, dropCallback, endCallback, isCallback } from './callbacks.ts'
import type { AppContext } from './context.ts'
import type { AppAnswer, AppCall, HandlerName, NextApplication, NextQuestion, Op, ProxyPlan } from './contract.ts'
import { doAll } from './do-all.ts'
import { enter, passesAsk, wantsToHear } from './event.ts'
import type { AppEvent, MessageInput } from './event.ts'
import { noteHeard } from './heard.ts'
import { requestHandler, responseHandler } from './handler-names.ts'
import { Initial } from './initial.ts'
import type { Onward } from './initial.ts'
import { onLegDefault } from './leg-default.ts'
import { onLegTakeover, onLegUnsent } from './leg-takeover.ts'
import { onLegWake, resumeLegs } from './leg-wake.ts'
import { activate, settleSessions } from './lifecycle.ts'
import { readAnswers } from './next-application.ts'
import { onTheirWay, outgoing } from './onward.ts'
import type { Outgoing } from './onward.ts'
import { opsFault } from './op-shapes.ts'
import { stepOrder } from './order-step.ts'
import type { OrderInput } from './order-step.ts'
import { applicationOf, handlerOf, isLoaded } from './router.ts'
import { readTable } from './router-table.ts'
import { hasRouter, placeOf, questionOf, rule } from './ruling.ts'
import type { Ruling } from './ruling.ts'
import { applicationSession, touch } from './sessions.ts'
import { keyedTarget, targetOf } from './targeting.ts'
import { tellOwn } from './tell-own.ts'
import { endTold, hasTold, isTold, tellLater } from './told.ts'
import { viewOf } from './view.ts'

export { emptyLocal, isIdle, isInLog, loadGroup, localOf, wakeAt } from '../call/group.ts'
export type { Group } from '../call/group-state.ts'

/** All that can happen to a group. */
export type GroupInput = CallInput | OrderInput

/** What an application is to be asked; the owner gives it its id, and the group's version. */
export interface Ask {
  /** null = an order's: the router is asked. */
  readonly event: AppEvent | null
  readonly call: Omit<AppCall, 'id'>
}

/** The input was asked about, and here is what the application says. */
export interface Answered {
  readonly event: AppEvent | null
  readonly answer: AppAnswer
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

interface Step {
  readonly group: Group
  readonly input: CallInput
  readonly ctx: AppContext
}

type Routing = NonNullable<AppEvent['routing']>

const NO_RULINGS: ReadonlyMap<number, readonly string[]> = new Map()
const NOTHING = {
  ...{ commit: null, sends: [], after: [], handled: [], handledAfter: [] },
  passedOn: [],
  waitsFor: null,
} as const
const NOT_LOADED = 'it is not loaded at this replica: its caller is told to try again'
const NO_ROOM = 'the set writes format 1, which has no room for what applications keep: upgrade all replicas'

export function stepGroup(
  group: Group,
  given: GroupInput,
  context: AppContext,
  answered: Answered | null = null,
): StepResult {
  if (given.kind === 'order') return ordered(group, given, context, answered)
  const input = arrived(given, context)
  // Who passed it on has let it in.
  const ctx = input.kind === 'message' && input.to !== undefined ? lettingIn(context) : context
  const step: Step = { group, input, ctx }
  if (answered !== null) return afterAnswer(step, must(answered.event, 'an order alone has no event'), answered.answer)
  const turn = beginTurn(step)
  if (applicationSession(turn) === null && ctx.applications.length === 0) return plain(step)
  const entered = enter(turn, input, ctx)
  if (entered === null || entered === 'core') return takeItsCourse(step, turn, entered === 'core')
  return ask(step, turn, entered)
}

function ordered(group: Group, input: OrderInput, ctx: AppContext, answered: Answered | null): StepResult {
  const { questions, ...result } = stepOrder(group, input, ctx, answered?.answer ?? null)
  const asks = questions === null ? null : { event: null, call: routerCall(group, ctx, questions) }
  return { ...result, asks, failure: null }
}

/** Of a chain's group that passes it on the request has come by the Route that named that group: that one is done, here as there. */
function arrived(input: CallInput, { keys, settings }: AppContext): CallInput {
  if (input.kind !== 'message' || input.to === undefined || input.message.kind !== 'request') return input
  if (chainOf(keys, settings.sip, input.message) === null) return input
  const parsed = parseMessage(edit(input.message).removeTopRoute().print())
  return { ...input, message: must(parsed.ok ? parsed.value : null, 'a request without a Route is one') }
}

function lettingIn(ctx: AppContext): AppContext {
  return { ...ctx, admit: () => 'admit' }
}

/** Whether the input is not to wait for what the application says of another one. */
export function passes(group: Group, input: GroupInput, ctx: AppContext): input is CallInput {
  return input.kind !== 'order' && passesAsk(beginCall(group, ctx), arrived(input, ctx))
}

/** What becomes of an input that passes: its course, and the application is told of it afterwards. */
export function pass(group: Group, given: CallInput, ctx: AppContext): StepResult {
  const input = arrived(given, ctx)
  const step: Step = { group, input, ctx }
  const turn = beginTurn(step)
  if (input.kind === 'message' && wantsToHear(beginTurn(step), input, ctx)) tellLater(turn, input.message.text)
  return takeItsCourse(step, turn, false)
}

function beginTurn({ group, ctx }: Step): Turn {
  const turn = beginCall(group, ctx)
  resumeLegs(turn)
  return turn
}

function plain({ group, input, ctx }: Step): StepResult {
  return { ...stepCall(group, input, ctx), asks: null, failure: null }
}

/** `isDone`: a leg's part was all. */
function takeItsCourse(step: Step, turn: Turn, isDone: boolean, failure: Failure | null = null): StepResult {
  if (applicationSession(turn) === null) return { ...plain(step), failure }
  if (isDone) markHandled(turn, step.input)
  else perform(turn, step.input, step.ctx)
  tellOwn(turn, step.input, step.ctx)
  return end(turn, step, failure)
}

function perform(turn: Turn, input: CallInput, ctx: AppContext): void {
  switch (input.kind) {
    case 'intent':
      if (isTold(input.id)) endTold(turn, input.id)
      else if (!isCallback(input.id)) handle(turn, input)
      else if (callbackOf(turn, input.id) === null) dropCallback(turn, input.id)
      else {
        beginCallback(turn, input.id)
        endCallback(turn, input.id)
      }
      return
    case 'takeover':
      handle(turn, input)
      onLegTakeover(turn)
      activate(turn, ctx)
      return
    case 'wake':
      handle(turn, input)
      onLegWake(turn)
      return
    case 'unsent':
      if (!onLegUnsent(turn, input)) handle(turn, input)
      return
    case 'message':
    case 'ban':
      handle(turn, input)
      return
    default:
      unreachable(input)
  }
}

function markHandled(turn: Turn, input: CallInput): void {
  if (input.kind !== 'message') return
  if (turn.commits) turn.handledAfter(input.ref)
  else turn.handled(input.ref)
}

/** What every turn of such a group ends with. */
function end(turn: Turn, { input, ctx }: Step, failure: Failure | null = null): StepResult {
  if (input.kind === 'message') touch(turn)
  if (!hasTold(turn)) settleSessions(turn, ctx)
  return { ...endTurn(turn), asks: null, failure }
}

function ask(step: Step, turn: Turn, event: AppEvent): StepResult {
  const { input, ctx } = step
  if (event.of === 'initial') {
    const initial = new Initial(turn, input, event)
    // What is not let in costs no application anything.
    if (!initial.isLetIn()) return { ...endTurn(turn), asks: null, failure: null }
    if (ctx.format === 1) return refuse(step, event, 503, NO_ROOM)
    // It may be the one that screens, or bills: nothing passes without it.
    if (!isLoaded(event.application)) return refuse(step, event, 503, NOT_LOADED)
    return event.routing === undefined ? askInitial(step, event) : askWhose(step, event)
  }
  return askHandler(step, turn, event)
}

/** `isKeyed`: it is known to have no application key. */
function askInitial(step: Step, event: AppEvent, isKeyed = false): StepResult {
  const turn = beginTurn(step)
  const initial = new Initial(turn, step.input, event)
  const target = targetOf(turn, initial.input, initial.request, event, isKeyed)
  if (target.kind === 'elsewhere') return passOn(step, target.to)
  if (target.kind === 'home') return passOn(step, null)
  if (target.kind === 'here' && event.handler === null) return sendOn(step, event, [])
  const message = initial.openLeg()
  if (target.kind === 'here') return askHandler(step, turn, { ...event, message })
  return askHandler(step, turn, { ...event, of: 'key', handler: 'applicationKey', message })
}

function askHandler(step: Step, turn: Turn, event: AppEvent): StepResult {
  const { group, ctx } = step
  const { application, handler, message, subject, due } = event
  if (handler === null) return finish(step, turn, event, 'absent')
  const call: Ask['call'] = {
    application: application.name,
    version: application.version,
    handler,
    message,
    subject,
    due,
    http: null,
    now: ctx.cluster,
    view: viewOf(turn, ctx, event.of === 'callback' ? subject : ''),
  }
  return { ...NOTHING, group, asks: { event: { ...event, began: call.view.created }, call }, failure: null }
}

/** The request is another group's, and so is what follows it. null = it goes home, where that is looked at again. */
function passOn(step: Step, to: Destination | null): StepResult {
  const turn = beginTurn(step)
  const { message, ref } = messageOf(step.input)
  if (to === null) turn.passOn(ref, homeOf(turn, message))
  else openAlias(turn, to, ref)
  return { ...turn.finish(), asks: null, failure: null }
}

function afterKey(step: Step, event: AppEvent, answer: Extract<AppAnswer, { kind: 'done' }>): StepResult {
  const to = keyedTarget(beginTurn(step), event, answer)
  if (typeof to === 'string') return afterFailure(step, event, to)
  if (to !== null) return passOn(step, to)
  const handler = handlerOf(event.application, requestHandler(requestOf(step).method), 'doRequest')
  return askInitial(step, { ...event, of: 'initial', handler, message: null }, true)
}

function messageOf(input: CallInput): MessageInput {
  assert(input.kind === 'message', 'only a message begins something')
  return input
}

function afterAnswer(step: Step, event: AppEvent, answer: AppAnswer): StepResult {
  if (answer.kind === 'failed') return afterFailure(step, event, answer.reason)
  if (event.of === 'key') return afterKey(step, event, answer)
  if (event.routing !== undefined) return afterRouter(step, event, event.routing, answer.result)
  const shape = opsFault(answer.ops)
  return shape === null ? sendOn(step, event, answer.ops) : afterFailure(step, event, shape)
}

/** A module is asked, as a handler is. */
function askRouter(
  { group, ctx }: Step,
  event: AppEvent,
  routing: Routing,
  questions: readonly NextQuestion[],
): StepResult {
  const call = routerCall(group, ctx, questions)
  return { ...NOTHING, group, asks: { event: { ...event, routing }, call }, failure: null }
}

function routerCall({ key }: Group, ctx: AppContext, questions: readonly NextQuestion[]): Ask['call'] {
  const { name, version } = must(ctx.router ?? null, 'a router is asked where there is one')
  const nothing = { message: null, subject: '', due: null, http: null }
  // It is told of no group.
  const view = viewOf(new Turn(loadGroup(key, null, null), ctx), ctx)
  return { application: name, version, handler: 'getNextApplication', ...nothing, questions, now: ctx.cluster, view }
}

function askWhose(step: Step, event: AppEvent): StepResult {
  return askRouter(step, event, { kind: 'arrived' }, [questionOf(requestOf(step), event.chain)])
}

function afterRouter(step: Step, event: AppEvent, routing: Routing, result: unknown): StepResult {
  const { input, ctx } = step
  const turn = beginTurn(step)
  const leaving = routing.kind === 'leaving' ? outgoing(turn, input, event, routing.ops) : []
  const read = readAnswers(result, routing.kind === 'leaving' ? leaving.length : 1)
  if (!read.ok) return afterFailure(step, event, ofRouter(read.error))
  const { routing: _, ...asked } = event
  if (routing.kind === 'leaving') return follow(step, asked, routing.ops, leaving, read.value)
  const request = requestOf(step)
  const ruled = rule(turn, ctx, read.value[0] ?? null, placeOf(request, event.chain), true)
  if (!ruled.ok) return afterFailure(step, event, ofRouter(ruled.error))
  const { application: name, chain, uris } = ruled.value
  if (name === '') return forwardBare(step, event, new Map([[0, uris]]), null)
  const application = applicationOf(ctx.applications, name, 'doRequest')
  const handler = handlerOf(application, requestHandler(request.method), 'doRequest')
  return askInitial(step, { ...asked, application, handler, chain })
}

/** Whoever is to have what leaves is found first. */
function sendOn(step: Step, event: AppEvent, ops: readonly Op[]): StepResult {
  const { input, ctx } = step
  if (!hasRouter(ctx)) return carryOut(step, event, ops, NO_RULINGS)
  const leaving = outgoing(beginTurn(step), input, event, ops)
  if (leaving.length === 0) return carryOut(step, event, ops, NO_RULINGS)
  const { router: table } = ctx.settings
  const questions = leaving.map(({ question }) => question)
  if (table === undefined) return askRouter(step, event, { kind: 'leaving', ops }, questions)
  const answers = questions.map((question) => readTable(table, question))
  return follow(step, event, ops, leaving, answers)
}

function follow(
  step: Step,
  event: AppEvent,
  ops: readonly Op[],
  leaving: readonly Outgoing[],
  answers: readonly (NextApplication | null)[],
): StepResult {
  const turn = beginTurn(step)
  const targets = new Map<number, readonly string[]>()
  const sessions = new Map<string, Ruling>()
  for (const [i, place] of leaving.entries()) {
    const ruled = rule(turn, step.ctx, answers[i] ?? null, place, false)
    if (!ruled.ok) return afterFailure(step, event, ofRouter(ruled.error))
    if ('target' in place.of) targets.set(place.of.target, ruled.value.uris)
    else sessions.set(place.of.session, ruled.value)
  }
  return carryOut(step, event, onTheirWay(turn, ops, sessions), targets)
}

function ofRouter(reason: string): string {
  return `the application router: ${reason}`
}

/** The operations are done, all or none. `onward`: what each target of a request that is proxied visits first. */
function carryOut(step: Step, event: AppEvent, ops: readonly Op[], onward: Onward): StepResult {
  if (event.of === 'initial') return beginInitial(step, event, ops, onward)
  const turn = beginTurn(step)
  turn.holdBack()
  // A leg's part is done again, on the state of now: it may be over.
  const entered = event.of === 'leg' ? enter(turn, step.input, step.ctx) : event
  if (entered === null || entered === 'core') return takeItsCourse(step, turn, entered === 'core')
  const { input } = step
  if (event.of === 'callback' && input.kind === 'intent') {
    // What it was for went while it ran: nothing that it did counts.
    if (callbackOf(turn, input.id) === null) return takeItsCourse(step, turn, false)
    beginCallback(turn, input.id)
  }
  const fault = doAll(turn, ops, event.of === 'relayed' ? input : null)
  if (fault !== null) return afterFailure(step, event, fault)
  return finish(step, turn, entered, 'done')
}

/** The operations are done, or there are none: what comes besides. */
function finish(
  step: Step,
  turn: Turn,
  event: AppEvent,
  outcome: 'done' | 'failed' | 'absent',
  failure: Failure | null = null,
): StepResult {
  const { input } = step
  // A turn that changes nothing needs no mark: its handler may run again.
  const hasChanged = outcome === 'done' && turn.commits && event.sip !== null
  if (hasChanged && event.sip !== null && isUnknown(event)) noteHeard(turn, event.sip)
  if (event.leg !== null) {
    onLegDefault(turn, event.leg, outcome)
    markHandled(turn, input)
  } else if (event.of === 'callback' && outcome === 'done' && input.kind === 'intent') endCallback(turn, input.id)
  else perform(turn, input, step.ctx)
  return end(turn, step, failure)
}

/** Requests of a leg are in the log, and so known when they come again. */
function isUnknown({ of, sip }: AppEvent): boolean {
  return of === 'relayed' || of === 'told' || (of === 'leg' && sip?.kind === 'response')
}

/** A request that begins something, after its handler; or it has none, and is proxied. */
function beginInitial(step: Step, event: AppEvent, ops: readonly Op[], onward: Onward): StepResult {
  const turn = beginTurn(step)
  turn.holdBack()
  const initial = new Initial(turn, step.input, event, onward)
  const isProxied = event.handler === null || ops.some(({ kind }) => kind === 'proxy')
  if (isProxied) initial.openProxied()
  else initial.openLeg()
  const fault = doAll(turn, ops, initial)
  if (fault !== null) return afterFailure(step, event, fault)
  if (!isProxied) {
    markHandled(turn, step.input)
    return end(turn, step)
  }
  initial.forward()
  if (initial.hasBegun()) return end(turn, step)
  const { refusal } = initial
  const isHeard = handlerOf(event.application, responseHandler(refusal?.status ?? 0), 'doResponse') !== null
  if (refusal !== null && isHeard) return refuseAndTell(step, event, ops, refusal)
  // There is no room, or nobody wants to hear of it: what its handler did with a call that never was goes with that.
  return forwardBare(step, event, onward, initial.plan)
}

/** There is no way to where it is proxied. */
function refuseAndTell(
  step: Step,
  event: AppEvent,
  ops: readonly Op[],
  refusal: NonNullable<Initial['refusal']>,
): StepResult {
  const turn = beginTurn(step)
  turn.holdBack()
  const initial = new Initial(turn, step.input, event)
  initial.refuseAndTell(refusal)
  const fault = doAll(
    turn,
    ops.filter(({ kind }) => kind !== 'proxy'),
    initial,
  )
  return fault === null ? end(turn, step) : afterFailure(step, event, fault)
}

/** It is nobody's. */
function forwardBare(step: Step, event: AppEvent, onward: Onward, plan: ProxyPlan | null): StepResult {
  const turn = beginTurn(step)
  new Initial(turn, step.input, event, onward, plan).forward()
  return { ...endTurn(turn), asks: null, failure: null }
}

function requestOf({ input }: Step): SipRequest {
  const message = input.kind === 'message' ? input.message : null
  return must(message?.kind === 'request' ? message : null, 'something begins with a request')
}

/** Nothing that the handler did counts. */
function afterFailure(step: Step, event: AppEvent, reason: string): StepResult {
  if (event.of === 'initial' || event.of === 'key') return refuse(step, event, 500, reason)
  const failure = failureOf(event, reason)
  const turn = beginTurn(step)
  if (event.of !== 'leg') return takeItsCourse(step, turn, false, failure)
  const entered = enter(turn, step.input, step.ctx)
  if (entered === null || entered === 'core') return takeItsCourse(step, turn, entered === 'core', failure)
  return finish(step, turn, entered, 'failed', failure)
}

/** An answer that keeps no state. */
function refuse(step: Step, event: AppEvent, status: number, reason: string): StepResult {
  const turn = beginTurn(step)
  new Initial(turn, step.input, event).refuse(status)
  return { ...endTurn(turn), asks: null, failure: failureOf(event, reason) }
}

function failureOf({ application, handler }: AppEvent, reason: string): Failure {
  return { application: application.name, handler: handler ?? 'doRequest', reason }
}
