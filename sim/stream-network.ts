// TCP between phones and the set: a connection is dealt to one of the replicas that listen at the shared address, stays with
// it while it lives (stopped or not), and ends with it; bytes come in order, cut anywhere (stream-pipe.ts).
//
//   phone --connect--> refused, if nobody listens
//                  '-> open with one replica --its process dies--> what it wrote arrives, then the end; what it was sent is lost
//                                            --reset by the network--> what is under way is lost, both ways
//   set --connect--> refused, if no phone listens there; else open

import { mixText } from '../src/base/hash.ts'
import type { Send } from '../src/replica/effect.ts'
import type { Agenda } from './agenda.ts'
import { drawInRun } from './draws.ts'
import type { Draw } from './draws.ts'
import type { Plan } from './plan.ts'
import type { SetAddress } from './set-address.ts'
import { nameOf, summary } from './sip-network.ts'
import type { SipProcess, SocketAddress } from './sip-network.ts'
import { StreamHost } from './stream-host.ts'
import type { SetEnd } from './stream-host.ts'
import { Pipe } from './stream-pipe.ts'
import type { Trace } from './trace.ts'
import type { TransportResets } from './transport-resets.ts'

/** How long a SYN that nobody answers takes, and an end takes to notice. */
const noticeMost = 3_000
/** Ports that the kernel gives to those who connect. */
const firstPort = 32_768

/** A phone's end of a connection. */
export interface PhoneEnd {
  /** Whether a message can still be written to it. */
  readonly isOpen: boolean
  send(message: string): void
}

/** What a phone makes of an end: chunks as they come, and the end of it. */
export interface PhoneReceiver {
  read(chunk: string): void
  /** Closed, reset, or refused; what was written before it was open comes back. */
  closed(unsent: readonly string[]): void
}

interface Connection {
  readonly name: number
  readonly phone: SocketAddress
  state: 'connecting' | 'open' | 'closed'
  host: StreamHost | null
  /** Until then the phone writes to it, though it may have ended. */
  phoneKnows: boolean
  receiver: PhoneReceiver | null
  /** What was written before the connection was dealt. */
  readonly early: string[]
  readonly toSet: Pipe
  readonly toPhone: Pipe
  readonly setEnd: SetEnd
  readonly phoneEnd: PhoneEnd
}

interface Bound {
  readonly replica: number
  readonly listener: SipProcess
  readonly host: StreamHost
}

export class StreamNetwork {
  readonly #agenda: Agenda
  readonly #address: SetAddress
  readonly #plan: Plan['udp']
  readonly #trace: Trace
  readonly #set: SocketAddress
  readonly #resets: TransportResets
  readonly #draw: Draw
  readonly #phones = new Map<string, (end: PhoneEnd) => PhoneReceiver>()
  readonly #connections = new Map<number, Connection>()
  #bound: Bound[] = []
  #names = 0
  #isFaulty = true
  /** A phone writes a message. */
  onWritten: (from: SocketAddress, message: string) => void = () => undefined

  constructor(
    agenda: Agenda,
    plan: Plan,
    trace: Trace,
    set: SocketAddress,
    address: SetAddress,
    resets: TransportResets,
  ) {
    this.#address = address
    this.#agenda = agenda
    this.#plan = plan.udp
    this.#trace = trace
    this.#set = set
    this.#resets = resets
    this.#draw = drawInRun(plan, 'stream network', () => agenda.now)
  }

  becomePerfect(): void {
    this.#isFaulty = false
  }

  /** A phone takes connections at its address. */
  listen(at: SocketAddress, accept: (end: PhoneEnd) => PhoneReceiver): void {
    this.#phones.set(nameOf(at), accept)
  }

