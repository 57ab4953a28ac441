// SipSession (JSR 289 6.2), as a handler's turn sees and changes it.

import type { Region, SipSessionView } from '../app/contract.ts'
import type { SipSessionState } from '../session/sip-session.ts'
import type { DialogName } from '../sip/dialog-name.ts'
import { isToken } from '../sip/scan.ts'
import { partyOf } from './address.ts'
import type { Address, SipSession, URI } from './api.ts'
import type { ApplicationSession } from './application-session.ts'
import { Attributed } from './attributed.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { illegal } from './illegal-state.ts'
import type { ProxyPlanner } from './proxy.ts'
import type { Request } from './request.ts'

/** Made by the set or by calls of their own (JSR 289 4.1.3, 11.2.2). */
const NOT_CREATED: readonly string[] = ['ACK', 'CANCEL', 'PRACK']

export class Session extends Attributed implements SipSession {
  readonly kind = 'sip'
  readonly applicationSession: ApplicationSession
  /** Begun in this turn. */
  readonly isNew: boolean
  /** Ids of the requests of the view's that have got a final answer in this turn. */
  readonly answered = new Set<string>()
  readonly #view: SipSessionView
  #state: SipSessionState
  #linked: string
  #handler: string
  #isValid: boolean

  constructor(turn: HandlerTurn, applicationSession: ApplicationSession, view: SipSessionView, isNew = false) {
    super(turn, view.id, view)
    this.#view = view
    this.applicationSession = applicationSession
    this.isNew = isNew
    this.#state = view.state
    this.#linked = view.linked
    this.#handler = view.handler
    this.#isValid = view.isValid
  }

  get id(): string {
    return this.#view.id
  }

  get state(): SipSessionState {
    this.check()
    return this.#state
  }

  get callId(): string {
    return this.#view.callId
  }

