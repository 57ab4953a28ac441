// An application: handlers under JSR 289's names (4.1, 4.3), checked when it is defined.

import type { HandlerName } from '../app/contract.ts'
import { nearest } from '../base/nearest.ts'
import type {
  HandlerContext,
  HttpContext,
  ServletTimer,
  SipApplicationSession,
  SipErrorEvent,
  SipServletRequest,
  SipServletResponse,
  SipSession,
} from './api.ts'
import type { GetNextApplication } from './router.ts'

type OnRequest = (request: SipServletRequest, context: HandlerContext) => unknown
type OnResponse = (response: SipServletResponse, context: HandlerContext) => unknown
type OnSession = (session: SipApplicationSession | SipSession, context: HandlerContext) => unknown

/** What one servlet does with messages. A handler may be async; its turn ends, and is committed, when what it returns is done. */
export interface MessageHandlers {
  doInvite?: OnRequest
  doAck?: OnRequest
  doBye?: OnRequest
  doCancel?: OnRequest
  doInfo?: OnRequest
  doMessage?: OnRequest
  doNotify?: OnRequest
  doOptions?: OnRequest
  doPrack?: OnRequest
  doRefer?: OnRequest
  doSubscribe?: OnRequest
  doUpdate?: OnRequest
  /** Of requests that no handler above is for. */
  doRequest?: OnRequest
  /** 1xx but 100 */
  doProvisionalResponse?: OnResponse
  /** 3xx */
  doRedirectResponse?: OnResponse
  /** 4xx, 5xx, 6xx */
  doErrorResponse?: OnResponse
  /** 2xx */
  doSuccessResponse?: OnResponse
  /** Of responses that no handler above is for. */
  doResponse?: OnResponse
}

/** JSR 289's listeners, and its application key. */
export interface ListenerHandlers {
  /** The key of a request that begins something (JSR 289 15.11.2): all requests with one key are of one SipApplicationSession, the one that
   * `applicationSession.key` tells. null = it has none, and gets a session of its own. Asked once for each Call-ID, before any other
   * handler, and perhaps at another replica than those: it is to follow from the request alone, and may change nothing. */
  applicationKey?(request: SipServletRequest, context: HandlerContext): unknown
  timeout?(timer: ServletTimer, context: HandlerContext): unknown
  sessionCreated?: OnSession
  /** `setExpires` in it gives the session more time; else it is invalidated. */
  sessionExpired?(session: SipApplicationSession, context: HandlerContext): unknown
  sessionReadyToInvalidate?: OnSession
  /** Another replica has it from now on: its owner died, or left. */
  sessionDidActivate?: OnSession
  sessionDestroyed?: OnSession
  /** A 2xx of the application's got no ACK within 64*T1. */
  noAckReceived?(event: SipErrorEvent, context: HandlerContext): unknown
  noPrackReceived?(event: SipErrorEvent, context: HandlerContext): unknown
  /** An HTTP request below the application's path, at any replica. Returns a Response, or a promise of one; it leaves once what the
   * handler did is committed. */
  doHttp?(request: Request, context: HttpContext): unknown
}

export interface ApplicationDefinition extends MessageHandlers, ListenerHandlers {
  /** 1 to 64 letters, digits, `-`, `_` and `.`. */
  readonly name: string
  /** Of this code; what is left out is its content's hash. */
  readonly version?: string
  /** More sets of handlers, for SipSessions whose `handler` names one. */
  readonly servlets?: Readonly<Record<string, MessageHandlers>>
}

/** What a module exports. */
export interface Application {
  readonly kind: 'holdfast-application'
  readonly name: string
  readonly version: string | null
  /** All that any of its servlets has. */
  readonly handlers: readonly HandlerName[]
  /** '' = its own handlers. */
  readonly servlets: ReadonlyMap<string, MessageHandlers>
  readonly listeners: ListenerHandlers
  /** Of an application router, which has nothing else (router.ts). */
  readonly getNextApplication?: GetNextApplication
}

const MESSAGES: readonly HandlerName[] = [
  'doInvite',
  'doAck',
  'doBye',
  'doCancel',
  'doInfo',
  'doMessage',
  'doNotify',
  'doOptions',
  'doPrack',
  'doRefer',
  'doSubscribe',
  'doUpdate',
  'doRequest',
  'doProvisionalResponse',
  'doRedirectResponse',
  'doErrorResponse',
  'doSuccessResponse',
  'doResponse',
]

const LISTENERS: readonly HandlerName[] = [
  'applicationKey',
  'timeout',
  'sessionCreated',
  'sessionExpired',
  'sessionReadyToInvalidate',
  'sessionDidActivate',
  'sessionDestroyed',
  'noAckReceived',
  'noPrackReceived',
  'doHttp',
]

const OTHERS: readonly string[] = ['name', 'version', 'servlets']

const MOST_NAME = 64

/** Throws a TypeError that says what is wrong with the definition. */
export function defineApplication(definition: ApplicationDefinition): Application {
  const { name, version, servlets: more = {}, ...handlers } = definition
  checkNames(name, version)
  const where = `application ${name}`
  checkHandlers(handlers, [...MESSAGES, ...LISTENERS, ...OTHERS], where)
  const servlets = new Map<string, MessageHandlers>([['', handlers]])
  for (const [servlet, own] of Object.entries(more)) {
    if (!isName(servlet)) throw new TypeError(`${where}: servlets: ${show(servlet)} is no name`)
    checkHandlers(own, MESSAGES, `${where}: servlet ${servlet}`)
    servlets.set(servlet, own)
  }
  const has = (handler: HandlerName): boolean =>
    [...servlets.values()].some((own) => typeof own[handler as keyof MessageHandlers] === 'function')
  return {
    kind: 'holdfast-application',
    name,
    version: version ?? null,
    handlers: [...MESSAGES, ...LISTENERS].filter(has),
    servlets,
    listeners: handlers,
  }
}

/** Throws a TypeError if an application, or a router, can't be called that. */
export function checkNames(name: unknown, version: unknown): void {
  if (!isName(name))
    throw new TypeError(`name: ${show(name)} should be 1 to ${MOST_NAME} letters, digits, "-", "_" and "."`)
  if (name === 'proxy') throw new TypeError('name: "proxy" is the set\'s own application; choose another name')
  if (version !== undefined && !isName(version)) {
    throw new TypeError(`version: ${show(version)} should be 1 to ${MOST_NAME} letters, digits, "-", "_" and "."`)
  }
}

/** Whether a module exports this. It may have been made by another copy of this code. */
export function isApplication(value: unknown): value is Application {
  const known = value as Partial<Application> | null | undefined
  return typeof value === 'object' && known?.kind === 'holdfast-application' && known.servlets instanceof Map
}

function checkHandlers(handlers: object, known: readonly string[], where: string): void {
  for (const [name, value] of Object.entries(handlers)) {
    if (!known.includes(name)) {
      const near = nearest(name, known)
      throw new TypeError(
        `${where}: "${name}" is no handler; ${near === null ? `handlers are ${known.filter((one) => !OTHERS.includes(one)).join(', ')}` : `did you mean ${near}?`}`,
      )
    }
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`${where}: ${name} should be a function, not ${show(value)}`)
    }
  }
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9._-]+$/.test(value) && value.length <= MOST_NAME
}

function show(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value)
}
