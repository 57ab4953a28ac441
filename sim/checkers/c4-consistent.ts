// C4: no final answer of one branch contradicts an earlier one; CSeq rises in each direction; no branch value is used for
// two different requests.

import { branchOf, cseqOf, isOwn, tagOf } from '../phones/message.ts'
import type { Message, RequestMessage, ResponseMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import { talk } from '../ladder.ts'
import type { Checker, Report } from './checker.ts'
import type { Ledger } from './ledger.ts'
import { nameMessage } from './sip-relay.ts'

/** What is relayed without a commit. */
const relayed: readonly string[] = [...talk, 'PRACK']

export class Consistent implements Checker {
  readonly #ledger: Ledger
  readonly #report: Report
  readonly #finals = new Map<string, string>()
  readonly #branches = new Map<string, string>()
  readonly #highest = new Map<string, number>()

  constructor(ledger: Ledger, report: Report) {
    this.#ledger = ledger
    this.#report = report
  }

  received(phone: Phone, message: Message): void {
    if (message.kind === 'request') this.#request(phone, message)
    else if (message.status >= 200) this.#final(phone, message)
  }

  #final(phone: Phone, message: ResponseMessage): void {
    const { method } = cseqOf(message)
    // Each fork's 2xx is another answer (13.2.2.4).
    const isForked = phone.options.flow.fork !== null && method === 'INVITE' && message.status < 300
    const key = `${phone.options.call} ${phone.party} ${branchOf(message)} ${method}`
    const final = isForked ? '2xx' : `${message.status} of ${tagOf(message, 'to')}`
    const before = this.#finals.get(key)
    if (before === undefined) this.#finals.set(key, final)
    else if (before !== final && !this.#isTalk(phone, message)) {
      this.#report('C4', `${phone}: ${nameMessage(message)} (${final}) contradicts the earlier ${before}`, phone)
    }
  }

  /** An INFO and the like lives and dies with its owner (design.md 4). Come again, by way of the next one, it may find a phone
   * that has forgotten it (timer J is zero on a stream) and says something else: that is the phone's word, not ours. */
  #isTalk(phone: Phone, message: ResponseMessage): boolean {
    const { method } = cseqOf(message)
    return relayed.includes(method) && this.#ledger.response(phone, message) !== undefined
  }

  #request(phone: Phone, message: RequestMessage): void {
    const { call } = phone.options
    const side = phone.party
    const { number } = cseqOf(message)
    const branch = branchOf(message)
    const hop = message.method === 'CANCEL' || message.method === 'ACK'
    const known = this.#branches.get(branch)
    const identity = `${call} ${side} ${number}`
    const request = `${identity} ${message.method}`
    if (known === undefined) this.#branches.set(branch, request)
    else if (known !== request && !(hop && known === `${identity} INVITE`)) {
      this.#report(
        'C4',
        `${phone}: branch ${branch} of ${nameMessage(message)} was used for another request: ${known}`,
        phone,
      )
    }
    // What the set says by itself has rules of its own (own-requests.ts).
    if (hop || known !== undefined || isOwn(message)) return
    const highest = this.#highest.get(`${call} ${side}`) ?? 0
    // Two of those may be under way at once, and datagrams overtake one another.
    const isTalk = relayed.includes(message.method)
    if (number <= highest && !isTalk) this.#report('C4', `${phone}: CSeq fell from ${highest} to ${number}`, phone)
    this.#highest.set(`${call} ${side}`, Math.max(highest, number))
  }
}
