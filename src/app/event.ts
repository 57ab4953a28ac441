// Which of a group's inputs its application wants to hear of: a request that begins a call, what is relayed in one of its calls, its
// timers. Whatever it has no handler for takes its course, and costs nothing.
//
//   INVITE that begins a call -> doInvite            timers, expiry, ... (callbacks.ts) -> timeout, sessionExpired, ...
//   requests in a dialog -> doBye, doInfo, ...
//   what goes upstream -> do*Response: each provisional, 2xx, and of an INVITE's failures the best

import type { Group } from '../call/group-state.ts'
import { allInvites, dialogOf, inviteOfBranch, inviteOfKey } from '../call/find.ts'
import { beginTurn, handle } from '../call/group.ts'
import { isOpen } from '../call/branches.ts'
import type { Stamp } from '../base/instant.ts'
import type { CallInput, InputRef } from '../call/contract.ts'
import type { Turn } from '../call/turn.ts'
import { groupOfVia } from '../proxy/response.ts'
import { requestKey } from '../proxy/branch.ts'
import { viaOf } from '../proxy/upstream.ts'
import { cseq, parseMessage, toTag } from '../sip/message.ts'
import type { SipMessage, SipRequest, SipResponse } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import { callbackOf, isCallback } from './callbacks.ts'
import type { AppContext } from './context.ts'
import type { ApplicationInfo, HandlerName } from './contract.ts'
import { wasHeard } from './heard.ts'
import { applicationSession } from './sessions.ts'
import { applicationFor, applicationNamed, handlerOf } from './router.ts'

/** What can happen to a group with an application. */
export type GroupInput =
  | CallInput
  /** A message that was handled while the application was busy with another input; it is only told of it. */
  | { readonly kind: 'told'; readonly message: SipMessage; readonly flow: Flow; readonly ref: InputRef }

/** Something that an application is to hear of. */
export interface AppEvent {
  readonly application: ApplicationInfo
  /** null = it has none, though the call that begins is its. */
  readonly handler: HandlerName | null
  /** The message that it is about; null = none. */
  readonly message: SipMessage | null
  /** Its INVITE begins a call, which the application may answer or proxy. */
  readonly isInitial: boolean
  /** The timer that fired; '' = none. */
  readonly timer: string
  /** When that was due. */
  readonly due: Stamp | null
}

/** null = it takes its course. */
export function eventOf(group: Group, input: GroupInput, ctx: AppContext): AppEvent | null {
  if (input.kind !== 'message' && input.kind !== 'told' && input.kind !== 'intent') return null
  const turn = beginTurn(group, ctx)
  const application = applicationOf(turn, input, ctx)
  if (application === null) return null
  if (input.kind === 'intent') return ofIntent(turn, application, input.id)
  const { message } = input
  if (wasHeard(turn, message)) return null
  if (input.kind === 'told') return ofMessage(application, message)
  return message.kind === 'request'
    ? ofRequest(turn, application, message)
    : ofResponse(turn, application, message, input)
}

/** Whether its application has a handler for it. */
export function wantsToHear(group: Group, input: GroupInput, ctx: AppContext): boolean {
  return ctx.applications.length > 0 && eventOf(group, input, ctx) !== null
}

/** The one that the group has, or would get by an INVITE now. */
function applicationOf(turn: Turn, input: GroupInput, { applications }: AppContext): ApplicationInfo | null {
  const session = applicationSession(turn)
  if (session === null) return turn.base.entities.size === 0 ? applicationFor(applications) : null
  // What is invalid is asked about nothing, but for its end, and a call that begins has a new one.
  const isOpen =
    session.hosted.isValid || input.kind === 'intent' || (input.kind === 'message' && begins(input.message))
  return isOpen ? applicationNamed(applications, session) : null
}

function begins(message: SipMessage): boolean {
  return message.kind === 'request' && message.method === 'INVITE' && toTag(message) === null
}

function ofIntent(turn: Turn, application: ApplicationInfo, id: string): AppEvent | null {
  const callback = isCallback(id) ? callbackOf(turn, id) : null
  if (callback === null) return null
  const { timer, due } = callback
  const handler = handlerOf(application, callback.handler)
  return handler === null ? null : { application, handler, message: null, isInitial: false, timer, due }
}

function ofRequest(turn: Turn, application: ApplicationInfo, request: SipRequest): AppEvent | null {
  const { method } = request
  if (method === 'CANCEL') {
    const invite = inviteOfKey(turn, requestKey(request))
    const isAccepted = invite !== null && invite.value.state === 'proceeding' && !invite.value.cancelled
    return isAccepted ? ofMessage(application, request) : null
  }
  if (toTag(request) === null) {
    if (method !== 'INVITE' || inviteOfKey(turn, requestKey(request)) !== null) return null
    const handler = handlerOf(application, 'doInvite', 'doRequest')
    return { application, handler, message: request, isInitial: true, timer: '', due: null }
  }
  if (dialogOf(turn, request) === null) return null
  const isRepeated =
    method === 'INVITE'
      ? inviteOfKey(turn, requestKey(request)) !== null
      : turn.local.relays.has(`${method} ${requestKey(request)}`)
  return isRepeated ? null : ofMessage(application, request)
}

