// A call of a replica's, brought to the handler that it is for. No promise here: a handler that returns one has its turn
// ended by whoever can wait (host/application-worker.ts).

import { must } from '../base/assert.ts'
import type { AppAnswer, AppCall, HandlerName, Op } from '../app/contract.ts'
import type { SipErrorEvent } from './api.ts'
import type { Application, ListenerHandlers, MessageHandlers } from './application.ts'
import { sizeOf } from './attribute.ts'
import { HandlerTurn } from './handler-turn.ts'
import { HttpTurn } from './http-context.ts'
import { illegal } from './illegal-state.ts'
import { servletLimits } from './limits.ts'
import type { SessionPorts } from './other-sessions.ts'
import { nextApplications } from './router.ts'

export interface BegunTurn {
  /** What the handler returned; a promise, if it is async. */
  readonly result: unknown
  /** What it did. Changes are refused from now on. */
  finish(): readonly Op[]
}

/** Runs the handler. Throws what it throws. */
export function beginTurn(application: Application, call: AppCall, ports?: SessionPorts): BegunTurn {
  const turn = new HandlerTurn(call, [...application.servlets.keys()], ports)
  const result = dispatch(application, turn, call.handler)
  return { result, finish: () => opsOf(turn) }
}

function opsOf(turn: HandlerTurn): readonly Op[] {
  const ops = turn.finish()
  const bytes = sizeOf(ops)
  if (bytes > servletLimits.answerBytes) {
    illegal(`what this handler did takes ${bytes} bytes; one turn has room for ${servletLimits.answerBytes}`)
  }
  return ops
}

/** The same for doHttp: whoever can wait runs it, reads the whole Response, and then ends the turn. */
export interface HttpRun {
  readonly http: HttpTurn
  /** `request`: the web's Request, made of what the call has. Throws what the handler throws. */
  run(request: Request): unknown
  finish(): readonly Op[]
}

export function beginHttp(application: Application, call: AppCall, ports?: SessionPorts): HttpRun {
  const turn = new HandlerTurn(call, [...application.servlets.keys()], ports)
  const http = new HttpTurn(turn, must(call.http, 'a call for doHttp has a request'))
  return {
    http,
    run: (request) => application.listeners.doHttp?.(request, http.context),
    finish: () => opsOf(turn),
  }
}

/** The turn of a handler that isn't async, with `failure` for what it throws; of one that is, the caller waits for `pending.result` and then calls `finish`. */
export function runHandler(
  application: Application,
  call: AppCall,
  failure: (error: unknown) => AppAnswer = failed,
  ports?: SessionPorts,
):
  | { readonly kind: 'answered'; readonly answer: AppAnswer }
  | { readonly kind: 'pending'; readonly pending: BegunTurn } {
  try {
    const begun = beginTurn(application, call, ports)
    if (isThenable(begun.result)) return { kind: 'pending', pending: begun }
    return { kind: 'answered', answer: { kind: 'done', ops: begun.finish(), result: begun.result } }
  } catch (error) {
    return { kind: 'answered', answer: failure(error) }
  }
}

/** The answer for what a handler threw. */
export function failed(error: unknown): AppAnswer {
  return {
    kind: 'failed',
    reason: error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${String(error)}`,
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function dispatch(application: Application, turn: HandlerTurn, name: HandlerName): unknown {
  const { context } = turn
  const { listeners } = application
  switch (name) {
    case 'applicationKey':
      return listeners.applicationKey?.(turn.incomingRequest(), context)
    case 'timeout':
      return listeners.timeout?.(turn.subjectTimer(), context)
    case 'sessionExpired':
      return listeners.sessionExpired?.(turn.applicationSession, context)
    case 'sessionCreated':
    case 'sessionReadyToInvalidate':
    case 'sessionDidActivate':
    case 'sessionDestroyed':
      return listeners[name]?.(turn.subjectSession() ?? turn.applicationSession, context)
    case 'noAckReceived':
    case 'noPrackReceived':
      return errorEvent(listeners, turn, name)
    case 'doHttp':
      return illegal('a request of HTTP is brought by beginHttp')
    case 'getNextApplication':
      return nextApplications(application, turn.call.questions ?? [])
    default:
      return onMessage(application, turn, name)
  }
}

function errorEvent(
  listeners: ListenerHandlers,
  turn: HandlerTurn,
  name: 'noAckReceived' | 'noPrackReceived',
): unknown {
  const request = turn.call.message === null ? null : turn.incomingRequest()
  const session = request?.session ?? turn.subjectSession()
  if (session === null) return undefined
  const event: SipErrorEvent = { session, request }
  return listeners[name]?.(event, turn.context)
}

function onMessage(application: Application, turn: HandlerTurn, name: keyof MessageHandlers): unknown {
  const { context } = turn
  if (turn.call.message?.kind === 'response') {
    const response = turn.incomingResponse()
    const { handlers, servlet } = handlersOf(application, response.session.handler)
    const handler = (handlers[name] ?? handlers.doResponse) as MessageHandlers['doResponse']
    return handler?.call(servlet, response, context)
  }
  const request = turn.incomingRequest()
  const { handlers, servlet } = handlersOf(application, request.session.handler)
  const handler = (handlers[name] ?? handlers.doRequest) as MessageHandlers['doRequest']
  return handler?.call(servlet, request, context)
}

/** `servlet`: what `this` is in a handler. */
function handlersOf(
  application: Application,
  servlet: string,
): { handlers: MessageHandlers; servlet: MessageHandlers } {
  const handlers = application.servlets.get(servlet)
  if (handlers !== undefined) return { handlers, servlet: handlers }
  illegal(`the SipSession's handler is "${servlet}", and this version of the application has no servlet of that name`)
}
