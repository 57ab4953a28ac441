// A registered phone (RFC 3261 10): all its calls come by way of the set, which is its edge proxy, on the flow that it registered on
// (RFC 5626), and it has one address and one connection for all of them. When its connection is gone it waits a while, makes another
// one and registers again; until then nobody reaches it, if the flow is the only way.
//
//   REGISTER --2xx--> registered: pings its connection --it ends--> waits --> REGISTER ...

import type { Agenda, Appointment } from '../agenda.ts'
import { drawHex, drawInRun } from '../draws.ts'
import type { Draw, DrawSource } from '../draws.ts'
import type { PlannedEdge } from '../edge-plan.ts'
import { nameOf } from '../sip-network.ts'
import type { SocketAddress } from '../sip-network.ts'
import type { PhoneEnd, PhoneReceiver } from '../stream-network.ts'
import { ClientTransaction } from './client-transaction.ts'
import { callIdOf, cseqOf, header, readMessage } from './message.ts'
import type { RequestMessage, ResponseMessage } from './message.ts'
import type { Phone } from './phone.ts'
import type { PhoneNetwork } from './surroundings.ts'
import { PhoneTransport } from './transport.ts'
import type { Origin } from './transport.ts'

/** Of its keep-alives, and of their answers (RFC 5626 4.4.1 says 10 s; here a replica may be stopped for as long as half of that). */
const pingEvery = 4_000_000
const pongWithin = 10_000_000
/** After a REGISTER that was refused, or that nobody answered. */
const tryAgain = 1_000_000

export interface LineOptions extends DrawSource {
  readonly number: number
  /** Where its messages come from. */
  readonly address: SocketAddress
  readonly edge: PlannedEdge
  readonly proxy: SocketAddress
}

export interface LineWatch {
  registers(line: Line, register: RequestMessage): void
  /** A final answer to its REGISTER. */
  registered(line: Line, register: RequestMessage, answer: ResponseMessage): void
  /** A message reached it, for a call that it knows or not. */
  reached(line: Line, text: string, phone: Phone | null): void
  /** Nothing came for its REGISTER in 64*T1, or for its keep-alive. */
  unanswered(line: Line, register: RequestMessage | null): void
}

export class Line {
  readonly options: LineOptions
  readonly transport: PhoneTransport
  /** Its own idea of where it is, in its Via and Contact. */
  readonly inside: SocketAddress
  readonly #agenda: Agenda
  readonly #watch: LineWatch
  readonly #draw: Draw
  readonly #calls = new Map<string, Phone>()
  /** The connection that each REGISTER went on, by its CSeq; none on datagrams. */
  readonly #ends = new Map<number, PhoneEnd>()
  #cseq = 0
  /** When one of its connections ended last. */
  #lostAt = Number.NEGATIVE_INFINITY
  #register: ClientTransaction | null = null
  #ping: Appointment | null = null

  constructor(agenda: Agenda, options: LineOptions, network: PhoneNetwork, watch: LineWatch) {
    const { number, address, edge } = options
    this.options = options
    this.#agenda = agenda
    this.#watch = watch
    this.#draw = drawInRun(options, `line ${number}`, () => agenda.now)
    this.inside = edge.outbound ? { ...address, host: address.host.replace('10.1.', '192.168.') } : address
    this.transport = new PhoneTransport(
      agenda,
      network,
      {
        address,
        transport: edge.transport,
        oddity: null,
        callId: this.callId,
        requestUri: this.contact,
        call: number,
        side: 'callee',
      },
      (text, origin) => this.receive(text, origin),
      () => undefined,
    )
    this.transport.watch = {
      wrote: (end, text) => {
        if (text.startsWith('REGISTER ')) this.#ends.set(this.#cseq, end)
      },
      pong: () => this.#agenda.cancel(this.#ping),
      closed: (end) => this.#lost(end),
    }
  }

  /** Where it wants to be called. */
  get contact(): string {
    const { number, edge } = this.options
    const transport = edge.transport === 'tcp' ? ';transport=tcp' : ''
    return `sip:line${number}@${nameOf(this.inside)}${transport}${edge.outbound ? ';ob' : ''}`
  }

  /** The connection of that REGISTER; undefined = a datagram, or it hasn't left. */
  endOf(cseq: number): PhoneEnd | undefined {
    return this.#ends.get(cseq)
  }

  /** Whether a connection of its has ended within so long. */
  hasLost(within: number): boolean {
    return this.#agenda.now - this.#lostAt <= within
  }

