// SipServletRequest (JSR 289 5.2).

import type { InitialRequest, ProxyPlan, Region, RoutingDirective } from '../app/contract.ts'
import { namedDialog } from '../sip/dialog-name.ts'
import { callId, from, maxForwards, to } from '../sip/message.ts'
import type { SipMessage, SipRequest } from '../sip/message.ts'
import { nameAddrText } from '../sip/name-addr.ts'
import { partyOf, partyText, uriOf } from './address.ts'
import type { Address, B2buaHelper, SipServletRequest, URI } from './api.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { illegal } from './illegal-state.ts'
import { Message } from './message.ts'
import { ProxyPlanner } from './proxy.ts'
import type { Response } from './response.ts'
import type { Session } from './session.ts'
import { toWire } from './utf8.ts'

export type Draft =
  | {
      readonly kind: 'received'
      readonly session: Session
      /** '' = it can't be answered. */
      readonly id: string
      readonly message: SipMessage
      readonly isIncoming: boolean
      readonly isInitial: boolean
      readonly linked: string
    }
  /** It was answered long ago; only its method is known, from what answers it. */
  | {
      readonly kind: 'gone'
      /** It is proxied, and more targets may be named. */
      readonly mayGoOn: boolean
      readonly session: Session
      readonly id: string
      readonly method: string
      readonly linked: string
    }
  | {
      readonly kind: 'initial' | 'dialog' | 'ack' | 'cancel'
      readonly session: Session
      readonly method: string
      readonly from: Address
      readonly to: Address
      /** Of a copy (B2buaHelper): the request that it is sent for. */
      readonly linked?: Request
    }

const DIRECTIVES: readonly RoutingDirective[] = ['NEW', 'CONTINUE', 'REVERSE']

type Answer = { readonly kind: 'none' | 'proxied' } | { readonly kind: 'answered'; readonly status: number }

export class Request extends Message implements SipServletRequest {
  readonly kind = 'request'
  readonly #draft: Draft
  #requestUri: URI | null = null
  #routes: readonly URI[] = []
  #directive: RoutingDirective | null = null
  #proxy: ProxyPlanner | null = null
  #answer: Answer = { kind: 'none' }

  constructor(turn: HandlerTurn, draft: Draft) {
    super(turn, draft.session, draft.kind === 'received' ? draft.message : null)
    this.#draft = draft
  }

  /** As the owner knows it; '' = it waits for no answer. */
  get id(): string {
    return 'id' in this.#draft ? this.#draft.id : ''
  }

  /** Id of the request of another leg that it was sent for; '' = none. */
  get linked(): string {
    const { linked } = this.#draft as { readonly linked?: Request | string }
    return typeof linked === 'string' ? linked : (linked?.id ?? '')
  }

  get method(): string {
    return this.#draft.kind === 'received' ? this.#text.method : this.#draft.method
  }

  get callId(): string {
    return this.#draft.kind === 'received' ? callId(this.#draft.message) : this.session.callId
  }

  get from(): Address {
    return this.#draft.kind === 'received' ? addressed(from(this.#draft.message)) : this.#parties[0]
  }

  get to(): Address {
    return this.#draft.kind === 'received' ? addressed(to(this.#draft.message)) : this.#parties[1]
  }

