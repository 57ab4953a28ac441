// The promises where the set is an end of its calls (src/app/legs.ts), each leg by itself: the other phone is no source of what it says.
// C1: a request in a dialog is answered, and a 2xx acknowledged. C2: what rings comes to an end that both sides know. C3: each request of
// the set comes under one branch. C4: its CSeq numbers rise, and its tag in a call stays the same whoever answers. C6 is SameBytes'.

import { branchOf, cseqOf, tagOf } from '../phones/message.ts'
import type { Message, RequestMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Machine } from '../machine.ts'
import type { Checker, Report } from './checker.ts'
import { nameMessage } from './sip-relay.ts'

export class Ends implements Checker {
  readonly #report: Report
  /** By phone and CSeq: the branch of a request. */
  readonly #branches = new Map<string, string>()
  readonly #highest = new Map<Phone, number>()
  /** The set's tag, as the phone's requests were answered with. */
  readonly #tags = new Map<string, string>()

  /** The set is a proxy as well, in a chain of applications: that answers a CANCEL by itself (RFC 3261 16.10). */
  readonly #isBehindProxy: boolean

  /** They are a user's applications: which phones they connect, and under whose tags and numbers, is theirs to say. */
  readonly #isAnybodys: boolean

  constructor(report: Report, isBehindProxy: boolean, isAnybodys = false) {
    this.#report = report
    this.#isAnybodys = isAnybodys
    this.#isBehindProxy = isBehindProxy
  }

  received(phone: Phone, message: Message): void {
    if (message.kind === 'request') this.#request(phone, message)
    else if (message.status > 100 && !(this.#isBehindProxy && cseqOf(message).method === 'CANCEL'))
      this.#tag(phone, message)
    if (message.kind !== 'response' || message.status < 200 || tagOf(message, 'to') === null) return
    const { method } = cseqOf(message)
    if (method === 'CANCEL' && message.status !== 200 && phone.firstFinal === null)
      this.#report('C2', `${phone}: its CANCEL got ${message.status}`, phone)
  }

  #request(phone: Phone, message: RequestMessage): void {
    if (message.method === 'ACK' || message.method === 'CANCEL') return
    const { number } = cseqOf(message)
    const key = `${phone.options.call} ${phone.party} ${number}`
    const branch = `${branchOf(message)} ${message.method}`
    const before = this.#branches.get(key)
    if (before !== undefined && before !== branch)
      this.#report('C3', `${phone}: CSeq ${number} is ${branch}, and was ${before}`, phone)
    const highest = this.#highest.get(phone) ?? 0
    if (before === undefined && number <= highest && this.#isInOrder(message))
      this.#report('C4', `${phone}: CSeq fell from ${highest} to ${number}`, phone)
    this.#branches.set(key, branch)
    this.#highest.set(phone, Math.max(highest, number))
  }

  /** What nothing that is said overtakes. A BYE of the set's own has a number far above, and meets one of a phone's. */
  #isInOrder({ method }: RequestMessage): boolean {
    return this.#isAnybodys ? method === 'INVITE' : method !== 'INFO'
  }

  #tag(phone: Phone, message: Message): void {
    const tag = tagOf(message, 'to')
    const ours = `${phone.options.call} ${phone.party} ${tagOf(message, 'from')}`
    const before = this.#tags.get(ours)
    if (tag !== null && before !== undefined && before !== tag && !this.#isAnybodys)
      this.#report('C4', `${phone}: ${nameMessage(message)} has the tag ${tag}, and before it was ${before}`, phone)
    if (tag !== null) this.#tags.set(ours, tag)
  }

  timedOut(phone: Phone, request: RequestMessage): void {
    const promise = tagOf(request, 'to') === null ? 'C2' : 'C1'
    this.#report(promise, `${phone}: ${nameMessage(request)} got no final answer in 32 s`, phone)
  }

  unacknowledged(phone: Phone, request: RequestMessage, status: number): void {
    const promise = status < 300 ? 'C1' : 'C2'
    this.#report(promise, `${phone}: the ${status} to ${nameMessage(request)} got no ACK in 32 s`, phone)
  }

  quiet(_machines: readonly Machine[], phones: readonly Phone[]): void {
    for (const caller of phones) {
      if (caller.side !== 'caller') continue
      const { call, flow } = caller.options
      if (caller.firstFinal === null) this.#report('C2', `${caller}: its call came to nothing`, caller)
      const callee = phones.find((one) => one.side === 'callee' && one.options.call === call)
      if (this.#isAnybodys || !flow.calleePresent || callee === undefined || caller.firstFinal === null) continue
      const isUp = (status: number | null): boolean => status !== null && status < 300
      // Cancelled, but the callee was faster: its leg is acknowledged and ended.
      const isLate = caller.firstFinal === 487 && isUp(callee.firstFinal)
      if (isUp(caller.firstFinal) !== isUp(callee.firstFinal) && !isLate)
        this.#report(
          'C2',
          `${caller}: the caller got ${caller.firstFinal}, the callee gave ${callee.firstFinal}`,
          caller,
        )
    }
  }
}
