// RFC 3261 18 at a phone: datagrams, and connections. A request goes on the phone's connection with the next hop, which is
// made when there is none; a response on the connection its request came on, or, if that is gone, on a new one to where its
// Via points (18.2.2). After a refusal it tries again; what a reset took with it is lost.

import type { Agenda } from '../agenda.ts'
import type { Speaks } from '../ladder.ts'
import { nameOf } from '../sip-network.ts'
import type { SocketAddress } from '../sip-network.ts'
import type { PhoneEnd, PhoneReceiver } from '../stream-network.ts'
import { framed } from './framing.ts'
import { nonsense } from './nonsense.ts'
import type { PhoneNetwork, PhoneOptions } from './surroundings.ts'

/** After a refusal. */
const tryAgain = 400_000
/** It gives up after 64*T1. */
const triesMost = 80

/** Where a message came from and to. `end`: the connection, if it came on one. */
export interface Origin {
  readonly from: SocketAddress
  readonly at: SocketAddress
  readonly end: PhoneEnd | null
}

/** What a transport serves, and what is odd about it. */
export type TransportOptions = Pick<
  PhoneOptions,
  'address' | 'transport' | 'oddity' | 'callId' | 'requestUri' | 'call' | 'side'
>

/** Who has an interest in the connections of its own making (line.ts). */
export interface EndWatch {
  /** A message was written to it. */
  wrote(end: PhoneEnd, text: string): void
  pong(end: PhoneEnd): void
  /** It is gone. */
  closed(end: PhoneEnd): void
}

/** How a message leaves. */
export interface Way {
  readonly to: SocketAddress
  readonly transport: Speaks
}

export class PhoneTransport {
  readonly #agenda: Agenda
  readonly #network: PhoneNetwork
  readonly #options: TransportOptions
  readonly #address: SocketAddress
  #nonsense = 0
  #isDead = false
  readonly #receive: (text: string, origin: Origin) => void
  readonly #malformed: (text: string, problem: string) => void
  /** Connections of our own making, by where they lead. */
  readonly #ends = new Map<string, PhoneEnd>()
  watch: EndWatch | null = null

  constructor(
    agenda: Agenda,
    network: PhoneNetwork,
    options: TransportOptions,
    receive: (text: string, origin: Origin) => void,
    malformed: (text: string, problem: string) => void,
  ) {
    this.#agenda = agenda
    this.#network = network
    this.#options = options
    this.#address = options.address
    this.#receive = receive
    this.#malformed = malformed
  }

  /** From now on it says nothing. */
  die(): void {
    this.#isDead = true
  }

  send(way: Way, text: string): void {
    this.#say(text, (one) => this.#send(way, one, 0))
  }

  answer(origin: Origin, text: string): void {
    this.#say(text, (one) => this.#answer(origin, one))
  }

  /** In its own odd way. */
  #say(text: string, put: (text: string) => void): void {
    const { oddity } = this.#options
    if (oddity?.kind === 'slow') {
      this.#agenda.after(oddity.by, () => put(text))
      return
    }
    if (oddity?.kind === 'nonsense') put(nonsense(this.#options, ++this.#nonsense))
    const times = oddity?.kind === 'storm' ? oddity.times : 1
    for (let i = 0; i < times; i++) put(text)
  }

  #send(way: Way, text: string, tries: number): void {
    const { to, transport } = way
    if (this.#isDead) return
    if (transport === 'udp') return this.#network.datagram(this.#address, to, text)
    const open = this.#ends.get(nameOf(to))
    if (open?.isOpen === true) return this.#write(open, text)
    const closed = (unsent: readonly string[]): void => {
      this.#again(way, unsent, tries + 1)
      this.watch?.closed(end)
    }
    const end = this.#network.connect(
      this.#address,
      this.#receiver(() => end, to, closed),
    )
    this.#ends.set(nameOf(to), end)
    this.#write(end, text)
  }

  #write(end: PhoneEnd, text: string): void {
    this.watch?.wrote(end, text)
    end.send(text)
  }

  #answer({ from, at, end }: Origin, text: string): void {
    if (this.#isDead) return
    if (end === null) this.#network.datagram(at, from, text)
    else if (end.isOpen) end.send(text)
    else this.#send({ to: from, transport: this.#stream }, text, 0)
  }

  /** A phone of datagrams has connections too, for what is too long for one (18.1.1). */
  get #stream(): Speaks {
    return this.#options.transport === 'udp' ? 'tcp' : this.#options.transport
  }

  /** The set connects to this phone: `from` is who its Via says it is. */
  accept(end: PhoneEnd, from: SocketAddress): PhoneReceiver {
    return this.#receiver(
      () => end,
      from,
      () => undefined,
    )
  }

  #again(way: Way, unsent: readonly string[], tries: number): void {
    if (unsent.length === 0 || tries > triesMost) return
    this.#agenda.after(tryAgain, () => {
      for (const text of unsent) this.#send(way, text, tries)
    })
  }

  #receiver(end: () => PhoneEnd, from: SocketAddress, closed: (unsent: readonly string[]) => void): PhoneReceiver {
    const { read } = framed(
      (text) => this.#receive(text, { from, at: this.#address, end: end() }),
      (problem, rest) => this.#malformed(rest, problem),
      () => this.watch?.pong(end()),
    )
    return { read, closed }
  }
}
