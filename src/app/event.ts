import { entityValue } from '../call/entities.ts'
// Which of a group's inputs its application wants to hear of. Whatever it has no handler for takes its course, and costs nothing.
//
//   a request that begins a call, or belongs to nothing -> doInvite, ...     timers, expiry, ... (callbacks.ts) -> timeout, ...
//   what belongs to a leg (legs.ts)                                          -> its handlers
//   requests in a dialog that is relayed                                     -> doBye, doInfo, ..., and their course is to be relayed
//   what goes upstream in one: provisionals, 2xx, of failures the best one   -> do*Response

import type { Stamp } from '../base/instant.ts'
import { isOpen } from '../call/branches.ts'
import type { CallInput } from '../call/contract.ts'
import { allInvites, allUas, branchOfId, dialogOf, inviteOfBranch, inviteOfKey } from '../call/find.ts'
import { beginTurn, handle } from '../call/group.ts'
import type { Turn } from '../call/turn.ts'
import { requestKey } from '../proxy/branch.ts'
import { chainOf, unpackChain } from '../proxy/chain.ts'
import type { Chain } from '../proxy/chain.ts'
import { groupOfVia } from '../proxy/response.ts'
import { viaOf } from '../proxy/upstream.ts'
import { cseq, parseMessage, toTag } from '../sip/message.ts'
import type { InviteRecord } from '../transaction/record.ts'
import { APPLICATION_SESSION } from '../session/application-session.ts'
import type { Entity } from '../store/view.ts'
import type { Destination, EntityRef } from '../wire/entry.ts'
import type { SipMessage, SipRequest, SipResponse } from '../sip/message.ts'
import { callbackOf, isCallback } from './callbacks.ts'
import type { AppContext } from './context.ts'
import type { AppMessage, ApplicationInfo, HandlerName, Op } from './contract.ts'
import { requestHandler, responseHandler } from './handler-names.ts'
import { wasHeard } from './heard.ts'
import { uacOfBranch, uasOfKey } from './leg-find.ts'
import type { LegEvent } from './leg-find.ts'
import { onLegIntent, onLegMessage } from './legs.ts'
import { applicationNamed, applicationOf, handlerOf, isLoaded } from './router.ts'
import { readTable } from './router-table.ts'
import { placeOf, questionOf, rule } from './ruling.ts'
import { applicationSession } from './sessions.ts'
import { toldBy } from './told.ts'

export type MessageInput = Extract<CallInput, { kind: 'message' }>

/** Something that an application may want to hear of; `handler` null = it doesn't. */
export interface AppEvent {
  readonly application: ApplicationInfo
  readonly handler: HandlerName | null
  /** What becomes of it besides: a request that begins something, the key of one (targeting.ts), a leg's, a relayed message, a timer's or a session's. */
  readonly of: 'initial' | 'key' | 'leg' | 'relayed' | 'told' | 'callback'
  /** As the handler gets it; of `initial` known only once its leg is there. */
  readonly message: AppMessage | null
  /** The message that is heard with it. */
  readonly sip: SipMessage | null
  readonly subject: string
  /** When the timer was due that fired. */
  readonly due: Stamp | null
  readonly leg: LegEvent | null
  /** Of `initial`: what the application router said when it chose the application; null = nobody was asked. */
  readonly chain: Chain | null
  /** What the router's module is being asked: whose the request is, or where those operations' requests go. */
  readonly routing?: { readonly kind: 'arrived' } | { readonly kind: 'leaving'; readonly ops: readonly Op[] }
  /** When its application session began that is not committed yet: the one that the handler sees is the one that comes of it. */
  readonly began?: Stamp
}

/** `turn`: begun with the input; what is a leg's has happened in it afterwards. `core` = and nobody is to be asked; null = it is a
 * plain call's, or nobody's. */
export function enter(turn: Turn, input: CallInput, ctx: AppContext): AppEvent | 'core' | null {
  if (input.kind === 'intent') return ofIntent(turn, input, ctx)
  if (input.kind !== 'message') return null
  const { message } = input
  const session = applicationSession(turn)
  if (session === null) {
    const isNew = message.kind === 'request' && turn.base.entities.size === 0
    return isNew ? ofFirst(turn, message, ctx, input.to) : null
  }
  const application = applicationNamed(ctx.applications, session)
  const outcome = onLegMessage(turn, message, input.flow)
  if (outcome === 'core') return 'core'
  if (outcome !== null) return application === null ? absent(outcome) : ofLeg(turn, application, outcome, message)
  if (application === null) return null
  if (message.kind === 'request' && toTag(message) === null && message.method !== 'CANCEL')
    return ofNew(turn, message, application, chainWith(turn, message, input.to, session.hosted.stateInfo))
  if (!session.hosted.isValid || wasHeard(turn, message)) return null
  return message.kind === 'request'
    ? ofRequest(turn, application, message)
    : ofResponse(turn, application, message, input)
}

