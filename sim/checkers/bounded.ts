// Resources are an oracle too (proof.md): whoever sends without an end has a bug, whether or not anybody suffers. An ACK for a
// 2xx is answered by nothing, so it goes once for each 2xx: taken for a transaction, it would be repeated for 32 s.

import { cseqOf, tagOf } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Checker, Report } from './checker.ts'
import { nameMessage } from './sip-relay.ts'

/** The network doubles a datagram on each of its two ways, and what is passed on may go twice. */
const copies = 4
const spare = 4

export class Bounded implements Checker {
  readonly #report: Report
  /** By call, side that called, and CSeq of the INVITE. */
  readonly #answers = new Map<string, number>()
  readonly #acks = new Map<string, number>()
  /** How often a phone says each thing, by call; 1 where it isn't here. */
  readonly #storms = new Map<number, number>()

  constructor(report: Report) {
    this.#report = report
  }

  sent({ options: { call, oddity } }: Phone): void {
    if (oddity?.kind === 'storm') this.#storms.set(call, oddity.times)
  }

  received(phone: Phone, message: Message): void {
    const { number, method } = cseqOf(message)
    const { call, side } = phone.options
    if (message.kind === 'response') {
      if (method === 'INVITE' && message.status >= 200 && message.status < 300)
        raise(this.#answers, `${call} ${side} ${number} ${tagOf(message, 'to')}`)
      return
    }
    if (method !== 'ACK' || tagOf(message, 'to') === null) return
    const key = `${call} ${side === 'caller' ? 'callee' : 'caller'} ${number} ${tagOf(message, 'to')}`
    const answers = this.#answers.get(key)
    if (answers === undefined) return
    const acks = raise(this.#acks, key)
    if (acks > (answers * copies + spare) * (this.#storms.get(call) ?? 1)) {
      this.#report('bounded', `${phone}: ${nameMessage(message)} came ${acks} times for ${answers} answers`, phone)
    }
  }
}

function raise(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1
  counts.set(key, count)
  return count
}
