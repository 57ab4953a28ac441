// C1: an answered call is never dropped by us: until a phone hangs up, every in-dialog request is served.

import { cseqOf, tagOf } from '../phones/message.ts'
import type { Message, RequestMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Checker, Report } from './checker.ts'
import type { Ledger } from './ledger.ts'
import { nameMessage } from './sip-relay.ts'

export class Established implements Checker {
  readonly #ledger: Ledger
  readonly #report: Report

  constructor(ledger: Ledger, report: Report) {
    this.#ledger = ledger
    this.#report = report
  }

  received(phone: Phone, message: Message): void {
    if (message.kind !== 'response' || message.status < 200 || cseqOf(message).method === 'CANCEL') return
    const request = this.#ledger.own(phone, message)
    if (request === undefined || tagOf(request, 'to') === null) return
    if (this.#ledger.response(phone, message) !== undefined) return
    // Nobody waits for the connection of a phone that has hung up by itself (call/unsent.ts).
    const isBye = message.status === 480 && request.method === 'BYE'
    const far = isBye ? this.#ledger.farHungUp(phone, message) : undefined
    if (far !== undefined && isOnStream(far)) return
    this.#report(
      'C1',
      `${phone}: ${nameMessage(message)} in the dialog came from the set, not from the far phone`,
      phone,
    )
  }

  timedOut(phone: Phone, request: RequestMessage): void {
    if (tagOf(request, 'to') === null) return
    this.#report('C1', `${phone}: ${nameMessage(request)} in the dialog got no answer in 32 s`, phone)
  }

  unacknowledged(phone: Phone, request: RequestMessage, status: number): void {
    if (status >= 300) return
    this.#report('C1', `${phone}: the ${status} to ${nameMessage(request)} got no ACK in 32 s`, phone)
  }
}

/** Only a connection can be gone. */
function isOnStream({ options }: Phone): boolean {
  return (options.line?.options.edge.transport ?? options.transport) !== 'udp'
}
