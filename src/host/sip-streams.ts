// TCP at the shared SIP address, and the connections this replica makes: RFC 3261 18. A connection is named
// `life/serial`, so that no later life sends on a stranger's (design.md 8).

import { createConnection, createServer, isIP } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { Send } from '../replica/effect.ts'
import { cseq, parseMessage } from '../sip/message.ts'
import { StreamFramer } from '../sip/stream.ts'
import type { Flow } from '../wire/entry.ts'
import { hostLimits } from './limits.ts'
import type { SipParts } from './sip-sockets.ts'

interface Connection {
  readonly flow: Flow
  readonly socket: Socket
  readonly framer: StreamFramer
  /** When it was accepted or begun. */
  readonly since: number
  /** Invariant: not null exactly until it is connected; in order of sending. */
  waiting: Send[] | null
  /** Since when a message has begun and not ended; 0 = none has. */
  halfSince: number
  /** When bytes came or a message left last. */
  saidAt: number
  /** An INVITE went on it, either way, and no final response since. With many calls on it this is a guess; but then it is never
   * quiet anyway. */
  isRinging: boolean
  /** When we ended our side; null = we didn't. */
  endedAt: number | null
}

export class SipStreams {
  readonly #parts: SipParts
  readonly #server: Server
  readonly #byId = new Map<string, Connection>()
  /** The newest connection with each far end. */
  readonly #byPlace = new Map<string, Connection>()
  /** Accepted ones that said nothing yet, oldest first. */
  readonly #silent = new Map<string, Connection>()
  #serial = 0
  #sweep: NodeJS.Timeout | null = null
  /** Since when connections are let go; null = they aren't. */
  #drainsSince: number | null = null
  #drained: () => void = () => undefined

