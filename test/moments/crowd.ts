// Calls side by side between the simulator's phones, over real sockets, all standing at the same moment until they are let go, and
// judged by the simulator's checkers as phones see it: what was lost, what was doubled.

import { Consistent } from '../../sim/checkers/c4-consistent.ts'
import { Established } from '../../sim/checkers/c1-established.ts'
import { Ledger } from '../../sim/checkers/ledger.ts'
import { Once } from '../../sim/checkers/c3-once.ts'
import { Ringing } from '../../sim/checkers/c2-ringing.ts'
import { SameBytes } from '../../sim/checkers/c6-same-bytes.ts'
import { SipRelay } from '../../sim/checkers/sip-relay.ts'
import type { Checker, Report } from '../../sim/checkers/checker.ts'
import type { Flow, Speaks } from '../../sim/ladder.ts'
import { branchOf, cseqOf, isOwn, phoneUri } from '../../sim/phones/message.ts'
import { Phone } from '../../sim/phones/phone.ts'
import type { PhoneOptions, PhoneWatch } from '../../sim/phones/surroundings.ts'
import type { SocketAddress } from '../../sim/sip-network.ts'
import { until } from '../cluster/poll.ts'
import type { Trust } from '../cluster/wires.ts'
import { LiveAgenda } from './live-agenda.ts'
import { LiveNetwork } from './live-network.ts'

export interface CrowdOptions {
  /** Its own: of several crowds, one after another at one set, none has the Call-IDs, tags, branches and ports of another. */
  readonly nth: number
  readonly calls: number
  readonly flow: Flow
  readonly transport: Speaks
  readonly trust: Trust
  /** The set's address. */
  readonly set: SocketAddress
  readonly callerHost: string
  readonly calleeHost: string
  /** Deeds that are held back: `caller BYE`, `caller INVITE 2` (its second), `callee2 200` (of the second callee of a fork). */
  readonly held: readonly string[]
  /** The set hangs up: one BYE of its own to each side, which the other one never sent. */
  readonly endsBySet: boolean
  /** Where the set's next hops are, one for each callee of a call; absent: each callee has an address of its own, which the
   * Request-URI names. */
  readonly hops?: readonly SocketAddress[]
}

export interface Finding {
  readonly promise: string
  readonly call: number
  readonly text: string
}

export const MOST_CALLS = 500
/** Below the ports that the kernel gives to those who connect. */
const FIRST_PORT = 10_000
const CROWDS = 20

/** C1, C2 and a call that doesn't end are losses; something done twice is C3, C4 or C6. */
const doubling: readonly string[] = ['C3', 'C4', 'C6']

export class Crowd {
  readonly network: LiveNetwork
  readonly #live = new LiveAgenda()
  readonly #options: CrowdOptions
  readonly #callers: Phone[] = []
  readonly #callees: Phone[] = []
  readonly #findings: Finding[] = []
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #free = new Set<string>()
  readonly #ringing: Ringing
  /** Branches of the set's own BYEs, by phone. */
  readonly #byes = new Map<Phone, Set<string>>()
  /** Who has answered a BYE with 500. */
  readonly #refusers = new Set<Phone>()

