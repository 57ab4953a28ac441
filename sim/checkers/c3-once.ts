// C3: nothing is decided twice: a phone gets each request under one branch only, and rings once a call.

import { branchOf, cseqOf } from '../phones/message.ts'
import type { Message, RequestMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Checker, Report } from './checker.ts'
import { nameMessage } from './sip-relay.ts'

export class Once implements Checker {
  readonly #report: Report
  readonly #branches = new Map<string, string>()

  constructor(report: Report) {
    this.#report = report
  }

  received(phone: Phone, message: Message): void {
    if (message.kind !== 'request' || message.method === 'ACK') return
    const { call, side } = phone.options
    const key = `${call} ${side} ${message.method} ${cseqOf(message).number}`
    const branch = branchOf(message)
    const before = this.#branches.get(key)
    if (before === undefined) this.#branches.set(key, branch)
    else if (before !== branch) {
      this.#report('C3', `${phone}: ${nameMessage(message)} was forwarded twice, as ${before} and ${branch}`, phone)
    }
  }

  rangAgain(phone: Phone, invite: RequestMessage): void {
    this.#report('C3', `${phone} rang a second time for one call (branch ${branchOf(invite)})`, phone)
  }
}
