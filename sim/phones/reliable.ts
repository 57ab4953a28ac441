// RFC 3262 at a phone: 1xx that are repeated until their PRACK. One at a time, as section 3 has it.

import type { Agenda, Appointment } from '../agenda.ts'
import { cseqOf, valueOf } from './message.ts'
import type { RequestMessage, ResponseMessage } from './message.ts'
import { t1, timeout } from './timers.ts'

export class ReliableProvisionals {
  readonly #agenda: Agenda
  /** The callee's: the highest that was sent, and its repetitions. */
  #sent = 0
  #resend: Appointment | null = null
  #limit: Appointment | null = null
  /** The caller's: the highest that was acknowledged. */
  #acknowledged = 0

  constructor(agenda: Agenda) {
    this.#agenda = agenda
  }

  /** Section 3: a second one has to wait until the first has its PRACK, or nobody waits for that any more. */
  get isOpen(): boolean {
    return this.#resend !== null
  }

  /** For the next one. */
  nextRseq(): number {
    return ++this.#sent
  }

  /** Section 3: from T1 doubling, for 64*T1. */
  repeat(send: () => void): void {
    this.stop()
    const again = (interval: number): void => {
      this.#resend = this.#agenda.after(interval, () => {
        send()
        again(interval * 2)
      })
    }
    again(t1)
    this.#limit = this.#agenda.after(timeout, () => this.stop())
  }

  stop(): void {
    this.#agenda.cancel(this.#resend)
    this.#agenda.cancel(this.#limit)
    this.#resend = null
  }

  /** Whether the PRACK is for the 1xx that is being repeated: then it is no more. */
  pracked(prack: RequestMessage): boolean {
    if (Number(valueOf(prack, 'rack')?.split(' ')[0]) !== this.#sent) return false
    this.stop()
    return true
  }

  /** Section 4: the RAck of the PRACK that this answer wants; null if it wants none, or had its own. */
  rackFor(response: ResponseMessage): string | null {
    const rseq = Number(valueOf(response, 'rseq') ?? 0)
    if (response.status >= 200 || rseq <= this.#acknowledged) return null
    this.#acknowledged = rseq
    const { number, method } = cseqOf(response)
    return `${rseq} ${number} ${method}`
  }
}