/** An application that this replica hasn't got makes nothing of its legs. */
function absent(leg: LegEvent): AppEvent {
  const application = { name: '', version: '', handlers: [] }
  return { ...eventOf(application, null), of: 'leg', leg, message: leg.message, subject: leg.subject }
}

function eventOf(application: ApplicationInfo, handler: HandlerName | null): AppEvent {
  return {
    application,
    handler,
    of: 'relayed',
    message: null,
    sip: null,
    subject: '',
    due: null,
    leg: null,
    chain: null,
  }
}

function ofLeg(turn: Turn, application: ApplicationInfo, leg: LegEvent, sip: SipMessage | null): AppEvent | 'core' {
  // A provisional changes nothing by which it would be known when it comes again.
  if (sip?.kind === 'response' && wasHeard(turn, sip)) return 'core'
  const fallback = sip === null ? [] : sip.kind === 'request' ? (['doRequest'] as const) : (['doResponse'] as const)
  const handler = handlerOf(application, leg.handler, ...fallback)
  return { ...eventOf(application, handler), of: 'leg', leg, sip, message: leg.message, subject: leg.subject }
}

function ofIntent(
  turn: Turn,
  input: Extract<CallInput, { kind: 'intent' }>,
  ctx: AppContext,
): AppEvent | 'core' | null {
  const session = applicationSession(turn)
  if (session === null) return null
  const application = applicationNamed(ctx.applications, session)
  const outcome = onLegIntent(turn, input)
  if (outcome === 'core') return 'core'
  if (outcome !== null) return application === null ? absent(outcome) : ofLeg(turn, application, outcome, null)
  const message = application === null || !session.hosted.isValid ? null : toldBy(turn, input.id)
  if (message !== null && application !== null && !wasHeard(turn, message)) {
    const event = ofRelayed(turn, application, message)
    return event === null ? null : { ...event, of: 'told' }
  }
  const own = application === null || !session.hosted.isValid ? null : ofOwnFinal(turn, application, input)
  if (own !== null) return own
  const callback = isCallback(input.id) ? callbackOf(turn, input.id) : null
  const handler = callback === null || application === null ? null : handlerOf(application, callback.handler)
  if (application === null || callback === null || handler === null) return null
  return { ...eventOf(application, handler), of: 'callback', subject: callback.timer, due: callback.due }
}

/** The group has nothing yet: the request says whose it is, or the application router does. */
function ofFirst(turn: Turn, request: SipRequest, ctx: AppContext, to?: Destination): AppEvent | null {
  const { applications, settings, router = null } = ctx
  const handler = requestHandler(request.method)
  const chain = chainHere(turn, request)
  // The application's key has led here: the router was asked before.
  const { application: keyed = '' } = to ?? {}
  if (keyed !== '')
    return ofNew(turn, request, applicationOf(applications, keyed, handler), chain ?? chainOfDestination(to))
  if (chain !== null && chain.application !== '')
    return ofNew(turn, request, applicationOf(applications, chain.application, handler), chain)
  const { router: table } = settings
  if (table === undefined && router === null) return ofNew(turn, request, applications[0] ?? null, null)
  if (table === undefined) {
    const event = ofNew(turn, request, router, chain, true)
    return event === null ? null : { ...event, routing: { kind: 'arrived' } }
  }
  const answer = readTable(table, questionOf(request, chain))
  if (answer === null) return null
  const ruled = rule(turn, ctx, answer, placeOf(request, chain), true)
  // An application that isn't there fails when it is asked.
  const next = ruled.ok ? ruled.value.chain : null
  return ofNew(turn, request, applicationOf(applications, answer.application ?? '', handler), next)
}

/** Of a request that comes to a session that is there. */
function chainWith(turn: Turn, request: SipRequest, to: Destination | undefined, known: Uint8Array): Chain | null {
  return chainHere(turn, request) ?? chainOfDestination(to) ?? unpackChain(known)
}

function chainOfDestination(to: Destination | undefined): Chain | null {
  return to === undefined || to.chain.length === 0 ? null : unpackChain(to.chain)
}

function chainHere({ ctx }: Turn, request: SipRequest): Chain | null {
  return chainOf(ctx.keys, ctx.settings.sip, request)
}