  constructor(options: CrowdOptions) {
    this.#options = options
    this.network = new LiveNetwork(this.#live, { set: options.set, by: options.transport, trust: options.trust })
    const report: Report = (promise, text, phone) => this.#report(promise, text, phone)
    const ledger = new Ledger()
    const now = (): number => this.#live.agenda.now
    this.#ringing = new Ringing(ledger, report, () => undefined, false)
    const ofPhones: readonly Checker[] = [
      new SipRelay(ledger, options.set, report, now),
      new Established(ledger, report),
      new Consistent(ledger, report),
    ]
    const checkers: readonly Checker[] = [
      ...(options.endsBySet ? ofPhones.map((checker) => this.#butForByes(checker)) : ofPhones),
      this.#ringing,
      new Once(report, false),
      sameBytes(report),
    ]
    const watch = watchOf(ledger, checkers, report)
    for (let call = 1; call <= options.calls; call++) {
      const make = (own: Own): Phone =>
        new Phone(this.#live.agenda, { ...this.#common(call), ...own }, this.network, watch)
      const [caller, ...callees] = this.#parties(call)
      this.#callers.push(make(caller))
      this.#callees.push(...callees.map(make))
    }
  }

  get findings(): readonly Finding[] {
    return this.#findings
  }

  /** All phones can be reached. */
  async open(): Promise<void> {
    for (const phone of [...this.#callers, ...this.#callees]) await this.network.open(phone)
    this.#live.start()
  }

  /** All callers call. */
  call(): void {
    for (const phone of this.#callers) if (!phone.started) phone.start()
    this.#live.pass()
  }

  /** The phones' own clocks stand still, or go on: what a phone repeats by itself could hide what the set does. */
  stopClocks(): void {
    this.#live.end()
  }

  startClocks(): void {
    this.#live.start()
  }

  /** Callees whose phone has been asked. */
  get rung(): number {
    return this.#callees.filter(({ started }) => started).length
  }

  get finals(): number {
    return this.#callers.filter(({ firstFinal }) => firstFinal !== null).length
  }

  /** Phones that the set has sent a BYE of its own. */
  get hungUpOn(): number {
    return this.#byes.size
  }

  waiting(deed: string): number {
    return this.#waiting.get(deed)?.length ?? 0
  }

  /** As many phones are about to do that as there are calls. */
  async stands(...deeds: readonly string[]): Promise<void> {
    for (const deed of deeds) {
      const wanted = this.#options.calls
      await this.until(`${wanted} phones are about to: ${deed}`, 60_000, () => this.waiting(deed) >= wanted)
    }
  }

  async until(what: string, deadlineMs: number, isSo: () => boolean): Promise<void> {
    await until(`${what}; ${this.story()}`, deadlineMs, () => (isSo() ? true : null))
  }

  /** Everybody who waits for it does that now, and nobody waits for it any more. */
  go(...deeds: readonly string[]): void {
    for (const deed of deeds) {
      this.#free.add(deed)
      const all = this.#waiting.get(deed) ?? []
      this.#waiting.delete(deed)
      for (const one of all) one()
    }
    this.#live.pass()
  }

  /** Each call is over, at both its ends; null if not by then: the judgement says which. */
  async over(deadlineMs: number): Promise<void> {
    const phones = [...this.#callers, ...this.#callees]
    await until('all calls are over', deadlineMs, () => (phones.every(({ settled }) => settled) ? true : null)).catch(
      () => undefined,
    )
    for (const phone of phones) {
      if (!phone.settled) this.#report('C2', `${phone} is not over after ${deadlineMs / 1_000} s`, phone)
    }
    this.#ringing.quiet([], phones)
  }

  /** Calls with such a finding. */
  get lost(): number {
    return new Set(this.#findings.filter(({ promise }) => !doubling.includes(promise)).map(({ call }) => call)).size
  }

  get doubled(): number {
    return new Set(this.#findings.filter(({ promise }) => doubling.includes(promise)).map(({ call }) => call)).size
  }

  story(): string {
    const held = [...this.#waiting].map(([deed, all]) => `${all.length} hold ${deed}`).join(', ')
    const found = this.#findings.slice(0, 20).map(({ promise, text }) => `${promise}: ${text}`)
    return [`${this.rung} rung, ${this.finals} answered, ${held}`, ...found].join('\n')
  }

  end(): void {
    this.#live.end()
    this.network.end()
  }

  /** Whose BYEs and answers to BYEs may be the set's: one BYE to each phone. */
  #butForByes(checker: Checker): Checker {
    return {
      sent: (phone, message) => {
        const isBye = message.kind === 'response' && cseqOf(message).method === 'BYE'
        if (isBye && message.status === 500) this.#refusers.add(phone)
      },
      received: (phone, message, text) => {
        if (message.kind === 'request' && message.method === 'BYE' && isOwn(message))
          this.#hungUp(phone, branchOf(message))
        else if (message.kind === 'request' || cseqOf(message).method !== 'BYE')
          checker.received?.(phone, message, text)
      },
      timedOut: (phone, request) => checker.timedOut?.(phone, request),
      unacknowledged: (phone, request, status) => checker.unacknowledged?.(phone, request, status),
    }
  }

  /** One more after a 500 (docs/decisions/0028): a phone on a stream whose own BYE is open takes the same BYE, come again, for another
   * one that is too late (12.2.2). */
  #hungUp(phone: Phone, branch: string): void {
    const branches = this.#byes.get(phone) ?? new Set()
    if (branches.has(branch)) return
    this.#byes.set(phone, branches.add(branch))
    if (branches.size > (this.#refusers.has(phone) ? 2 : 1))
      this.#report('C3', `${phone}: the set hung up ${branches.size} times`, phone)
  }

  #report(promise: string, text: string, phone?: Phone): void {
    this.#findings.push({ promise, text, call: phone?.options.call ?? 0 })
  }

  #common(call: number): Omit<PhoneOptions, keyof Own> {
    const { nth, transport, set, flow, held } = this.#options
    return {
      seed: nth,
      call,
      callId: `${flow.name}-${nth}-${call}@${this.#options.callerHost}`,
      isBrisk: true,
      transport,
      oddity: null,
      proxy: set,
      gate: (phone, deed, nth, go) => {
        const name = `${phone.party} ${deed}${nth === 1 ? '' : ` ${nth}`}`
        if (!held.includes(name) || this.#free.has(name)) return go()
        const all = this.#waiting.get(name) ?? []
        this.#waiting.set(name, [...all, go])
      },
    }
  }

  /** The caller, then the callees. */
  #parties(call: number): readonly [Own, ...Own[]] {
    const { nth, flow, transport, callerHost, calleeHost, hops } = this.#options
    // Callers and callees may be at one host.
    const port = FIRST_PORT + (nth % CROWDS) * 2 * MOST_CALLS + call - 1
    const own = { host: calleeHost, port: port + MOST_CALLS }
    const somewhere = `${transport === 'wss' ? 'sips' : 'sip'}:callee@example.com`
    const requestUri = hops === undefined ? phoneUri('callee', own, transport) : somewhere
    const caller: Own = { side: 'caller', ordinal: 1, address: { host: callerHost, port }, requestUri, flow }
    const callees = (hops ?? [own]).map((address, at): Own => {
      const steps = at === 0 ? flow.steps : (flow.fork?.others[at - 1] ?? [])
      return { side: 'callee', ordinal: at + 1, address, requestUri, flow: { ...flow, steps } }
    })
    return [caller, ...callees]
  }
}

type Own = Pick<PhoneOptions, 'side' | 'ordinal' | 'address' | 'requestUri' | 'flow'>

/** C6, but for where a request came from, which the set writes into Vias (RFC 3581, and its own `hf`): a phone that asks again on
 * another connection has come from elsewhere. */
function sameBytes(report: Report): Checker {
  const checker = new SameBytes(report)
  const plain = (text: string): string => text.replaceAll(/;(rport|hfs?)=[^;\r]*/g, ';$1')
  return { received: (phone, message, text) => checker.received(phone, message, plain(text)) }
}

function watchOf(ledger: Ledger, checkers: readonly Checker[], report: Report): PhoneWatch {
  return {
    sent: (phone, message) => {
      ledger.add(phone, message)
      for (const checker of checkers) checker.sent?.(phone, message)
    },
    received: (phone, message, text) => {
      for (const checker of checkers) checker.received?.(phone, message, text)
    },
    rangAgain: (phone, invite) => {
      for (const checker of checkers) checker.rangAgain?.(phone, invite)
    },
    malformed: (phone, text, problem) => report('sip', `${phone}: ${problem}: ${text}`, phone),
    timedOut: (phone, request) => {
      for (const checker of checkers) checker.timedOut?.(phone, request)
    },
    unacknowledged: (phone, request, status) => {
      for (const checker of checkers) checker.unacknowledged?.(phone, request, status)
    },
  }
}