function ofResponse(
  turn: Turn,
  application: ApplicationInfo,
  response: SipResponse,
  input: Extract<CallInput, { kind: 'message' }>,
): AppEvent | null {
  // Told by its status, whichever of them: none at all, for most applications.
  if (ofMessage(application, response) === null) return null
  const { method } = cseq(response)
  const branch = viaOf(response).branch ?? ''
  if (method !== 'INVITE') return isRelayed(turn, response, branch) ? ofMessage(application, response) : null
  const found = inviteOfBranch(turn, branch)
  if (found === null || response.status === 100) return null
  if (response.status < 200) return isOpen(found.branch) ? ofMessage(application, response) : null
  if (response.status < 300) {
    const isNew = isOpen(found.branch) || (found.branch.state === 'accepted' && dialogOf(turn, response) === null)
    return isNew ? ofMessage(application, response) : null
  }
  const best = bestFailure(turn, found.id, input)
  return best === null ? null : ofMessage(application, best)
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
function bestFailure(turn: Turn, id: string, input: Extract<CallInput, { kind: 'message' }>): SipMessage | null {
  const was = turn.get('Transaction', id)
  const trial = beginTurn(turn.base, turn.ctx)
  handle(trial, input)
  const is = trial.get('Transaction', id)
  if (was?.kind !== 'invite' || is?.kind !== 'invite') return null
  if (was.state !== 'proceeding' || is.state !== 'completed' || is.final === null) return null
  const parsed = parseMessage(is.final)
  return parsed.ok ? parsed.value : null
}

function ofMessage(application: ApplicationInfo, message: SipMessage): AppEvent | null {
  const handler =
    message.kind === 'request'
      ? handlerOf(application, ...requestHandlers(message.method))
      : handlerOf(application, responseHandler(message.status), 'doResponse')
  return handler === null ? null : { application, handler, message, isInitial: false, timer: '', due: null }
}

const METHODS: Readonly<Record<string, HandlerName>> = {
  INVITE: 'doInvite',
  ACK: 'doAck',
  BYE: 'doBye',
  CANCEL: 'doCancel',
  INFO: 'doInfo',
  MESSAGE: 'doMessage',
  NOTIFY: 'doNotify',
  OPTIONS: 'doOptions',
  PRACK: 'doPrack',
  REFER: 'doRefer',
  SUBSCRIBE: 'doSubscribe',
  UPDATE: 'doUpdate',
}

function requestHandlers(method: string): readonly HandlerName[] {
  const own = METHODS[method]
  return own === undefined ? ['doRequest'] : [own, 'doRequest']
}

function responseHandler(status: number): HandlerName {
  if (status < 200) return 'doProvisionalResponse'
  if (status < 300) return 'doSuccessResponse'
  return status < 400 ? 'doRedirectResponse' : 'doErrorResponse'
}

/** What is handled at once even while the application is busy with another input of the group, so that no handler that hangs keeps a
 * call up or a caller waiting (design.md 4): deadlines, what the set does by itself, and whatever ends a call. */
export function passesAsk(group: Group, input: GroupInput, ctx: AppContext): boolean {
  switch (input.kind) {
    case 'wake':
    case 'unsent':
      return true
    case 'intent':
      return isCores(input.id)
    case 'message':
      return endsCall(beginTurn(group, ctx), input.message)
    default:
      return false
  }
}

/** Of intents those of call/intent.ts. */
function isCores(id: string): boolean {
  return id[1] === '.' && 'bceklos'.includes(id[0] ?? '')
}

function endsCall(turn: Turn, message: SipMessage): boolean {
  if (message.kind === 'request') {
    if (message.method === 'CANCEL') return inviteOfKey(turn, requestKey(message)) !== null
    if (message.method === 'BYE') return dialogOf(turn, message) !== null
    return message.method === 'ACK' && isAckOfFailure(turn, message)
  }
  const { method } = cseq(message)
  if (method === 'BYE' || method === 'CANCEL') return true
  return method === 'INVITE' && (inviteOfBranch(turn, viaOf(message).branch ?? '')?.value.cancelled ?? false)
}

function isAckOfFailure(turn: Turn, ack: SipRequest): boolean {
  return allInvites(turn).some(({ value }) => value.key === requestKey(ack) && value.state === 'completed')
}
