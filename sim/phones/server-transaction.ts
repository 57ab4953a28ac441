// RFC 3261 17.2 at a phone: one request that arrived. INVITE with RFC 6026's Accepted state. On a stream G doesn't run, I and J
// are zero.
//
//   INVITE:      proceeding --2xx--> accepted (repeats absorbed) --L--> terminated
//                    '--3xx-6xx--> completed (G repeats it) --ACK--> confirmed --I--> terminated
//                                      '--H--> terminated: nobody acknowledged
//   non-INVITE:  trying --final--> completed (repeats answered) --J--> terminated

import type { Agenda, Appointment } from '../agenda.ts'
import { printMessage } from './message.ts'
import type { RequestMessage, ResponseMessage } from './message.ts'
import { t1, t2, t4, timeout } from './timers.ts'

export interface ServerHandlers {
  send(text: string): void
  /** Timer H: the final was never acknowledged. */
  unacknowledged(request: RequestMessage): void
}

export class ServerTransaction {
  readonly request: RequestMessage
  readonly #agenda: Agenda
  readonly #handlers: ServerHandlers
  readonly #invite: boolean
  readonly #isReliable: boolean
  #state: 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated' = 'proceeding'
  #last: string | null = null
  #resend: Appointment | null = null
  #limit: Appointment | null = null

  constructor(agenda: Agenda, request: RequestMessage, isReliable: boolean, handlers: ServerHandlers) {
    this.#agenda = agenda
    this.request = request
    this.#handlers = handlers
    this.#isReliable = isReliable
    this.#invite = request.method === 'INVITE'
  }

  /** No final answer yet. */
  get open(): boolean {
    return this.#state === 'proceeding'
  }

  /** No answer at all yet. */
  get silent(): boolean {
    return this.#last === null
  }

  get terminated(): boolean {
    return this.#state === 'terminated'
  }

  /** An INVITE was refused, and who sent it has not said that it knows. */
  get awaitsAck(): boolean {
    return this.#invite && this.#state === 'completed'
  }

  /** The same request again. */
  repeated(): void {
    const answers = this.#state === 'proceeding' || this.#state === 'completed'
    if (answers && this.#last !== null) this.#handlers.send(this.#last)
  }

  respond(response: ResponseMessage): void {
    if (!this.open) return
    this.#last = printMessage(response)
    this.#handlers.send(this.#last)
    if (response.status < 200) return
    if (!this.#invite) this.#enter('completed', this.#isReliable ? 0 : timeout)
    else if (response.status < 300) this.#enter('accepted', timeout)
    else {
      this.#state = 'completed'
      this.#resend = this.#isReliable ? null : this.#again(this.#last, t1)
      this.#limit = this.#agenda.after(timeout, () => {
        this.#terminate()
        this.#handlers.unacknowledged(this.request)
      })
    }
  }

  acknowledged(): void {
    if (this.#state !== 'completed' || !this.#invite) return
    this.#stopTimers()
    this.#enter('confirmed', this.#isReliable ? 0 : t4)
  }

  #again(text: string, interval: number): Appointment {
    return this.#agenda.after(interval, () => {
      this.#handlers.send(text)
      this.#resend = this.#again(text, Math.min(interval * 2, t2))
    })
  }

  #enter(state: 'accepted' | 'completed' | 'confirmed', lingers: number): void {
    this.#state = state
    this.#limit = this.#agenda.after(lingers, () => this.#terminate())
  }

  #terminate(): void {
    this.#stopTimers()
    this.#state = 'terminated'
  }

  #stopTimers(): void {
    this.#agenda.cancel(this.#resend)
    this.#agenda.cancel(this.#limit)
  }
}