/** Nobody answered in time: what goes upstream is asked about first, as a failure of the last target is. */
function ofOwnFinal(
  turn: Turn,
  application: ApplicationInfo,
  input: Extract<CallInput, { kind: 'intent' }>,
): AppEvent | null {
  const found = endsBranch(input.id) ? branchOfId(turn, input.id.slice(2)) : null
  if (found === null || handlerOf(application, 'doErrorResponse', 'doResponse') === null) return null
  const best = bestFailure(turn, found.id, input)
  return best === null ? null : ofFailure(turn, application, best, found.value)
}

/** More targets may take its place. */
function ofFailure(
  turn: Turn,
  application: ApplicationInfo,
  best: SipMessage,
  { session, dialog }: InviteRecord,
): AppEvent | null {
  const event = ofRelayed(turn, application, best, session)
  if (event === null || event.message === null) return event
  return { ...event, message: { ...event.message, isInitial: dialog === '' } }
}

/** A request outside of all dialogs: an INVITE is its application's even if that has no handler for it. */
function ofNew(
  turn: Turn,
  request: SipRequest,
  application: ApplicationInfo | null,
  chain: Chain | null,
  isUnrouted = false,
): AppEvent | null {
  const { method } = request
  if (application === null || method === 'ACK' || method === 'CANCEL' || toTag(request) !== null) return null
  const key = requestKey(request)
  if (inviteOfKey(turn, key) !== null || uasOfKey(turn, key) !== null) return null
  if (turn.local.relays.has(`${method} ${key}`)) return null
  // Until its code is there it might have one for anything.
  const fallback = isLoaded(application) ? null : 'doRequest'
  const handler = handlerOf(application, requestHandler(method), 'doRequest') ?? fallback
  // In a chain, what it has no handler for is the next one's.
  if (handler === null && method !== 'INVITE' && chain === null && !isUnrouted) return null
  return { ...eventOf(application, handler), of: 'initial', sip: request, chain }
}

/** Whether its application has a handler for it. */
export function wantsToHear(turn: Turn, input: CallInput, ctx: AppContext): boolean {
  const event = enter(turn, input, ctx)
  return event !== null && event !== 'core' && event.of === 'relayed'
}

function ofRequest(turn: Turn, application: ApplicationInfo, request: SipRequest): AppEvent | null {
  const { method } = request
  const known = inviteOfKey(turn, requestKey(request))
  if (method === 'CANCEL') {
    const isAccepted = known !== null && known.value.state === 'proceeding' && !known.value.cancelled
    return isAccepted ? ofRelayed(turn, application, request) : null
  }
  if (dialogOf(turn, request) === null) return null
  const isRepeated = method === 'INVITE' ? known !== null : turn.local.relays.has(`${method} ${requestKey(request)}`)
  return isRepeated ? null : ofRelayed(turn, application, request)
}

function ofResponse(
  turn: Turn,
  application: ApplicationInfo,
  response: SipResponse,
  input: MessageInput,
): AppEvent | null {
  const event = ofRelayed(turn, application, response)
  // Most applications look at few of them.
  if (event === null && !application.handlers.some((name) => name === 'doErrorResponse' || name === 'doResponse'))
    return null
  const { method } = cseq(response)
  const branch = viaOf(response).branch ?? ''
  if (method !== 'INVITE') return isRelayed(turn, response, branch) ? event : null
  const found = inviteOfBranch(turn, branch)
  if (found === null || response.status === 100) return null
  if (response.status < 200) return isOpen(found.branch) ? event : null
  if (response.status >= 300) {
    const best = bestFailure(turn, found.id, input)
    return best === null ? null : ofFailure(turn, application, best, found.value)
  }
  const isNew = isOpen(found.branch) || (found.branch.state === 'accepted' && dialogOf(turn, response) === null)
  return isNew ? event : null
}

/** A request that the set asked by itself has an answer that goes no further; so has what was answered before. */
function isRelayed(turn: Turn, response: SipResponse, branch: string): boolean {
  const { method } = cseq(response)
  if (method === 'CANCEL') return false
  for (const [, record] of turn.entries('Transaction'))
    if (record.kind === 'own' && record.branch === branch) return false
  for (const probe of turn.local.probes.values()) if (probe.pings.some((ping) => ping.branch === branch)) return false
  for (const relay of turn.local.relays.values()) {
    if (relay.method !== method) continue
    if (relay.branch === branch) return relay.client.state === 'trying' || relay.client.state === 'proceeding'
    if (relay.tried.includes(branch)) return false
  }
  return dialogOf(turn, response) !== null && groupOfVia(response, turn.ctx.keys) !== null
}

