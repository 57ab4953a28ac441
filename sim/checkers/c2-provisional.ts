// C2, its 1xx: a ringing that reached a living replica reaches the caller, though its owner dies: a provisional answer is sent
// once, so nothing else would bring it. Checked where the network loses nothing.

import type { Input } from '../../src/replica/input.ts'
import type { Machine } from '../machine.ts'
import { callIdOf, cseqOf, readMessage } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Checker, Report } from './checker.ts'

/** Detection, takeover, and the longest partition. */
const reachesWithin = 15_000_000

interface Arrival {
  readonly life: string
  readonly callId: string
  readonly at: number
}

export class Provisional implements Checker {
  readonly #report: Report
  readonly #now: () => number
  readonly #arrivals: Arrival[] = []
  readonly #deaths = new Map<string, number>()
  readonly #rung = new Set<string>()
  readonly #ended = new Map<string, number>()

  constructor(report: Report, now: () => number) {
    this.#report = report
    this.#now = now
  }

  stepped(machine: Machine, input: Input): void {
    if (input.kind !== 'sip' || !input.data.startsWith('SIP/2.0 18')) return
    const message = readMessage(input.data)
    if (typeof message === 'string') return
    this.#arrivals.push({ life: machine.life, callId: callIdOf(message), at: this.#now() })
  }

  died(machine: Machine): void {
    this.#deaths.set(machine.life, this.#now())
  }

  /** The call is decided: the callee answered, or the caller cancelled. */
  sent(_phone: Phone, message: Message): void {
    const answer = message.kind === 'response' && message.status >= 200 && cseqOf(message).method === 'INVITE'
    const cancel = message.kind === 'request' && message.method === 'CANCEL'
    const callId = callIdOf(message)
    if ((answer || cancel) && !this.#ended.has(callId)) this.#ended.set(callId, this.#now())
  }

  received(phone: Phone, message: Message): void {
    if (phone.side === 'caller' && isRinging(message)) this.#rung.add(callIdOf(message))
  }

  quiet(_machines: readonly Machine[], phones: readonly Phone[]): void {
    for (const { life, callId, at } of this.#arrivals) {
      const until = at + reachesWithin
      const ended = this.#ended.get(callId) ?? Number.POSITIVE_INFINITY
      const died = this.#deaths.get(life) ?? Number.POSITIVE_INFINITY
      if (ended < until || died < until || this.#rung.has(callId)) continue
      const phone = phones.find((one) => one.options.callId === callId && one.side === 'caller')
      this.#report(
        'C2',
        `${phone}: the ringing that ${life} got ${(this.#now() - at) / 1_000_000} s ago never came`,
        phone,
      )
    }
  }
}

function isRinging(message: Message): boolean {
  return message.kind === 'response' && message.status > 100 && message.status < 200
}