  /** One of its calls; there is one. */
  get anyCall(): Phone | undefined {
    return [...this.#calls.values()][0]
  }

  carry(phone: Phone): void {
    this.#calls.set(phone.options.callId, phone)
  }

  /** A connection from the set, to a phone that can be called. */
  accept(end: PhoneEnd): PhoneReceiver {
    return this.transport.accept(end, this.options.proxy)
  }

  begin(): void {
    if (this.#cseq === 0) this.#registerNow()
  }

  receive(text: string, origin: Origin): void {
    const message = readMessage(text)
    const isOfRegister = typeof message !== 'string' && callIdOf(message) === this.callId
    if (isOfRegister && message.kind === 'response') {
      if (cseqOf(message).number === this.#cseq) this.#register?.receive(message)
      return
    }
    const phone = typeof message === 'string' ? null : (this.#calls.get(callIdOf(message)) ?? null)
    this.#watch.reached(this, text, phone)
    phone?.receive(text, origin)
  }

  toString(): string {
    return `line ${this.options.number}`
  }

  /** Of its registration. */
  get callId(): string {
    return `${drawHex(this.options.seed, `registration ${this.options.number}`, 16)}@line`
  }

  #registerNow(): void {
    this.#cseq++
    const register = this.#message(this.#cseq)
    const isReliable = this.options.edge.transport === 'tcp'
    const isCurrent = (): boolean => cseqOf(register).number === this.#cseq
    this.#watch.registers(this, register)
    this.#register = new ClientTransaction(this.#agenda, register, isReliable, {
      send: (text) => {
        if (isCurrent()) this.transport.send({ to: this.options.proxy, transport: this.options.edge.transport }, text)
      },
      response: (response) => this.#answered(register, response),
      timedOut: () => {
        if (!isCurrent()) return
        this.#watch.unanswered(this, register)
        this.#agenda.after(tryAgain, () => this.#registerNow())
      },
      acknowledge: () => '',
    })
  }

  #answered(register: RequestMessage, response: ResponseMessage): void {
    if (response.status < 200) return
    this.#watch.registered(this, register, response)
    if (response.status >= 300) return void this.#agenda.after(tryAgain, () => this.#registerNow())
    for (const phone of this.#calls.values()) if (this.#cseq > 1) phone.cameBack()
    this.#keepAlive(this.#cseq)
  }

  /** RFC 5626 4.4.1. */
  #keepAlive(cseq: number): void {
    const end = this.#ends.get(cseq)
    if (end === undefined) return
    const ping = (): void => {
      if (!end.isOpen || cseq !== this.#cseq) return
      end.send('\r\n\r\n')
      this.#ping = this.#agenda.after(pongWithin, () => end.isOpen && this.#watch.unanswered(this, null))
      this.#agenda.after(pingEvery, ping)
    }
    this.#agenda.after(pingEvery, ping)
  }

  #lost(end: PhoneEnd): void {
    this.#lostAt = this.#agenda.now
    if (this.#ends.get(this.#cseq) !== end) return
    this.#agenda.cancel(this.#ping)
    const [least, most] = this.options.edge.back
    const cseq = this.#cseq
    this.#agenda.after(this.#draw.within(least, most, 1, cseq), () => {
      if (cseq === this.#cseq && this.#ends.get(cseq) === end) this.#registerNow()
    })
  }

  /** RFC 3261 10.2, RFC 3327 5.1, RFC 5626 4.2. */
  #message(cseq: number): RequestMessage {
    const { number, seed, edge } = this.options
    const own = `<sip:line${number}@registrar.sim>`
    const flow = edge.outbound ? `;reg-id=1;+sip.instance="<urn:uuid:${drawHex(seed, `instance ${number}`, 12)}>"` : ''
    const branch = `z9hG4bK${drawHex(seed, `branch of line ${number} ${cseq}`, 14)}`
    const lines = [
      header('Via', `SIP/2.0/${edge.transport.toUpperCase()} ${nameOf(this.inside)};rport;branch=${branch}`),
      header('Max-Forwards', '70'),
      header('From', `${own};tag=${drawHex(seed, `tag of line ${number}`, 10)}`),
      header('To', own),
      header('Call-ID', this.callId),
      header('CSeq', `${cseq} REGISTER`),
      header('Contact', `<${this.contact}>${flow}`),
      header('Supported', edge.outbound ? 'path, outbound' : 'path'),
      header('Expires', '600'),
      header('Content-Length', '0'),
    ]
    return { kind: 'request', method: 'REGISTER', uri: 'sip:registrar.sim', lines, body: '' }
  }
}
