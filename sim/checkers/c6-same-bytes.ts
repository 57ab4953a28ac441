// C6: what is sent twice is byte-identical.

import { mixText } from '../../src/base/hash.ts'
import { branchOf, cseqOf, listOf, parameterOf, tagOf } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Checker, Report } from './checker.ts'
import { nameMessage } from './sip-relay.ts'

export class SameBytes implements Checker {
  readonly #report: Report
  readonly #seen = new Map<string, string>()

  constructor(report: Report) {
    this.#report = report
  }

  received(phone: Phone, message: Message, text: string): void {
    const { call } = phone.options
    const what = message.kind === 'request' ? message.method : `${message.status} ${tagOf(message, 'to')}`
    // An ACK that is made here has one Via; the same one, relayed once its transaction is gone, has more.
    // A response says on which connection its request came (RFC 3581): one that was sent on two has two. So does a request.
    const vias = listOf(message, 'via')
    const ways = message.kind === 'request' ? [vias.length, rportOf(vias[1])] : [rportOf(vias[0])]
    const way = ways.filter((one) => one !== null).join(' ')
    const key = `${call} ${phone.party} ${branchOf(message)} ${cseqOf(message).method} ${what} ${way}`
    const { high, low } = mixText(text.length, text)
    const print = `${high} ${low}`
    const before = this.#seen.get(key)
    if (before === undefined) this.#seen.set(key, print)
    else if (before !== print)
      this.#report('C6', `${phone}: ${nameMessage(message)} came again with other bytes`, phone)
  }
}

function rportOf(via = ''): string | null {
  return parameterOf(via, 'rport')
}
