// Sockets for the simulator's phones: datagrams, connections of their own, and those that the set makes to them. A connection that
// ends without their doing is a *reset*. What a phone had asked on it and heard nothing of, it asks again on another one, as
// whoever sees its connection go does: nothing else would bring it (RFC 3261 17.1.2.2: on a stream there is no timer E). A phone on
// WebSocket can't be called back (RFC 7118 5): it connects again, and says there what has no final answer, or asks something in its dialog.

import { createSocket } from 'node:dgram'
import type { Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { framed } from '../../sim/phones/framing.ts'
import type { Speaks } from '../../sim/ladder.ts'
import { branchOf, cseqOf, readMessage } from '../../sim/phones/message.ts'
import type { Phone } from '../../sim/phones/phone.ts'
import type { PhoneNetwork } from '../../sim/phones/surroundings.ts'
import { nameOf } from '../../sim/sip-network.ts'
import type { SocketAddress } from '../../sim/sip-network.ts'
import type { PhoneEnd, PhoneReceiver } from '../../sim/stream-network.ts'
import type { Trust } from '../cluster/wires.ts'
import type { LiveAgenda } from './live-agenda.ts'
import { dial, serve } from './live-streams.ts'
import type { LiveStream } from './live-streams.ts'

/** A connection that ended under a phone. */
export interface Reset {
  /** `PHONE SET`, as this end and the far one name their addresses. */
  readonly connection: string
  /** When it was begun (performance.now()). */
  readonly since: number
  /** Requests that the phone sends again because of it. */
  readonly again: number
}

interface Place {
  readonly datagrams: DatagramSocket
  readonly server: Server
  /** Several callees may share an address. */
  readonly phones: Map<string, Phone>
}

export interface NetworkOptions {
  readonly set: SocketAddress
  /** What the phones speak. */
  readonly by: Speaks
  readonly trust: Trust
}

/** After its connection has gone. */
const BACK_AFTER_US = 400_000

export class LiveNetwork implements PhoneNetwork {
  readonly #live: LiveAgenda
  readonly #set: SocketAddress
  readonly #by: Speaks
  readonly #trust: Trust
  readonly #places = new Map<string, Place>()
  readonly #sockets = new Set<Socket>()
  /** Requests without any answer yet, by transaction. */
  readonly #unanswered = new Map<string, string>()
  /** What is said and not with the kernel yet, and whether its connection stands. */
  readonly #flying = new Map<Promise<void>, () => boolean>()
  readonly #connections = new Set<string>()
  readonly #resets: Reset[] = []
  readonly #strays: string[] = []
  #isOver = false

  constructor(live: LiveAgenda, { set, by, trust }: NetworkOptions) {
    this.#by = by === 'udp' ? 'tcp' : by
    this.#trust = trust
    this.#live = live
    this.#set = set
  }

  /** Those that phones have, as a Reset names them: of their own making or the set's. */
  get connections(): ReadonlySet<string> {
    return this.#connections
  }

  get resets(): readonly Reset[] {
    return this.#resets
  }

  /** What came for nobody. */
  get strays(): readonly string[] {
    return this.#strays
  }

  /** This phone is reached at its address from now on. */
  async open(phone: Phone): Promise<void> {
    const { address, callId } = phone.options
    const known = this.#places.get(nameOf(address)) ?? (await this.#bind(address))
    known.phones.set(callId, phone)
  }

  datagram(from: SocketAddress, to: SocketAddress, text: string): void {
    const socket = this.#places.get(nameOf(from))?.datagrams
    if (socket === undefined || this.#isOver) return
    const send = (landed: () => void): void => socket.send(Buffer.from(text, 'latin1'), to.port, to.host, landed)
    this.#fly(send, () => true)
  }

  connect(from: SocketAddress, receiver: PhoneReceiver): PhoneEnd {
    const stream = dial(this.#by, from, this.#set, this.#trust)
    const { socket } = stream
    const asked = new Set<string>()
    const since = performance.now()
    const end = this.#end(stream, asked, () => this.#live.pass())
    const answers = framed(
      (text) => this.#answered(text),
      () => undefined,
    )
    stream.onText((text) => {
      this.#live.pass()
      answers.read(text)
      receiver.read(text)
      this.#live.pass()
    })
    // A closed socket knows no address any more.
    let connection: string | null = null
    socket.once('connect', () => {
      connection = nameOfSocket(socket)
      this.#connections.add(connection)
    })
    socket.once('close', () => {
      if (this.#isOver) return
      if (connection !== null) this.#connections.delete(connection)
      const unsent = [...asked].flatMap((key) => this.#unanswered.get(key) ?? [])
      if (connection !== null) this.#resets.push({ connection, since, again: unsent.length })
      if (connection === null || !this.#mustComeBack(from)) receiver.closed(unsent)
    })
    return end
  }

  /** Whoever dialed from there can't be called back, and does so. */
  #mustComeBack(from: SocketAddress): boolean {
    if (this.#by !== 'ws' && this.#by !== 'wss') return false
    const phones = [...(this.#places.get(nameOf(from))?.phones.values() ?? [])]
    this.#live.agenda.after(BACK_AFTER_US, () => {
      for (const phone of phones) phone.cameBack()
    })
    return true
  }

  /** Everything said so far has been given to the kernel. */
  async flushed(): Promise<void> {
    while (this.#flying.size > 0) await Promise.all(this.#flying.keys())
  }

  /** The same but for what waits for its connection: who is stopped answers none. */
  async flushedWhereOpen(): Promise<void> {
    await Promise.all([...this.#flying].flatMap(([flight, isOpen]) => (isOpen() ? [flight] : [])))
  }

  end(): void {
    this.#isOver = true
    for (const { datagrams, server } of this.#places.values()) {
      datagrams.close()
      server.close()
    }
    for (const socket of this.#sockets) socket.destroy()
  }

  async #bind(address: SocketAddress): Promise<Place> {
    const datagrams = createSocket(address.host.includes(':') ? 'udp6' : 'udp4')
    const phones = new Map<string, Phone>()
    datagrams.on('message', (bytes, from) => {
      this.#deliver(phones, bytes.toString('latin1'), { host: from.address, port: from.port }, address, null)
    })
    datagrams.bind(address.port, address.host)
    const server = serve(this.#by, this.#trust, (stream) => {
      const { socket } = stream
      const end = this.#end(stream, new Set(), () => this.#live.pass())
      const { read } = framed(
        (text) => this.#deliver(phones, text, this.#set, address, end),
        (problem) => this.#strays.push(problem),
      )
      const connection = nameOfSocket(socket)
      const since = performance.now()
      this.#connections.add(connection)
      stream.onText(read)
      socket.once('close', () => {
        this.#connections.delete(connection)
        if (!this.#isOver) this.#resets.push({ connection, since, again: 0 })
      })
    })
    server.listen(address.port, address.host)
    await Promise.all([once(datagrams, 'listening'), once(server, 'listening')])
    const place = { datagrams, server, phones }
    this.#places.set(nameOf(address), place)
    return place
  }

  #deliver(
    phones: ReadonlyMap<string, Phone>,
    text: string,
    from: SocketAddress,
    at: SocketAddress,
    end: PhoneEnd | null,
  ): void {
    if (text.trim() === '') return
    this.#live.pass()
    this.#answered(text)
    const callId = /\r\n(?:call-id|i)[ \t]*:[ \t]*(\S+)/i.exec(text)?.[1] ?? ''
    const phone = phones.get(callId)
    // A takeover says again the ACKs of refusals (17.1.1.2) of a crowd that was here before.
    if (phone === undefined && text.startsWith('ACK ')) return
    if (phone === undefined) this.#strays.push(text)
    else phone.receive(text, { from, at, end })
    this.#live.pass()
  }

  #end(stream: LiveStream, asked: Set<string>, pass: () => void): PhoneEnd {
    const { socket } = stream
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => pass())
    let isOpen = true
    socket.once('close', () => {
      isOpen = false
      this.#sockets.delete(socket)
    })
    return {
      get isOpen() {
        return isOpen
      },
      send: (text) => {
        const key = requestKey(text)
        if (key !== null) {
          asked.add(key)
          this.#unanswered.set(key, text)
        }
        this.#fly(
          (landed) => stream.write(text, landed),
          () => stream.isOpen,
        )
      },
    }
  }

  #answered(text: string): void {
    const message = text.startsWith('SIP/2.0 ') ? readMessage(text) : null
    if (message !== null && typeof message !== 'string') {
      this.#unanswered.delete(`${branchOf(message)} ${cseqOf(message).method}`)
    }
  }

  #fly(send: (landed: () => void) => void, isOpen: () => boolean): void {
    const flight = new Promise<void>((landed) => send(() => landed()))
    this.#flying.set(flight, isOpen)
    void flight.then(() => this.#flying.delete(flight))
  }
}

/** A request's transaction; null for what nobody answers. */
function requestKey(text: string): string | null {
  const message = text.startsWith('SIP/2.0 ') ? null : readMessage(text)
  if (message === null || typeof message === 'string' || cseqOf(message).method === 'ACK') return null
  return `${branchOf(message)} ${cseqOf(message).method}`
}

function nameOfSocket(socket: Socket): string {
  const end = (host = '', port = 0): string => nameOf({ host, port })
  return `${end(socket.localAddress, socket.localPort)} ${end(socket.remoteAddress, socket.remotePort)}`
}
