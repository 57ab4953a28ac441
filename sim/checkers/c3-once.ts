// C3: nothing is decided twice: a phone gets each request under one branch only, and rings once a call.

import { branchOf, cseqOf, isOwn, topVia } from '../phones/message.ts'
import type { Message, RequestMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Checker, Report } from './checker.ts'
import { nameMessage } from './sip-relay.ts'

export class Once implements Checker {
  readonly #report: Report
  readonly #replays: boolean
  readonly #branches = new Map<string, string>()

  /** `replays`: the network gives datagrams again, seconds later. */
  constructor(report: Report, replays: boolean) {
    this.#report = report
    this.#replays = replays
  }

  received(phone: Phone, message: Message): void {
    if (message.kind !== 'request' || message.method === 'ACK' || isOwn(message)) return
    const key = `${phone.options.call} ${phone.party} ${message.method} ${cseqOf(message).number}`
    const branch = branchOf(message)
    const before = this.#branches.get(key)
    if (before === undefined) this.#branches.set(key, branch)
    else if (before !== branch) {
      this.#report('C3', `${phone}: ${nameMessage(message)} was forwarded twice, as ${before} and ${branch}`, phone)
    }
  }

  /** The same request rings again where nothing orders it with the ACK of its refusal, after which a callee forgets it at once on
   * a stream and in 5 s on UDP (timer I, RFC 3261 17.2.1): an INVITE that a takeover sent on a connection of its own
   * (docs/decisions/0013), and a datagram that the network gives again. */
  rangAgain(phone: Phone, invite: RequestMessage): void {
    const first = this.#branches.get(`${phone.options.call} ${phone.party} INVITE ${cseqOf(invite).number}`)
    const isUnordered = this.#replays || !topVia(invite).startsWith('SIP/2.0/UDP')
    if (isUnordered && first === branchOf(invite)) return
    this.#report('C3', `${phone} rang a second time for one call (branch ${branchOf(invite)})`, phone)
  }
}
