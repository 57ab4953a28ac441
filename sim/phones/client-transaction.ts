// RFC 3261 17.1 at a phone: one request on its way. INVITE with RFC 6026's Accepted state. On a stream A and E don't run, D
// and K are zero.
//
//   INVITE:      calling --1xx--> proceeding --2xx--> accepted --M--> terminated
//                   |'--3xx-6xx-------'---> completed (ACK, and again for each repeat) --D--> terminated
//                   '--B--> terminated: timed out
//   non-INVITE:  trying --1xx--> proceeding --final--> completed --K--> terminated;  F anywhere before: timed out

import type { Agenda, Appointment } from '../agenda.ts'
import { cseqOf, printMessage } from './message.ts'
import type { RequestMessage, ResponseMessage } from './message.ts'
import { t1, t2, t4, timeout } from './timers.ts'

export interface ClientHandlers {
  send(text: string): void
  /** Each response that isn't absorbed: 1xx, the first final, every 2xx of an INVITE. */
  response(response: ResponseMessage, request: RequestMessage): void
  timedOut(request: RequestMessage): void
  /** The ACK that acknowledges a non-2xx final (17.1.1.3). */
  acknowledge(response: ResponseMessage, request: RequestMessage): string
}

export class ClientTransaction {
  readonly request: RequestMessage
  readonly #agenda: Agenda
  readonly #handlers: ClientHandlers
  readonly #invite: boolean
  readonly #isReliable: boolean
  readonly #text: string
  #state: 'trying' | 'proceeding' | 'accepted' | 'completed' | 'terminated' = 'trying'
  #resend: Appointment | null
  #limit: Appointment | null
  #ack: string | null = null

  constructor(agenda: Agenda, request: RequestMessage, isReliable: boolean, handlers: ClientHandlers) {
    this.#agenda = agenda
    this.request = request
    this.#handlers = handlers
    this.#invite = cseqOf(request).method === 'INVITE'
    this.#text = printMessage(request)
    this.#handlers.send(this.#text)
    this.#isReliable = isReliable
    this.#resend = isReliable ? null : this.#again(t1)
    this.#limit = agenda.after(timeout, () => this.#giveUp())
  }

  get state(): string {
    return this.#state
  }

  /** It has no final answer, and may have one. */
  get isOpen(): boolean {
    return this.#state === 'trying' || this.#state === 'proceeding'
  }

  /** The connection that it went on is gone, and there is another one: what has no final answer goes again. */
  repeat(): void {
    if (this.isOpen) this.#handlers.send(this.#text)
  }

  receive(response: ResponseMessage): void {
    switch (this.#state) {
      case 'trying':
      case 'proceeding':
        if (response.status < 200) this.#enterProceeding()
        else this.#final(response)
        this.#handlers.response(response, this.request)
        break
      case 'accepted':
        // RFC 6026 7.2: every 2xx goes to the core, which acknowledges it again.
        this.#handlers.response(response, this.request)
        break
      case 'completed':
        if (this.#ack !== null && response.status >= 300) this.#handlers.send(this.#ack)
        break
      case 'terminated':
        break
    }
  }

  /** Timers A and E: doubling, E at most T2. */
  #again(interval: number): Appointment {
    return this.#agenda.after(interval, () => {
      this.#handlers.send(this.#text)
      const next = this.#invite ? interval * 2 : this.#state === 'proceeding' ? t2 : Math.min(interval * 2, t2)
      this.#resend = this.#again(next)
    })
  }

  #enterProceeding(): void {
    this.#state = 'proceeding'
    if (!this.#invite) return
    this.#stopTimers()
  }

  #final(response: ResponseMessage): void {
    this.#stopTimers()
    if (!this.#invite) this.#end('completed', this.#isReliable ? 0 : t4)
    else if (response.status < 300) this.#end('accepted', timeout)
    else {
      this.#ack = this.#handlers.acknowledge(response, this.request)
      this.#handlers.send(this.#ack)
      this.#end('completed', this.#isReliable ? 0 : timeout)
    }
  }

  #end(state: 'completed' | 'accepted', lingers: number): void {
    this.#state = state
    this.#limit = this.#agenda.after(lingers, () => {
      this.#state = 'terminated'
    })
  }

  #giveUp(): void {
    this.#stopTimers()
    this.#state = 'terminated'
    this.#handlers.timedOut(this.request)
  }

  #stopTimers(): void {
    this.#agenda.cancel(this.#resend)
    this.#agenda.cancel(this.#limit)
  }
}
