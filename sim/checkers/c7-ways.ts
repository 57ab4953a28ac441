// C7 where calls go, as phones know it (docs/decisions/0026, 0040): however many come at once and whoever dies, a next hop never has more
// calls than its bound, nor does a direction; and nobody is refused for a bound that was not reached. What the set counts is never
// less than that: a call holds its place until its end is committed, and holds the next hop that sent it elsewhere, too.

import type { CallBounds } from '../../src/call/contract.ts'
import { isRedirect } from '../../src/proxy/best-response.ts'
import type { Agenda } from '../agenda.ts'
import { redirects } from '../forks.ts'
import { cseqOf, tagOf } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import type { Checker, Report } from './checker.ts'

/** How long a call may hold its place after its phones are done with it: until a takeover, or until nobody answers any more (64*T1). */
const heldFor = 40_000_000
/** In that time the INVITEs that took the last places have come to their phones. */
const comesWithin = 3_000_000

/** A callee's part in one call counts for some of these. */
interface Way {
  readonly name: string
  readonly bound: number
  readonly there: Set<Phone>
  /** When it was full last; it is, while it is. */
  fullUntil: number
}

export class Ways implements Checker {
  readonly #agenda: Agenda
  readonly #report: Report
  readonly #bounds: CallBounds
  readonly #forks: string
  readonly #ways = new Map<string, Way>()
  #restedAt = Number.NEGATIVE_INFINITY

  constructor(agenda: Agenda, bounds: CallBounds, forks: string, report: Report) {
    this.#agenda = agenda
    this.#bounds = bounds
    this.#forks = forks
    this.#report = report
  }

  received(phone: Phone, message: Message): void {
    if (message.kind === 'response') this.#answered(phone, message.status, cseqOf(message).method)
    else if (phone.side === 'callee' && message.method === 'INVITE' && tagOf(message, 'to') === null && !isDone(phone))
      for (const way of this.#waysOf(phone)) this.#enter(way, phone)
  }

  sent(phone: Phone, message: Message): void {
    if (phone.side !== 'callee') return
    const { method } = message.kind === 'request' ? message : cseqOf(message)
    const isRefusal = message.kind === 'response' && method === 'INVITE' && message.status >= 300
    const isEnd = method === 'BYE' && (message.kind === 'request' || message.status === 200)
    if (isRefusal || isEnd) for (const way of this.#waysOf(phone)) this.#leave(way, phone)
  }

  /** Nothing may be held any more: who is refused after that is refused for a place that leaked, unless a way is full again. */
  atRest(): void {
    this.#restedAt = this.#agenda.now
  }

  #enter(way: Way, phone: Phone): void {
    way.there.add(phone)
    const { name, bound, there } = way
    if (there.size > bound)
      this.#report('C7', `${phone} is the ${there.size}th call ${name}, and ${bound} may be`, phone)
    if (there.size >= bound) way.fullUntil = Number.POSITIVE_INFINITY
  }

  #leave(way: Way, phone: Phone): void {
    way.there.delete(phone)
    if (way.there.size < way.bound && way.fullUntil === Number.POSITIVE_INFINITY) way.fullUntil = this.#agenda.now
  }

  /** A 503 of the set, or a 3xx that it was to follow. Callees here say no 503. */
  #answered(phone: Phone, status: number, method: string): void {
    const isUnfollowed = isRedirect(status) && redirects(this.#forks)
    if (phone.side !== 'caller' || method !== 'INVITE' || (status !== 503 && !isUnfollowed)) return
    const since = Math.max(this.#agenda.now - heldFor, this.#restedAt)
    this.#agenda.after(comesWithin, () => {
      if ([...this.#ways.values()].some(({ fullUntil }) => fullUntil >= since)) return
      // Of no call: what is said of one that was refused is not held against the set (court.ts).
      this.#report('C7', `${phone} got ${status}, and every way that has a bound had room`)
    })
  }

  /** A next hop is one of `in` if the set has it by its settings: who is named by a 3xx is elsewhere. */
  #waysOf({ options: { ordinal } }: Phone): readonly Way[] {
    const { calls, in: inward, out, route } = this.#bounds
    const isIn = ordinal === 1
    return [
      ...this.#way('all ways', calls),
      ...this.#way(isIn ? 'in' : 'out', isIn ? inward : out),
      ...this.#way(`to next hop ${ordinal}`, route),
    ]
  }

  #way(name: string, bound: number | undefined): readonly Way[] {
    if (bound === undefined) return []
    const known = this.#ways.get(name)
    if (known !== undefined) return [known]
    const way: Way = { name, bound, there: new Set(), fullUntil: Number.NEGATIVE_INFINITY }
    this.#ways.set(name, way)
    return [way]
  }
}

/** Refused, cancelled, or hung up: an INVITE that comes again is no call any more. */
function isDone(phone: Phone): boolean {
  return phone.firstFinal !== null && (phone.firstFinal >= 300 || !phone.established)
}
