// One turn of one handler: the session as it was asked with, what the handler has changed so far, and the operations that
// tell it. Reads after writes see the writes; nothing else happens until the turn ends.

import { must } from '../base/assert.ts'
import { nearest } from '../base/nearest.ts'
import { appLimits } from '../app/limits.ts'
import type { AppCall, Op, PendingRequest } from '../app/contract.ts'
import { cseq, parseMessage, toTag } from '../sip/message.ts'
import type { SipMessage } from '../sip/message.ts'
import type { B2buaHelper, HandlerContext } from './api.ts'
import { ApplicationSession } from './application-session.ts'
import { b2buaHelper } from './b2bua-helper.ts'
import { illegal } from './illegal-state.ts'
import type { ProxyPlanner } from './proxy.ts'
import { Request } from './request.ts'
import type { Draft } from './request.ts'
import { Response } from './response.ts'
import type { Session } from './session.ts'
import { noPorts, sessionsUtil } from './other-sessions.ts'
import type { SessionPorts } from './other-sessions.ts'
import { sipFactory } from './sip-factory.ts'
import { timerService } from './timer.ts'

const OVER =
  'this turn of the handler is over, and its changes are on their way: a handler that waits must be async and await what it waits for; later changes belong into a later handler, such as timeout()'

export class HandlerTurn {
  readonly call: AppCall
  readonly applicationSession: ApplicationSession
  readonly context: HandlerContext
  readonly b2bua: B2buaHelper
  /** Each is made when the turn ends: `proxyTo` may add to one. */
  readonly #ops: (() => Op)[] = []
  /** Names that a SipSession's `handler` may have. */
  readonly #servlets: readonly string[]
  readonly #requests = new Map<string, Request>()
  #nextSession: number
  #nextTimer: number
  /** Why nothing can be changed any more; null = it can. */
  #over: string | null = null

  constructor(call: AppCall, servlets: readonly string[], ports: SessionPorts = noPorts) {
    this.call = call
    this.#servlets = servlets
    this.#nextSession = call.view.nextSession
    this.#nextTimer = call.view.nextTimer
    this.applicationSession = new ApplicationSession(this, call.view)
    this.b2bua = b2buaHelper(this)
    this.context = {
      applicationName: call.application,
      version: call.version,
      now: this.now,
      factory: sipFactory(this),
      timers: timerService(this),
      sessions: sessionsUtil(this, ports, (other) => new HandlerTurn(other, servlets)),
    }
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.call.now / 1_000
  }

