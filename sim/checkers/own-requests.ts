// What the set says by itself in a call (docs/decisions/0028). C1: it ends none whose phones are there, before its time. C3: one BYE to each
// side, or a second one where the first got 500. C4: its BYE is above what the phone heard by INVITEs, which are committed; the second one
// above all that it heard (what is relayed without a commit may cross the first). Its OPTIONS is not, so that what the other one says
// next isn't refused. It goes to the Contact that the phone named last.

import type { PlannedLifetime } from '../lifetime.ts'
import { branchOf, cseqOf, isOwn, listOf, tagOf, uriIn, valueOf } from '../phones/message.ts'
import type { Message, RequestMessage, ResponseMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'
import { contactLine } from '../phones/writing.ts'
import { timeout } from '../phones/timers.ts'
import type { Checker, Report } from './checker.ts'
import { nameMessage } from './sip-relay.ts'

/** Of a time: the set's clocks may be off by one per cent, as with any timer (C5). */
export const earlyPart = 0.98

export class OwnRequests implements Checker {
  readonly #report: Report
  readonly #now: () => number
  readonly #lifetime: PlannedLifetime | null
  readonly #phones = new Map<number, Set<Phone>>()
  /** By call: when its INVITE was answered. */
  readonly #answeredAt = new Map<number, number>()
  /** Calls whose caller has said ACK. */
  readonly #acknowledged = new Set<number>()
  /** By call and party: the highest CSeq number that it heard of the other phone. */
  readonly #heard = new Map<string, number>()
  /** So of its INVITEs. */
  readonly #invited = new Map<string, number>()
  /** By call and party: the branches of the set's BYEs. */
  readonly #byes = new Map<string, string[]>()
  /** By call and party: its Contacts, by the CSeq of its UPDATEs, from the last one that it has a 2xx to. */
  readonly #contacts = new Map<string, { readonly cseq: number; readonly uri: string }[]>()
  /** Branches of those that got 500. */
  readonly #refused = new Set<string>()

  constructor(report: Report, now: () => number, lifetime: PlannedLifetime | null) {
    this.#report = report
    this.#now = now
    this.#lifetime = lifetime
  }

  sent(phone: Phone, message: Message): void {
    const { call } = phone.options
    this.#phones.set(call, (this.#phones.get(call) ?? new Set()).add(phone))
    const contacts = this.#contactsOf(phone)
    if (message.kind === 'request') {
      if (message.method === 'ACK' && tagOf(message, 'to') !== null) this.#acknowledged.add(call)
      if (message.method === 'UPDATE') contacts.push({ cseq: cseqOf(message).number, uri: contactOf(phone) })
      return
    }
    const { method } = cseqOf(message)
    if (method === 'INVITE' && message.status >= 200 && message.status < 300 && !this.#answeredAt.has(call))
      this.#answeredAt.set(call, this.#now())
    if (method === 'BYE' && message.status === 500) this.#refused.add(branchOf(message))
  }

  received(phone: Phone, message: Message): void {
    if (message.kind === 'response') return this.#refreshed(phone, message)
    if (message.method === 'CANCEL' || message.method === 'ACK') return
    const who = partyOf(phone)
    const { number } = cseqOf(message)
    const heard = this.#heard.get(who) ?? 0
    // After the other phone's BYE any of the set's gets 481.
    if (!isOwn(message)) this.#heard.set(who, message.method === 'BYE' ? heard : Math.max(heard, number))
    else if (message.method === 'BYE') this.#bye(phone, message, heard)
    else if (message.method !== 'OPTIONS') this.#wrong('sip', phone, message, 'the set has no reason to send that')
    else if (number > heard) this.#wrong('C4', phone, message, `the phone has heard no more than ${heard}`)
    if (isOwn(message)) this.#form(phone, message)
    else if (message.method === 'INVITE') this.#invited.set(who, Math.max(this.#invited.get(who) ?? 0, number))
  }

  /** RFC 3261 12.2.1.2, RFC 3311 5.2: where it is from then on, whatever it had said before. */
  #refreshed(phone: Phone, response: ResponseMessage): void {
    const { method, number } = cseqOf(response)
    if (method !== 'UPDATE' || response.status < 200 || response.status >= 300) return
    const later = this.#contactsOf(phone).filter(({ cseq }) => cseq >= number)
    if (later.length > 0) this.#contacts.set(partyOf(phone), later)
  }

  #contactsOf(phone: Phone): { readonly cseq: number; readonly uri: string }[] {
    const known = this.#contacts.get(partyOf(phone)) ?? [{ cseq: 0, uri: contactOf(phone) }]
    this.#contacts.set(partyOf(phone), known)
    return known
  }

  #bye(phone: Phone, message: RequestMessage, heard: number): void {
    const who = partyOf(phone)
    const before = this.#byes.get(who) ?? []
    if (before.includes(branchOf(message))) return
    this.#byes.set(who, [...before, branchOf(message)])
    const least = before.length === 0 ? (this.#invited.get(who) ?? 0) : heard
    if (cseqOf(message).number <= least)
      this.#wrong('C4', phone, message, 'its CSeq is not above what the phone has heard')
    if (before.length > 1 || (before[0] !== undefined && !this.#refused.has(before[0])))
      this.#wrong('C3', phone, message, 'the set has hung up here before')
    const answeredAt = this.#answeredAt.get(phone.options.call) ?? 0
    if (!this.#acknowledged.has(phone.options.call) && this.#now() - answeredAt < timeout * earlyPart)
      this.#wrong('sip', phone, message, 'the caller has not said ACK (15)')
    if (!this.#isTooOld(phone) && !this.#isAlone(phone))
      this.#wrong('C1', phone, message, 'both phones are there, and the call is not as old as it may become')
  }

  #isTooOld({ options: { call } }: Phone): boolean {
    const { maxCall } = this.#lifetime ?? {}
    const at = this.#answeredAt.get(call)
    return maxCall !== undefined && at !== undefined && this.#now() - at >= maxCall * 1_000_000 * earlyPart
  }

  #isAlone({ options: { call } }: Phone): boolean {
    const phones = [...(this.#phones.get(call) ?? [])]
    return this.#lifetime?.every !== undefined && phones.some(({ isGone }) => isGone)
  }

  /** 8.1.1, 12.2.1.1. */
  #form(phone: Phone, message: RequestMessage): void {
    const contacts = this.#contactsOf(phone).map(({ uri }) => uri)
    const problem = !contacts.includes(message.uri)
      ? `its Request-URI is ${message.uri}`
      : valueOf(message, 'call-id') !== phone.options.callId
        ? 'its Call-ID is another'
        : listOf(message, 'route').length + listOf(message, 'record-route').length > 0
          ? 'it has a Route'
          : message.body === ''
            ? null
            : 'it has a body'
    if (problem !== null) this.#wrong('sip', phone, message, problem)
  }

  #wrong(promise: string, phone: Phone, message: RequestMessage, text: string): void {
    this.#report(promise, `${phone}: ${nameMessage(message)} came from the set, and ${text}`, phone)
  }
}

function contactOf(phone: Phone): string {
  return uriIn(contactLine(phone))
}

function partyOf({ options, party }: Phone): string {
  return `${options.call} ${party}`
}
