// The phones' network: UDP with delay, reordering, duplication, loss and replays, and one address for the set
// (set-address.ts).

import { mixText } from '../src/base/hash.ts'
import type { Send } from '../src/replica/effect.ts'
import type { InputBody } from '../src/replica/input.ts'
import type { Agenda } from './agenda.ts'
import { drawInRun } from './draws.ts'
import type { Draw } from './draws.ts'
import type { Plan } from './plan.ts'
import type { SetAddress } from './set-address.ts'
import type { Trace } from './trace.ts'

/** No more datagrams in a row than this are lost on one way: the network is bad, but fair. What a phone then fails to get
 * through in its 64*T1 was not lost by the network. */
const lostInRowMost = 2
/** How old a replayed datagram is. After 64*T1 it would be a new request (RFC 3261 17.2.2), and rightly. */
const replayLeast = 1_000_000
const replayMost = 31_000_000

export interface SocketAddress {
  readonly host: string
  readonly port: number
}

export type Receive = (data: string, from: SocketAddress) => void

/** A process that has bound the shared address. */
export interface SipProcess {
  readonly life: string
  deliver(input: InputBody): void
  /** On its own clock. */
  now(): number
  /** Stopped: its kernel goes on, it does nothing. */
  readonly isAsleep: boolean
}

/** TCP at the shared address (stream-network.ts). */
interface SharedStreams {
  bind(replica: number, listener: SipProcess): void
  unbind(replica: number): void
  fromSet(replica: number, send: Send): boolean
  becomePerfect(): void
}

export class SipNetwork {
  readonly #agenda: Agenda
  readonly #trace: Trace
  readonly #plan: Plan['udp']
  readonly #draw: Draw
  readonly #set: SocketAddress
  readonly #phones = new Map<string, Receive>()
  readonly #streams: SharedStreams
  readonly #address: SetAddress
  readonly #bound = new Map<number, SipProcess>()
  #faulty = true
  /** Per way: how often each datagram was sent, and how many were lost in a row. */
  readonly #sent = new Map<string, number>()
  readonly #lostInRow = new Map<string, number>()
  #lost = 0
  #duplicated = 0

  constructor(
    agenda: Agenda,
    plan: Plan,
    trace: Trace,
    set: SocketAddress,
    address: SetAddress,
    streams: SharedStreams,
  ) {
    this.#address = address
    this.#streams = streams
    this.#agenda = agenda
    this.#plan = plan.udp
    this.#trace = trace
    this.#set = set
    this.#draw = drawInRun(plan, 'sip network', () => agenda.now)
  }

  get lost(): number {
    return this.#lost
  }

  get duplicated(): number {
    return this.#duplicated
  }

  /** From now on nothing is lost, doubled or long under way. */
  becomePerfect(): void {
    this.#faulty = false
    this.#streams.becomePerfect()
  }

  attachPhone(at: SocketAddress, receive: Receive): void {
    this.#phones.set(nameOf(at), receive)
  }

  /** A replica's process binds the shared address. */
  bind(replica: number, listener: SipProcess): void {
    this.#bound.set(replica, listener)
    this.#address.bind(replica, listener.life)
    this.#streams.bind(replica, listener)
  }

  unbind(replica: number): void {
    this.#bound.delete(replica)
    this.#address.unbind(replica)
    this.#streams.unbind(replica)
  }

  /** A datagram leaves from the shared address, whichever replica sends it; what goes on a stream, on that. False: it has none any more. */
  fromSet(replica: number, send: Send): boolean {
    const { flow: to, data } = send
    if (to.transport !== 'udp') return this.#streams.fromSet(replica, send)
    const content = mixText(replica, data).low
    this.#trace.event(content, () => `${replica} ~> ${nameOf(to)}  ${summary(data)}`)
    this.#travel(this.#set, to, data, content, () => this.#phones.get(nameOf(to))?.(data, this.#set))
    return true
  }

  fromPhone(from: SocketAddress, to: SocketAddress, data: string): void {
    const content = mixText(from.port, data).low
    this.#trace.event(content, () => `${nameOf(from)} ~> ${nameOf(to)}  ${summary(data)}`)
    const arrive =
      nameOf(to) === nameOf(this.#set)
        ? (): void => this.#arriveAtSet(from, data, content)
        : (): void => this.#phones.get(nameOf(to))?.(data, from)
    this.#travel(from, to, data, content, arrive)
  }

  #arriveAtSet(from: SocketAddress, data: string, content: number): void {
    const replica = this.#address.deal(nameOf(from))
    const listener = replica === null ? undefined : this.#bound.get(replica)
    if (replica === null || listener === undefined) return
    this.#trace.event(content ^ replica, () => `${nameOf(from)} ~> [${replica}]  ${summary(data)}`)
    const flow = { transport: 'udp', host: from.host, port: from.port, stream: '' } as const
    listener.deliver({ kind: 'sip', flow, data })
  }

  #travel(from: SocketAddress, to: SocketAddress, data: string, content: number, arrive: () => void): void {
    const way = `${nameOf(from)} ${nameOf(to)}`
    const wayNumber = mixText(0, way).low
    const key = `${wayNumber} ${content} ${data.length}`
    const nth = (this.#sent.get(key) ?? 0) + 1
    this.#sent.set(key, nth)
    const inRow = this.#lostInRow.get(way) ?? 0
    const { loss, duplication, replay } = this.#plan
    if (this.#faulty && inRow < lostInRowMost && this.#draw.chance(loss, 1, wayNumber, content, nth)) {
      this.#lostInRow.set(way, inRow + 1)
      this.#lost++
      this.#trace.event(content, () => `    lost: ${way}  ${summary(data)}`)
      return
    }
    this.#lostInRow.set(way, 0)
    this.#agenda.after(this.#delay(2, wayNumber, content, nth), arrive)
    if (this.#faulty && this.#draw.chance(duplication, 3, wayNumber, content, nth)) {
      this.#duplicated++
      this.#agenda.after(this.#delay(4, wayNumber, content, nth), arrive)
    }
    const isToSet = nameOf(to) === nameOf(this.#set)
    if (this.#faulty && isToSet && this.#draw.chance(replay, 7, wayNumber, content, nth)) {
      this.#duplicated++
      this.#agenda.after(this.#draw.within(replayLeast, replayMost, 8, wayNumber, content, nth), arrive)
    }
  }

  #delay(...about: readonly number[]): number {
    const { delayLeast, delayMost, straggle, straggleMost } = this.#plan
    if (!this.#faulty) return delayLeast
    const straggles = this.#draw.chance(straggle, 5, ...about)
    return this.#draw.within(delayLeast, straggles ? straggleMost : delayMost, 6, ...about)
  }
}

export function nameOf(address: SocketAddress): string {
  return `${hostOf(address)}:${address.port}`
}

/** As a URI has it: IPv6 in brackets. */
export function hostOf({ host }: SocketAddress): string {
  return host.includes(':') ? `[${host}]` : host
}

/** A message in one line, for people: start line, CSeq and the first letters of the Call-ID. */
export function summary(data: string): string {
  const line = data.slice(0, data.indexOf('\r\n'))
  const callId = /\r\nCall-ID:\s*(\S+)/i.exec(data)?.[1] ?? /\r\ni:\s*(\S+)/i.exec(data)?.[1] ?? '?'
  const cseq = /\r\nCSeq:\s*([^\r]+)/i.exec(data)?.[1] ?? '?'
  return `${line}  (CSeq ${cseq}, call ${callId.slice(0, 12)})`
}