  bind(replica: number, listener: SipProcess): void {
    this.unbind(replica)
    const connect = (to: SocketAddress, by: StreamHost): SetEnd => this.#connectTo(to, by).setEnd
    const onRead = (text: string): void => this.#resets.read(listener.life, text)
    const host = new StreamHost(this.#agenda, listener, connect, onRead)
    this.#bound = [...this.#bound, { replica, listener, host }].sort((a, b) => a.replica - b.replica)
  }

  /** Its process died: the kernel sends what was written, then the end; what comes for it is lost. */
  unbind(replica: number): void {
    const dead = this.#bound.find((bound) => bound.replica === replica)
    this.#bound = this.#bound.filter((bound) => bound !== dead)
    if (dead === undefined) return
    for (const connection of [...this.#connections.values()]) {
      if (connection.host !== dead.host) continue
      for (const text of connection.toSet.break())
        this.#resets.lost(text, `it was under way to ${dead.host.life}, which died`)
      connection.host = null
      connection.toPhone.whenEmpty(() => this.#end(connection))
    }
  }

  /** A send of a replica on a stream. False: its sockets are closed. */
  fromSet(replica: number, send: Send): boolean {
    this.#trace.event(
      mixText(replica, send.data).low,
      () => `${replica} => ${nameOf(send.flow)}  ${summary(send.data)}`,
    )
    const bound = this.#bound.find((one) => one.replica === replica)
    bound?.host.send(send)
    return bound !== undefined
  }

  /** A phone connects to the set. It may write at once. */
  connect(from: SocketAddress, receiver: PhoneReceiver): PhoneEnd {
    const connection = this.#make({ host: from.host, port: firstPort + this.#names + 1 })
    connection.receiver = receiver
    this.#agenda.after(this.#delay(1, connection.name), () => this.#deal(connection))
    return connection.phoneEnd
  }

  /** The network ends all connections of a phone; what is under way is lost. */
  resetPhone(host: string): void {
    for (const connection of [...this.#connections.values()]) {
      if (connection.phone.host === host && connection.state === 'open') this.#reset(connection)
    }
  }

  #reset(connection: Connection): void {
    this.#trace.tell(`the network resets the connection of ${nameOf(connection.phone)}`)
    for (const pipe of [connection.toSet, connection.toPhone]) {
      for (const text of pipe.break()) this.#resets.lost(text, 'the network reset its connection')
    }
    this.#end(connection)
  }

  #make(phone: SocketAddress): Connection {
    const name = ++this.#names
    const parts = { agenda: this.#agenda, draw: this.#draw, plan: this.#plan, isFaulty: () => this.#isFaulty }
    const connection: Connection = {
      name,
      phone,
      state: 'connecting',
      host: null,
      phoneKnows: false,
      receiver: null,
      early: [],
      toSet: new Pipe(parts, name * 2, (chunk) => this.#atSet(connection, chunk)),
      toPhone: new Pipe(parts, name * 2 + 1, (chunk) => connection.receiver?.read(chunk)),
      setEnd: {
        far: phone,
        write: (message) => connection.toPhone.write(message),
        abort: () => this.#reset(connection),
      },
      phoneEnd: {
        get isOpen() {
          return !connection.phoneKnows
        },
        send: (message) => this.#fromPhone(connection, message),
      },
    }
    this.#connections.set(name, connection)
    return connection
  }

  /** A phone's SYN arrives: one of the listening sockets gets it. */
  #deal(connection: Connection): void {
    if (connection.state === 'closed') return
    const dealt = this.#address.deal(nameOf(connection.phone))
    const bound = this.#bound.find(({ replica }) => replica === dealt)
    if (bound === undefined) {
      const again = this.#address.tryAgainAfter()
      if (again === null) this.#end(connection, connection.early)
      else this.#agenda.after(again, () => this.#deal(connection))
      return
    }
    const { host, replica } = bound
    this.#trace.tell(`${nameOf(connection.phone)} is connected with [${replica}]`)
    connection.host = host
    connection.state = 'open'
    host.accepted(connection.setEnd)
    for (const message of connection.early) connection.toSet.write(message)
  }

  #connectTo({ host, port }: SocketAddress, by: StreamHost): Connection {
    const connection = this.#make({ host, port })
    connection.host = by
    this.#agenda.after(this.#delay(2, connection.name), () => {
      if (connection.host === null) return
      const accept = this.#phones.get(nameOf(connection.phone))
      if (accept === undefined) return this.#end(connection)
      connection.state = 'open'
      connection.receiver = accept(connection.phoneEnd)
      by.connected(connection.setEnd)
    })
    return connection
  }

  #fromPhone(connection: Connection, message: string): void {
    this.onWritten(connection.phone, message)
    this.#trace.event(mixText(connection.phone.port, message).low, () => {
      const told = connection.state === 'closed' ? 'closed' : nameOf(this.#set)
      return `${nameOf(connection.phone)} => ${told}  ${summary(message)}`
    })
    if (connection.state === 'connecting') connection.early.push(message)
    else if (!connection.toSet.write(message)) this.#resets.lost(message, 'its connection had just ended')
  }

  #atSet(connection: Connection, chunk: string): void {
    const { host } = connection
    this.#trace.event(
      mixText(connection.name, chunk).low,
      () => `${nameOf(connection.phone)} => a chunk of ${chunk.length}`,
    )
    host?.read(connection.setEnd, chunk)
  }

  /** Both ends hear of it soon. */
  #end(connection: Connection, unsent: readonly string[] = []): void {
    if (connection.state === 'closed') return
    connection.state = 'closed'
    this.#connections.delete(connection.name)
    const { host, receiver } = connection
    connection.toSet.break()
    this.#agenda.after(this.#draw.within(10, noticeMost, 3, connection.name), () => {
      connection.phoneKnows = true
      receiver?.closed(unsent)
    })
    this.#agenda.after(this.#draw.within(10, noticeMost, 4, connection.name), () => host?.closed(connection.setEnd))
  }

  #delay(...about: readonly number[]): number {
    const { delayLeast, delayMost } = this.#plan
    return this.#isFaulty ? this.#draw.within(delayLeast, delayMost, 5, ...about) : delayLeast
  }
}