  /** Throws once the turn is over. */
  checkOpen(): void {
    if (this.#over !== null) illegal(this.#over)
  }

  /** Nothing can be changed from now on, and that is why. */
  close(reason: string): void {
    this.#over = reason
  }

  record(op: Op | (() => Op)): void {
    this.checkOpen()
    if (this.#ops.length === appLimits.operations) {
      illegal(
        `a handler may do at most ${appLimits.operations} things in one turn: do the rest in timeout() of a timer`,
      )
    }
    this.#ops.push(typeof op === 'function' ? op : () => op)
  }

  checkServlet(name: string): void {
    if (this.#servlets.includes(name)) return
    const near = nearest(name, this.#servlets)
    const hint = near === null || near === '' ? 'defineApplication({ servlets }) names them' : `did you mean "${near}"?`
    throw new TypeError(`the application has no servlet "${name}": ${hint}`)
  }

  newSessionId(): string {
    return String(this.#nextSession++)
  }

  newTimerId(): string {
    return `t${this.#nextTimer++}`
  }

  /** A message of ours; the turn's objects make each other by way of the turn. */
  request(draft: Draft): Request {
    return new Request(this, draft)
  }

  response(request: Request, status: number, reason: string | undefined): Response {
    return Response.to(this, request, status, reason)
  }

  /** The request that a SipSession has waiting. */
  pending(session: Session, { id, direction, text, linked = '' }: PendingRequest): Request {
    return this.#known(id, () => {
      const message = parsed(text)
      const isIncoming = direction === 'in'
      return new Request(this, {
        ...{ kind: 'received', session, id, message, isIncoming, linked },
        isInitial: toTag(message) === null,
      })
    })
  }

  /** What the call is about. */
  incomingRequest(): Request {
    const { session, request, text, isInitial, isOwn = false } = this.#message()
    const of = this.#session(session)
    const from = { kind: 'received', session: of, id: request, isIncoming: !isOwn, isInitial, linked: '' } as const
    const make = (): Request => new Request(this, { ...from, message: parsed(text) })
    if (request === '') return make()
    // What an ACK or a CANCEL names is the INVITE that it is for.
    const made = make()
    return made.method === 'ACK' || made.method === 'CANCEL' ? made : this.#known(request, () => made)
  }

  incomingResponse(): Response {
    const { session, request, text, isInitial, linked = '' } = this.#message()
    const of = this.#session(session)
    const message = parsed(text)
    const { method } = cseq(message)
    const waiting = of.pendingRequests.find(({ id }) => id === request && id !== '')
    const answered =
      waiting ??
      this.#known(
        request,
        () =>
          new Request(this, {
            kind: 'gone',
            session: of,
            id: request,
            method,
            linked,
            mayGoOn: of.isProxied && isInitial,
          }),
      )
    const response = Response.received(this, answered, message)
    if (response.status >= 200) of.answered.add(request)
    return response
  }

  /** Of the INVITE that is being proxied. */
  proxyOf(session: Session): ProxyPlanner {
    const draft = { kind: 'gone', id: '', method: 'INVITE', linked: '', mayGoOn: false } as const
    return new Request(this, { ...draft, session }).getProxy()
  }

  subjectTimer(): ReturnType<ApplicationSession['firedTimer']> {
    return this.applicationSession.firedTimer(this.call.subject)
  }

  /** The SipSession that the call names, by a message or as its subject; null = it is about the application session. */
  subjectSession(): Session | null {
    const { message, subject } = this.call
    return this.applicationSession.find(message?.session ?? subject)
  }

  /** What the handler did, in an order in which every operation finds what it names. */
  finish(): readonly Op[] {
    this.close(OVER)
    return inOrder(
      this.#ops.map((make) => make()),
      this.call.view.nextSession,
    )
  }

  #message(): NonNullable<AppCall['message']> {
    return must(this.call.message, 'a call for this handler has a message')
  }

  #session(id: string): Session {
    return must(this.applicationSession.find(id), 'a message is of a SipSession of the view')
  }

  /** The same object for the same request, whoever asks for it. */
  #known(id: string, make: () => Request): Request {
    const known = this.#requests.get(id)
    if (known !== undefined) return known
    const request = make()
    this.#requests.set(id, request)
    return request
  }
}

function parsed(text: string): SipMessage {
  const message = parseMessage(text)
  return must(message.ok ? message.value : null, 'a message that the owner has read can be read')
}

/** What names a leg that isn't made yet waits until it is; what names one that never is, is left out with it: a request that
 * was never sent has done nothing. `fresh`: SipSessions from that number on are this turn's. */
function inOrder(ops: readonly Op[], fresh: number): readonly Op[] {
  const made = new Set<string>()
  const isThere = (id: string): boolean => made.has(id) || !(Number(id) >= fresh)
  const ordered: Op[] = []
  let waiting: Op[] = []
  for (const op of ops) {
    if (op.kind !== 'create-session' && !namedIn(op).every(isThere)) {
      waiting.push(op)
      continue
    }
    ordered.push(op)
    if (op.kind !== 'create-session') continue
    made.add(op.id)
    ordered.push(...waiting.filter((other) => namedIn(other).every(isThere)))
    waiting = waiting.filter((other) => !namedIn(other).every(isThere))
  }
  return ordered
}

/** The SipSessions that an operation names. */
function namedIn(op: Op): readonly string[] {
  switch (op.kind) {
    case 'link':
      return [op.a, op.b]
    case 'set-attribute':
    case 'remove-attribute':
    case 'expect-version':
    case 'invalidate':
    case 'set-invalidate-when-ready':
      return op.of === '' ? [] : [op.of]
    case 'request':
    case 'ack':
    case 'cancel':
    case 'unlink':
    case 'end-call':
    case 'cancel-proxy':
    case 'set-handler':
      return [op.session]
    default:
      return []
  }
}
