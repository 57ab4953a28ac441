// C2: a ringing call goes on: its 1xx, 2xx, failure or CANCEL reaches the other side, and both sides end in a legal state.

import { isRedirect } from '../../src/proxy/best-response.ts'
import type { Effect } from '../../src/replica/effect.ts'
import { callIdOf, cseqOf, readMessage, tagOf } from '../phones/message.ts'
import type { Message, RequestMessage } from '../phones/message.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Phone } from '../phones/phone.ts'
import { redirects } from '../forks.ts'
import type { Machine } from '../machine.ts'
import type { Checker, Report } from './checker.ts'
import type { Ledger } from './ledger.ts'
import { nameMessage } from './sip-relay.ts'

/** A replica without room on its disk refuses new calls (docs/decisions/0014), and one more call than may be at a time is refused
 * (docs/decisions/0026); both say when to try again. */
const isRefusal = (data: string): boolean => data.startsWith('SIP/2.0 503 ') && data.includes('\r\nRetry-After:')

export class Ringing implements Checker {
  readonly #ledger: Ledger
  readonly #report: Report
  /** Call-IDs of calls that a replica refused. */
  readonly #refused = new Set<string>()
  /** There is a limit of calls. */
  readonly #isLimited: boolean
  /** Its caller was told so. */
  readonly #onRefused: (phone: Phone) => void
  /** Whether the set has reason for that final of its own. */
  readonly #explains: (phone: Phone, status: number) => boolean
  readonly #explained = new Set<Phone>()

  constructor(
    ledger: Ledger,
    report: Report,
    onRefused: (phone: Phone) => void,
    isLimited: boolean,
    explains: (phone: Phone, status: number) => boolean = () => false,
  ) {
    this.#explains = explains
    this.#isLimited = isLimited
    this.#onRefused = onRefused
    this.#ledger = ledger
    this.#report = report
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind === 'send') this.#answers(machine, effect.data)
  }

  /** By way of the replica that holds the stream. */
  frameLeaving(machine: Machine, frame: Frame): void {
    if (frame.kind === 'egress') this.#answers(machine, frame.data)
  }

  #answers(machine: Machine, data: string): void {
    if ((machine.host?.toldFull !== true && !this.#isLimited) || !isRefusal(data)) return
    const message = readMessage(data)
    if (typeof message !== 'string' && cseqOf(message).method === 'INVITE') this.#refused.add(callIdOf(message))
  }

  received(phone: Phone, message: Message): void {
    if (message.kind !== 'response' || message.status < 200) return
    const request = this.#ledger.own(phone, message)
    if (request === undefined || tagOf(request, 'to') !== null) return
    if (request.method === 'CANCEL') {
      // 9.2: 481 only once the INVITE has been answered for good.
      const tooLate = message.status === 481 && phone.firstFinal !== null
      if (message.status !== 200 && !tooLate) this.#report('C2', `${phone}: its CANCEL got ${message.status}`, phone)
      return
    }
    if (this.#ledger.response(phone, message) !== undefined) return
    // 16.9: on a stream the refused connection is a 503 of that branch, which goes upstream as 500.
    if (!phone.options.flow.calleePresent && [408, 500].includes(message.status)) return
    if (message.status === 503 && this.#refused.has(phone.options.callId)) return this.#onRefused(phone)
    if (this.#explains(phone, message.status)) this.#explained.add(phone)
    else this.#report('C2', `${phone}: ${nameMessage(message)} came from the set, not from the callee`, phone)
  }

  timedOut(phone: Phone, request: RequestMessage): void {
    if (tagOf(request, 'to') !== null) return
    if (!phone.options.flow.calleePresent && request.method === 'INVITE') return
    this.#report('C2', `${phone}: ${nameMessage(request)} got no final answer in 32 s`, phone)
  }

  unacknowledged(phone: Phone, request: RequestMessage, status: number): void {
    if (status < 300) return
    this.#report('C2', `${phone}: its refusal of ${nameMessage(request)} got no ACK in 32 s`, phone)
  }

  /** Both sides know the same end. */
  quiet(_machines: readonly Machine[], phones: readonly Phone[]): void {
    const finals = new Map<number, number[]>()
    for (const { side, firstFinal, options } of phones) {
      if (side === 'callee' && firstFinal !== null)
        finals.set(options.call, [...(finals.get(options.call) ?? []), firstFinal])
    }
    for (const phone of phones) {
      if (phone.side !== 'caller' || !phone.options.flow.calleePresent) continue
      const said = finals.get(phone.options.call) ?? []
      // A 3xx that was followed is no answer.
      const others = said.filter((status) => !isRedirect(status))
      const given = redirects(phone.options.flow.fork?.forks ?? '') && others.length > 0 ? others : said
      const wasRefused = given.length === 0 && phone.firstFinal === 503 && this.#refused.has(phone.options.callId)
      const isExplained = given.length === 0 && this.#explained.has(phone)
      if (!isBest(phone.firstFinal, given) && !wasRefused && !isExplained) {
        const gave = given.length === 0 ? null : given.join(' and ')
        this.#report('C2', `${phone}: the caller got ${phone.firstFinal}, the callee gave ${gave}`, phone)
      }
    }
  }
}

/** 16.7 step 6, for what phones here say: a 2xx if there is one, else a 6xx, else one of the lowest class. (487 is what a callee
 * says that was cancelled, perhaps since another had answered.) */
function isBest(got: number | null, given: readonly number[]): boolean {
  if (got === null || given.length === 0) return got === null && given.length === 0
  const order = (status: number): number => (status < 300 ? 0 : status >= 600 ? 1 : Math.floor(status / 100))
  return given.includes(got) && given.every((status) => order(status) >= order(got))
}