  constructor(parts: SipParts) {
    this.#parts = parts
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket))
  }

  get size(): number {
    return this.#byId.size
  }

  open(): Promise<void> {
    const { host, port } = this.#parts.address
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, reusePort: true, ipv6Only: host.includes(':') }, () => {
        this.#server.off('error', reject)
        // Such as EMFILE when accepting: the kernel's queue keeps the rest.
        this.#server.on('error', (error) => this.#parts.log.warn('tcp-accept-failed', error.message))
        this.#sweep = setInterval(() => this.#sweepOut(), hostLimits.sweepMs)
        resolve()
      })
    })
  }

  send(send: Send): void {
    const { flow } = send
    if (flow.stream !== '') {
      const connection = this.#byId.get(flow.stream)
      if (connection === undefined) this.#unsent(send, 'no-stream')
      else this.#sendOn(connection, send)
      return
    }
    const open = this.#byPlace.get(place(flow)) ?? this.#connect(flow)
    if (open === null) this.#unsent(send, 'unreachable')
    else this.#sendOn(open, send)
  }

  /** Accepts no more, and ends each connection once nothing is under way on it, so that nobody is reset who has said something or
   * waits for an answer. Resolves when none is left. */
  drain(): Promise<void> {
    if (this.#sweep === null) return Promise.resolve()
    this.#server.close()
    clearInterval(this.#sweep)
    this.#drainsSince = performance.now()
    this.#sweep = setInterval(() => this.#letGo(), hostLimits.drainQuietMs / 10)
    return new Promise((resolve) => {
      this.#drained = resolve
      this.#letGo()
    })
  }

  /** Our end of a connection is closed, and what the far end had under way is still read: its next message goes on a new one. */
  #letGo(): void {
    const now = performance.now()
    const isLate = now - (this.#drainsSince ?? now) >= hostLimits.drainStreamsMs
    for (const connection of this.#byId.values()) {
      const { endedAt, saidAt, isRinging, waiting, socket } = connection
      if (endedAt !== null) {
        if (now - endedAt >= hostLimits.drainCloseMs) socket.destroy()
      } else if (isLate || (now - saidAt >= hostLimits.drainQuietMs && !isRinging && waiting === null)) {
        connection.endedAt = now
        socket.end()
      }
    }
    if (this.#byId.size === 0) this.#drained()
  }

  close(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep)
    this.#server.close()
    for (const { socket } of this.#byId.values()) socket.destroy()
  }

  #accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket
    // Closed before it was accepted.
    if (remoteAddress === undefined || remotePort === undefined) return void socket.destroy()
    if (this.#byId.size >= hostLimits.connections && !this.#makeRoom()) {
      this.#parts.log.warn('connections-full', `more than ${hostLimits.connections} connections: a new one is closed`)
      socket.destroy()
      return
    }
    const connection = this.#add(socket, remoteAddress, remotePort, null)
    this.#silent.set(connection.flow.stream, connection)
  }

  /** Closes the connection that has been silent longest; false if none is. */
  #makeRoom(): boolean {
    for (const connection of this.#silent.values()) {
      this.#drop(connection, 'silent-closed', 'a silent connection is closed to make room')
      return true
    }
    return false
  }

  #connect(flow: Flow): Connection | null {
    const { host, port } = flow
    if (isIP(host) === 0 || port < 1 || port > 65_535) return null
    if (this.#byId.size >= hostLimits.connections && !this.#makeRoom()) return null
    const socket = createConnection({ host, port, noDelay: true, keepAlive: true })
    const connection = this.#add(socket, host, port, [])
    const timer = setTimeout(() => socket.destroy(), hostLimits.connectMs)
    socket.once('close', () => clearTimeout(timer))
    socket.once('connect', () => {
      clearTimeout(timer)
      const waiting = connection.waiting ?? []
      connection.waiting = null
      for (const send of waiting) this.#sendOn(connection, send)
    })
    return connection
  }

  #add(socket: Socket, host: string, port: number, waiting: Send[] | null): Connection {
    const stream = `${this.#parts.life}/${++this.#serial}`
    const flow: Flow = { transport: 'tcp', host, port, stream }
    const since = performance.now()
    const connection: Connection = {
      flow,
      socket,
      framer: new StreamFramer(),
      since,
      waiting,
      halfSince: 0,
      saidAt: since,
      isRinging: false,
      endedAt: null,
    }
    this.#byId.set(stream, connection)
    this.#byPlace.set(place(flow), connection)
    socket.on('data', (chunk) => this.#read(connection, chunk as Buffer))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed(connection))
    return connection
  }

  #read(connection: Connection, chunk: Buffer): void {
    const { framer, socket, flow } = connection
    const events = framer.push(chunk.toString('latin1'))
    connection.saidAt = performance.now()
    if (!framer.isWithinMessage) connection.halfSince = 0
    else if (connection.halfSince === 0 || events.length > 0) connection.halfSince = performance.now()
    for (const event of events) {
      if (socket.destroyed) return
      switch (event.kind) {
        case 'message':
          this.#silent.delete(flow.stream)
          connection.isRinging = rings(event.text, connection.isRinging)
          this.#parts.give({ kind: 'sip', flow, data: event.text })
          break
        case 'ping':
          // RFC 5626 4.4.1: two CRLF are answered by one.
          if (this.#hasRoom(connection)) socket.write('\r\n')
          break
        case 'broken':
          this.#drop(connection, 'stream-broken', `a connection is closed: ${event.reason}`)
          return
      }
    }
  }

  #sendOn(connection: Connection, send: Send): void {
    if (this.#parts.clock.now() > send.notAfter) return this.#unsent(send, 'late')
    if (connection.waiting !== null) {
      if (connection.waiting.length >= hostLimits.connectWaiting) return this.#unsent(send, 'unreachable')
      connection.waiting.push(send)
      return
    }
    if (!this.#hasRoom(connection)) return this.#unsent(send, 'no-stream')
    connection.saidAt = performance.now()
    connection.isRinging = rings(send.data, connection.isRinging)
    connection.socket.write(send.data, 'latin1')
  }

  /** False, and the connection is reset, if its far end hasn't read for too long. */
  #hasRoom(connection: Connection): boolean {
    if (connection.socket.destroyed || connection.endedAt !== null) return false
    if (connection.socket.writableLength <= hostLimits.streamQueueBytes) return true
    this.#drop(connection, 'slow-peer', 'a connection is reset: its far end does not read')
    return false
  }

  #drop(connection: Connection, code: string, message: string): void {
    const { host, port } = connection.flow
    this.#parts.log.warn(code, message, { host, port })
    this.#forget(connection)
    connection.socket.resetAndDestroy()
  }

  #forget(connection: Connection): void {
    const { flow } = connection
    this.#byId.delete(flow.stream)
    this.#silent.delete(flow.stream)
    if (this.#byPlace.get(place(flow)) === connection) this.#byPlace.delete(place(flow))
  }

  #closed(connection: Connection): void {
    this.#forget(connection)
    const waiting = connection.waiting ?? []
    connection.waiting = null
    for (const send of waiting) this.#unsent(send, 'unreachable')
    this.#parts.give({ kind: 'stream-closed', stream: connection.flow.stream })
    if (this.#drainsSince !== null && this.#byId.size === 0) this.#drained()
  }

  #sweepOut(): void {
    const now = performance.now()
    for (const connection of this.#silent.values()) {
      if (now - connection.since < hostLimits.silentMs) break
      this.#drop(
        connection,
        'silent-closed',
        `a connection said nothing for ${hostLimits.silentMs / 1_000} s and is closed`,
      )
    }
    for (const connection of this.#byId.values()) {
      if (connection.halfSince === 0 || now - connection.halfSince < hostLimits.halfMessageMs) continue
      this.#drop(connection, 'half-message', 'a connection is closed: its message never ended')
    }
  }

  #unsent(send: Send, reason: 'late' | 'no-stream' | 'unreachable'): void {
    this.#parts.give({ kind: 'unsent', send, reason })
  }
}

/** Whether an INVITE waits for its final response after this message. */
function rings(data: string, before: boolean): boolean {
  if (data.startsWith('INVITE ')) return true
  if (!before || !data.startsWith('SIP/2.0 ') || data.charAt(8) === '1') return before
  const response = parseMessage(data)
  return !response.ok || cseq(response.value).method !== 'INVITE'
}

function place({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host} ${port}`
}
