// A call that takes the place of another one (RFC 3891) finds it, whoever dies (C2): the caller of the one before hears a BYE soon after the
// other one was answered, and not only once its session expires.

import { cseqOf, valueOf } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Checker, Report } from './checker.ts'

/** A death, an election, and what the phones' own repetitions need. */
const soon = 30_000_000

export class Handovers implements Checker {
  readonly #report: Report
  readonly #now: () => number
  readonly #outage: (from: number, until: number) => number
  readonly #replacing = new Set<Phone>()
  /** By the call that is to be replaced: when who replaces it was answered. */
  readonly #answered = new Map<number, number>()
  /** By call. */
  readonly #ended = new Map<number, number>()

  constructor(report: Report, now: () => number, outage: (from: number, until: number) => number) {
    this.#report = report
    this.#now = now
    this.#outage = outage
  }

  sent(phone: Phone, message: Message): void {
    if (message.kind !== 'request') return
    if (message.method === 'BYE') this.#end(phone)
    if (valueOf(message, 'replaces') !== null) this.#replacing.add(phone)
  }

  received(phone: Phone, message: Message): void {
    if (phone.side !== 'caller') return
    const { call, flow } = phone.options
    if (message.kind === 'request') {
      if (message.method === 'BYE') this.#end(phone)
    } else if (flow.name === 'replaces' && message.status === 200 && cseqOf(message).method === 'INVITE') {
      if (this.#replacing.has(phone) && !this.#answered.has(call - 1)) this.#answered.set(call - 1, this.#now())
    }
  }

  #end({ options: { call } }: Phone): void {
    if (!this.#ended.has(call)) this.#ended.set(call, this.#now())
  }

  quiet(): void {
    for (const [call, at] of this.#answered) {
      const ended = this.#ended.get(call) ?? this.#now()
      if (ended - at > soon && this.#outage(at, ended) === 0)
        this.#report(
          'C2',
          `call ${call} was replaced, and was ended only ${Math.round((ended - at) / 1_000_000)} s later`,
        )
    }
  }
}