/** What goes upstream if this failure is the last one of its INVITE. */
function bestFailure(turn: Turn, id: string, input: CallInput): SipMessage | null {
  const was = turn.get('Transaction', id)
  const trial = beginTurn(turn.base, turn.ctx)
  handle(trial, input)
  const is = trial.get('Transaction', id)
  if (was?.kind !== 'invite' || is?.kind !== 'invite') return null
  if (was.state !== 'proceeding' || is.state !== 'completed' || is.final === null) return null
  const parsed = parseMessage(is.final)
  return parsed.ok ? parsed.value : null
}

/** `session`: the message's SipSession, where that is known: what goes upstream has lost the Via that would tell it. */
function ofRelayed(
  turn: Turn,
  application: ApplicationInfo,
  sip: SipMessage,
  session: string = sessionOf(turn, sip),
): AppEvent | null {
  const handler =
    sip.kind === 'request'
      ? handlerOf(application, requestHandler(sip.method), 'doRequest')
      : handlerOf(application, responseHandler(sip.status), 'doResponse')
  if (handler === null) return null
  const of = { kind: sip.kind, session, request: '', text: sip.text, isInitial: false }
  const message: AppMessage = isOwn(turn, sip) ? { ...of, isOwn: true } : of
  return { ...eventOf(application, handler), sip, message }
}

/** A request whose only Via is ours: no phone has sent it. */
function isOwn(turn: Turn, sip: SipMessage): boolean {
  return sip.kind === 'request' && groupOfVia(sip, turn.ctx.keys) === turn.key
}

function sessionOf(turn: Turn, message: SipMessage): string {
  const answered = message.kind === 'response' ? answeredBy(turn, message.text) : ''
  if (answered !== '') return answered
  const invite =
    message.kind === 'response'
      ? inviteOfBranch(turn, viaOf(message).branch ?? '')
      : message.method === 'CANCEL'
        ? inviteOfKey(turn, requestKey(message))
        : null
  return invite?.value.session ?? dialogOf(turn, message)?.value.session ?? ''
}

/** The session of a request that was answered with these bytes, which have lost our Via. */
function answeredBy(turn: Turn, text: string): string {
  const invite = allInvites(turn).find(({ value }) => value.final === text)
  return invite?.value.session ?? allUas(turn).find(({ value }) => value.answer === text)?.value.session ?? ''
}

/** What is handled at once even while the application is busy with another input of the group, so that no handler that hangs keeps a
 * call up or a caller waiting (design.md 4): deadlines, what the set does by itself, and whatever ends a call that is relayed. */
export function passesAsk(turn: Turn, input: CallInput): boolean {
  switch (input.kind) {
    case 'wake':
    case 'unsent':
      return true
    case 'intent':
      return isCores(input.id)
    case 'message':
      return endsCall(turn, input.message)
    default:
      return false
  }
}

/** Whose intent it is: the set's own (''), or an application's, by its name. */
export function laneOf(id: string, find: (ref: EntityRef) => Entity | null): string {
  if (isCores(id) && !endsBranch(id)) return ''
  const session = find({ tree: 'SipApplicationSession', id: APPLICATION_SESSION })
  const value = session === null ? null : entityValue(session)
  return value?.kind === 'application-session' && value.hosted !== null ? value.applicationName : ''
}

/** Timer C, or a CANCEL that came to nothing: if an application proxies that INVITE, it is asked. */
function endsBranch(id: string): boolean {
  return id.startsWith('c.') || id.startsWith('k.')
}

/** Of intents those of call/intent.ts. */
function isCores(id: string): boolean {
  return id[1] === '.' && 'bcegklos'.includes(id[0] ?? '')
}

function endsCall(turn: Turn, message: SipMessage): boolean {
  if (message.kind === 'request') {
    if (message.method === 'CANCEL') return inviteOfKey(turn, requestKey(message)) !== null
    if (message.method === 'BYE') return dialogOf(turn, message) !== null
    return message.method === 'ACK' && isAckOfFailure(turn, message)
  }
  const { method } = cseq(message)
  const branch = viaOf(message).branch ?? ''
  if (method === 'BYE' || method === 'CANCEL') return uacOfBranch(turn, branch) === null
  return method === 'INVITE' && (inviteOfBranch(turn, branch)?.value.cancelled ?? false)
}

function isAckOfFailure(turn: Turn, ack: SipRequest): boolean {
  return allInvites(turn).some(({ value }) => value.key === requestKey(ack) && value.state === 'completed')
}