  get requestURI(): URI {
    if (this.#draft.kind === 'received') return partyOf(this.#text.requestUri).uri
    return this.#requestUri ?? this.to.uri
  }

  setRequestURI(uri: URI | string): void {
    this.#checkInitial('setRequestURI')
    this.#requestUri = uriOf(uri)
  }

  get isInitial(): boolean {
    return this.#draft.kind === 'initial' || (this.#draft.kind === 'received' && this.#draft.isInitial)
  }

  get isIncoming(): boolean {
    return this.#draft.kind === 'received' && this.#draft.isIncoming
  }

  get region(): Region | null {
    return this.session.region
  }

  get subscriberURI(): URI | null {
    return this.session.subscriberURI
  }

  setRoutingDirective(directive: RoutingDirective, original?: SipServletRequest): void {
    this.#checkInitial('setRoutingDirective')
    if (!DIRECTIVES.includes(directive)) throw new TypeError(`"${String(directive)}" is not NEW, CONTINUE or REVERSE`)
    if (directive !== 'NEW' && this.linked === '' && original?.isInitial !== true)
      illegal(`${directive} goes on with the chain of an initial request that came: name it, or copy it by B2buaHelper`)
    this.#directive = directive
  }

  get isCommitted(): boolean {
    if (this.#draft.kind !== 'received') return this.#draft.kind === 'gone' || this.isSent
    return !this.#draft.isIncoming || this.#answer.kind !== 'none'
  }

  get maxForwards(): number | null {
    return this.#draft.kind === 'received' ? maxForwards(this.#draft.message) : null
  }

  getCorrespondingSipSession(header: 'Replaces' | 'Join'): Session | null {
    const dialog = this.#draft.kind === 'received' ? namedDialog(this.#draft.message, header) : null
    if (dialog === null) return null
    return this.session.applicationSession.sessions.find((session) => session.hasDialog(dialog)) ?? null
  }

  createResponse(status: number, reasonPhrase?: string): Response {
    this.turn.checkOpen()
    if (!Number.isInteger(status) || status < 100 || status > 699) {
      throw new TypeError(`${status} is no status: a whole number from 100 to 699`)
    }
    this.checkAnswerable(status)
    return this.turn.response(this, status, reasonPhrase)
  }

  /** What is proxied leaves with these headers. */
  get changes(): Pick<ProxyPlan, 'headers' | 'routes'> {
    const headers = this.changedHeaders
    const routes = this.#draft.kind === 'received' ? this.#routes.map((uri) => toWire(String(uri))) : []
    return { ...(headers.length === 0 ? {} : { headers }), ...(routes.length === 0 ? {} : { routes }) }
  }

  /** More targets are named in the place of its failure. */
  get mayGoOn(): boolean {
    return this.#draft.kind === 'gone' && this.#draft.mayGoOn
  }

  getProxy(): ProxyPlanner {
    this.#proxy ??= new ProxyPlanner(this.turn, this)
    return this.#proxy
  }

  getB2buaHelper(): B2buaHelper {
    return this.turn.b2bua
  }

  createCancel(): Request {
    this.turn.checkOpen()
    if (this.isIncoming) illegal('a request that came in is refused by createResponse(603), not cancelled')
    if (this.method !== 'INVITE') illegal(`only an INVITE can be cancelled, not ${this.method} (RFC 3261 9.1)`)
    const isOpen = this.session.pendingRequests.includes(this) || (this.isSent && this.#draft.kind !== 'gone')
    if (!isOpen) illegal('this INVITE has its final response, or was not sent: end a call that is up by endCall()')
    return this.turn.request({ kind: 'cancel', session: this.session, method: 'CANCEL', from: this.from, to: this.to })
  }

  pushRoute(uri: URI | string): void {
    if (this.mayChange) this.turn.checkOpen()
    else this.#checkInitial('pushRoute')
    this.#routes = [uriOf(uri), ...this.#routes]
  }

  send(): void {
    this.commit()
    const { session } = this
    switch (this.#draft.kind) {
      case 'initial':
        this.turn.record({ kind: 'create-session', id: session.id, first: { ...this.#first, ...this.#linkedTo } })
        return
      case 'dialog':
        this.turn.record({
          kind: 'request',
          session: session.id,
          method: this.method,
          parts: this.parts,
          ...this.#linkedTo,
        })
        if (this.method === 'BYE') session.enter('TERMINATED')
        return
      case 'ack':
        this.turn.record({ kind: 'ack', session: session.id, parts: this.parts })
        return
      case 'cancel':
        this.turn.record({ kind: 'cancel', session: session.id })
        return
      default:
        illegal('this request was sent already')
    }
  }

  /** Throws unless that status can still be its answer. */
  checkAnswerable(status: number): void {
    this.session.check()
    if (!this.isIncoming) illegal('a request of your own is answered by the other end')
    if (this.method === 'ACK') illegal('an ACK is not answered (RFC 3261 17): there is nothing to do')
    if (this.method === 'CANCEL') {
      illegal('a CANCEL is answered by the set, and the INVITE by 487: doCancel only has to forget what the call began')
    }
    if (this.#answer.kind === 'proxied') {
      illegal(
        'this request is proxied: its answer comes from there; getProxy() and createResponse() exclude each other',
      )
    }
    if (this.#answer.kind === 'answered') {
      illegal(`this request was answered with ${this.#answer.status}, which is final: a request has one final response`)
    }
    if (this.id === '') illegal(`this ${this.method} waits for no answer of the application's: ${status} can't be sent`)
  }

  /** A response of the application's leaves. */
  respond(status: number, response: Response['response']): void {
    this.checkAnswerable(status)
    this.turn.record({ kind: 'respond', request: this.id, response })
    if (status >= 200) {
      this.#answer = { kind: 'answered', status }
      this.session.answered.add(this.id)
    }
    if (this.method === 'INVITE') this.#enterBy(status)
    if (this.method === 'BYE' && status >= 200) this.session.enter('TERMINATED')
  }

  /** `proxyTo` begins. */
  beProxied(): void {
    this.session.check()
    if (this.mayGoOn) return
    if (this.#draft.kind === 'gone') {
      illegal(
        'the answer is on its way to the caller: more targets are named in doErrorResponse or doRedirectResponse of a call that is proxied, unless the caller has given up or the set itself could not go on',
      )
    }
    if (this.#answer.kind === 'answered') {
      illegal(`this request was answered with ${this.#answer.status}: it can't be proxied any more; do either`)
    }
    if (!this.isIncoming || !this.isInitial) {
      illegal(
        `only an initial request that came in can be proxied, not this ${this.method}: requests in a dialog follow the way of the first one by themselves`,
      )
    }
    this.#answer = { kind: 'proxied' }
  }

  /** Session.prackFor has it. */
  protected override allows(long: string): boolean {
    return long === 'rack' && this.method === 'PRACK'
  }

  protected override get mayChange(): boolean {
    return this.#draft.kind === 'received' && this.isIncoming && this.isInitial && this.#answer.kind === 'none'
  }

  protected override ownHeader(long: string): string | null {
    if (this.#draft.kind === 'received') return null
    if (long === 'from') return partyText(this.from)
    return long === 'to' ? partyText(this.to) : null
  }

  /** JSR 289 6.2.1: what a final response of a UAS makes of a session that is not up yet. */
  #enterBy(status: number): void {
    const { session } = this
    if (!this.isInitial || status === 100) return
    session.enter(status < 200 ? 'EARLY' : status < 300 ? 'CONFIRMED' : 'TERMINATED')
  }

  get #linkedTo(): { readonly linked?: string } {
    return this.linked === '' ? {} : { linked: this.linked }
  }

  get #text(): SipRequest {
    const { message } = this.#draft as Extract<Draft, { kind: 'received' }>
    return message as SipRequest
  }

  get #parties(): readonly [from: Address, to: Address] {
    if ('from' in this.#draft) return [this.#draft.from, this.#draft.to]
    return [this.session.localParty, this.session.remoteParty]
  }

  get #first(): InitialRequest {
    return {
      method: this.method,
      from: partyText(this.from),
      to: partyText(this.to),
      requestUri: toWire(String(this.requestURI)),
      routes: this.#routes.map((uri) => nameAddrText({ display: '', uri: toWire(String(uri)) })),
      callId: '',
      ...(this.#directive === null ? {} : { directive: this.#directive }),
      ...this.parts,
    }
  }

  #checkInitial(what: string): void {
    this.turn.checkOpen()
    if (this.#draft.kind !== 'initial') {
      illegal(`${what} is for an initial request that you make: requests in a dialog go where the dialog goes`)
    }
    if (this.isSent) illegal(`this request was sent already: call ${what} before send()`)
  }
}

function addressed(party: { readonly display: string; readonly uri: string }): Address {
  return partyOf(nameAddrText(party))
}