  /** Whether its dialog is that one, and not over. A call that is proxied has two ends. */
  hasDialog({ callId, toTag, fromTag }: DialogName): boolean {
    const { localTag, remoteTag } = this.#view
    if (callId !== this.callId || this.#state === 'TERMINATED' || this.#state === 'INITIAL') return false
    if (toTag === localTag && fromTag === remoteTag) return true
    return this.isProxied && toTag === remoteTag && fromTag === localTag
  }

  get localParty(): Address {
    return partyOf(this.#view.local)
  }

  get remoteParty(): Address {
    return partyOf(this.#view.remote)
  }

  get region(): Region | null {
    return this.turn.call.view.region ?? null
  }

  get subscriberURI(): URI | null {
    const { subscriber = '' } = this.turn.call.view
    return subscriber === '' ? null : partyOf(`<${subscriber}>`).uri
  }

  get isProxied(): boolean {
    return this.#view.role === 'proxy'
  }

  get isValid(): boolean {
    return this.#isValid && this.applicationSession.isValid
  }

  get isReadyToInvalidate(): boolean {
    if (!this.isValid) return false
    if (this.#state === 'TERMINATED') return true
    return this.#state === 'INITIAL' && !this.isNew && this.pendingRequests.length === 0
  }

  invalidate(): void {
    this.check()
    if (this.#state === 'EARLY' || this.#state === 'CONFIRMED' || this.pendingRequests.length > 0) {
      const why = this.#state === 'EARLY' || this.#state === 'CONFIRMED' ? `is ${this.#state}` : 'has open requests'
      illegal(
        `a SipSession that ${why} can't be invalidated: end it first (endCall(), a final response, createCancel()); with invalidateWhenReady = true it then goes by itself`,
      )
    }
    this.turn.record({ kind: 'invalidate', of: this.id })
    this.#isValid = false
  }

  createRequest(method: string): Request {
    return this.requestFor(method)
  }

  /** `linked`: of which it is a copy. */
  requestFor(method: string, linked?: Request): Request {
    this.check()
    if (!isToken(method)) throw new TypeError(`"${method}" is no method`)
    if (NOT_CREATED.includes(method)) {
      throw new TypeError(
        `createRequest makes no ${method}: an ACK is made by response.createAck(), a CANCEL by request.createCancel(), a PRACK by response.createPrack()`,
      )
    }
    if (this.isProxied) {
      illegal(
        'a call that is proxied has no end here that could send a request: endCall() ends it; a B2BUA can send more',
      )
    }
    const isEarly = this.#state === 'EARLY' && method !== 'INVITE' && method !== 'BYE'
    // JSR 289 6.2.1: it is INITIAL again once its first request was refused, which may be sent once more.
    const isAgain = this.#state === 'INITIAL' && this.#view.role === 'uac' && !this.isNew
    if (this.#state !== 'CONFIRMED' && !isEarly && !isAgain) illegal(wrongState(this.#state, method))
    const [from, to] = [this.localParty, this.remoteParty]
    return this.turn.request({
      ...{ kind: 'dialog', session: this, method, from, to },
      ...(linked === undefined ? {} : { linked }),
    })
  }

  /** `rack`: which provisional response it acknowledges (RFC 3262 7.2). */
  prackFor(rack: string): Request {
    this.check()
    if (this.isProxied) illegal('the PRACK of a call that is proxied comes from the caller')
    const [from, to] = [this.localParty, this.remoteParty]
    const prack = this.turn.request({ kind: 'dialog', session: this, method: 'PRACK', from, to })
    prack.setHeader('RAck', rack)
    return prack
  }

  createAck(): Request {
    this.check()
    if (this.isProxied) illegal('the ACK of a call that is proxied comes from the caller')
    if (this.#view.role !== 'uac' || this.isNew)
      illegal('an ACK is for a 2xx that came: this SipSession has placed no call')
    const [from, to] = [this.localParty, this.remoteParty]
    return this.turn.request({ kind: 'ack', session: this, method: 'ACK', from, to })
  }

  endCall(): void {
    this.check()
    if (!this.isProxied) return this.createRequest('BYE').send()
    if (this.#state !== 'CONFIRMED') {
      illegal(`a call that is ${this.#state} can't be ended by a BYE: answer it, or let the caller give up`)
    }
    this.turn.record({ kind: 'end-call', session: this.id })
    this.#state = 'TERMINATED'
  }

  getProxy(): ProxyPlanner | null {
    this.check()
    if (!this.isProxied || (this.#state !== 'INITIAL' && this.#state !== 'EARLY')) return null
    return this.turn.proxyOf(this)
  }

  get handler(): string {
    this.check()
    return this.#handler
  }

  set handler(name: string) {
    this.check()
    this.turn.checkServlet(name)
    this.turn.record({ kind: 'set-handler', session: this.id, handler: name })
    this.#handler = name
  }

  /** Id of the other leg; '' = none. */
  get linked(): string {
    return this.#linked
  }

  set linked(id: string) {
    this.#linked = id
  }

  /** What the application did makes this of it. */
  enter(state: SipSessionState): void {
    this.#state = state
  }

  /** Requests without a final answer, the oldest first. */
  get pendingRequests(): readonly Request[] {
    return this.#view.pending.filter(({ id }) => !this.answered.has(id)).map((one) => this.turn.pending(this, one))
  }

  /** Throws once it is invalidated. */
  check(): void {
    this.applicationSession.check()
    if (!this.#isValid) {
      illegal(
        'this SipSession is invalidated: nothing can be read or changed any more; applicationSession.sessions has those that are valid',
      )
    }
  }
}

function wrongState(state: SipSessionState, method: string): string {
  if (state === 'TERMINATED')
    return `a SipSession that is TERMINATED sends no ${method}: context.factory.createRequest begins a new one`
  const fix =
    method === 'BYE'
      ? 'an INVITE of your own is taken back by createCancel(), one that came in is refused by createResponse'
      : 'wait for doSuccessResponse or doAck'
  return `a SipSession that is ${state} has no dialog for ${/^[AEIOU]/.test(method) ? 'an' : 'a'} ${method} yet: ${fix}`
}
