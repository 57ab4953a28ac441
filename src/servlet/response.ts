// SipServletResponse (JSR 289 5.3).

import type { Op } from '../app/contract.ts'
import { callId, cseq, from, to } from '../sip/message.ts'
import type { SipMessage, SipResponse } from '../sip/message.ts'
import { nameAddrText } from '../sip/name-addr.ts'
import { reasonPhrase } from '../sip/build.ts'
import { partyOf } from './address.ts'
import type { Address, SipServletResponse } from './api.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { illegal } from './illegal-state.ts'
import { Message } from './message.ts'
import type { Request } from './request.ts'
import { fromWire, toWire } from './utf8.ts'

export class Response extends Message implements SipServletResponse {
  readonly kind = 'response'
  readonly request: Request
  readonly status: number
  readonly reasonPhrase: string
  readonly #received: SipMessage | null

  private constructor(
    turn: HandlerTurn,
    request: Request,
    received: SipResponse | null,
    status: number,
    reason: string,
  ) {
    super(turn, request.session, received)
    this.#received = received
    this.request = request
    this.status = status
    this.reasonPhrase = reason
  }

  /** One that the application makes. */
  static to(turn: HandlerTurn, request: Request, status: number, reason: string | undefined): Response {
    if (reason !== undefined && (reason.includes('\r') || reason.includes('\n'))) {
      throw new TypeError('a reason phrase is a text of one line')
    }
    return new Response(turn, request, null, status, reason ?? reasonPhrase(status))
  }

  /** One that came in. */
  static received(turn: HandlerTurn, request: Request, message: SipMessage): Response {
    const response = message as SipResponse
    return new Response(turn, request, response, response.status, fromWire(response.reason))
  }

  get method(): string {
    return this.#received === null ? this.request.method : cseq(this.#received).method
  }

  get callId(): string {
    return this.#received === null ? this.request.callId : callId(this.#received)
  }

  get from(): Address {
    return this.#received === null ? this.request.from : partyOf(nameAddrText(from(this.#received)))
  }

  get to(): Address {
    return this.#received === null ? this.request.to : partyOf(nameAddrText(to(this.#received)))
  }

  get isCommitted(): boolean {
    return this.#received !== null || this.isSent
  }

  createAck(): Request {
    this.turn.checkOpen()
    if (this.#received === null) illegal('an ACK is made of a response that came in')
    if (this.method !== 'INVITE' || this.status < 200 || this.status > 299) {
      illegal(
        `only a 2xx for an INVITE is acknowledged here, not ${this.status} for ${this.method}: the set does the rest`,
      )
    }
    return this.session.createAck()
  }

  createPrack(): Request {
    this.turn.checkOpen()
    const rseq = this.#received === null ? null : this.getHeader('RSeq')
    const isReliable = /(^|,)\s*100rel\s*(,|$)/i.test(this.getHeaders('Require').join(','))
    if (this.#received === null || rseq === null || !isReliable || this.status < 101 || this.status > 199)
      illegal('a PRACK is made of a provisional response that came with Require: 100rel and RSeq (RFC 3262)')
    const { number } = cseq(this.#received)
    return this.session.prackFor(`${rseq} ${number} ${this.method}`)
  }

  send(): void {
    this.commit()
    this.request.respond(this.status, this.response)
  }

  sendReliably(): void {
    const { request } = this
    const options = [...request.getHeaders('Supported'), ...request.getHeaders('Require')].join(',').toLowerCase()
    if (request.method !== 'INVITE' || this.status < 101 || this.status > 199)
      illegal('only a provisional response to an INVITE, 101 to 199, is sent reliably (RFC 3262)')
    if (!options.split(',').some((option) => option.trim() === '100rel'))
      illegal(
        'the caller supports no 100rel: send() it; getHeaders("Supported") says who does (JSR 289: Rel100Exception)',
      )
    this.commit()
    request.respond(this.status, { ...this.response, reliable: true })
  }

  /** As the owner sends it. */
  get response(): Extract<Op, { kind: 'respond' }>['response'] {
    return { ...this.parts, status: this.status, reason: toWire(this.reasonPhrase) }
  }

  /** Where to try instead (RFC 3261 8.1.3.4). */
  protected override allows(long: string): boolean {
    return long === 'contact' && ((this.status >= 300 && this.status <= 399) || this.status === 485)
  }
}
