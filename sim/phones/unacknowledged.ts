// A phone's 2xx on their way to their ACK (RFC 3261 13.3.1.4): each goes again and again, from T1 doubling to T2, until that comes.

import type { Agenda, Appointment } from '../agenda.ts'
import { branchOf, cseqOf, printMessage } from './message.ts'
import type { RequestMessage, ResponseMessage } from './message.ts'
import { t1, t2, timeout } from './timers.ts'

interface Handlers {
  send(request: RequestMessage, text: string): void
  /** No ACK within 64*T1. */
  gaveUp(request: RequestMessage, response: ResponseMessage): void
}

interface Waiting {
  readonly request: RequestMessage
  readonly response: ResponseMessage
  resend: Appointment | null
  limit: Appointment | null
}

export class Unacknowledged {
  readonly #agenda: Agenda
  readonly #handlers: Handlers
  /** By the CSeq of the INVITE: a re-INVITE may come before the first one's ACK. */
  readonly #waiting = new Map<number, Waiting>()

  constructor(agenda: Agenda, handlers: Handlers) {
    this.#agenda = agenda
    this.#handlers = handlers
  }

  get size(): number {
    return this.#waiting.size
  }

  /** A 2xx has left. `isRepeated`: false at a phone that says it once. */
  add(request: RequestMessage, response: ResponseMessage, isRepeated: boolean): void {
    const waiting: Waiting = { request, response, resend: null, limit: null }
    const { number } = cseqOf(request)
    this.#waiting.set(number, waiting)
    if (isRepeated) this.#repeat(waiting, t1)
    waiting.limit = this.#agenda.after(timeout, () => {
      this.#agenda.cancel(waiting.resend)
      this.#waiting.delete(number)
      this.#handlers.gaveUp(request, response)
    })
  }

  acknowledged(ack: RequestMessage): void {
    const { number } = cseqOf(ack)
    const waiting = this.#waiting.get(number)
    // 17.1.1.3: the ACK of a failure has its INVITE's branch.
    if (waiting === undefined || branchOf(ack) === branchOf(waiting.request)) return
    this.#agenda.cancel(waiting.resend)
    this.#agenda.cancel(waiting.limit)
    this.#waiting.delete(number)
  }

  #repeat(waiting: Waiting, interval: number): void {
    waiting.resend = this.#agenda.after(interval, () => {
      this.#handlers.send(waiting.request, printMessage(waiting.response))
      this.#repeat(waiting, Math.min(interval * 2, t2))
    })
  }
}
