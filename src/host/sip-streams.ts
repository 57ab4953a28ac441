// The connections of the shared SIP address, and those that this replica makes: RFC 3261 18, RFC 7118. A connection is named
// `life/serial`, so that no later life sends on a stranger's (design.md 8). Where they come in: sip-listener.ts; how they are made:
// sip-dialer.ts; what is on them: stream-link.ts.

import { isIP } from 'node:net'
import type { Listener } from '../proxy/settings.ts'
import { Admission } from './admission.ts'
import { viaOf } from '../proxy/upstream.ts'
import type { Send } from '../replica/effect.ts'
import { cseq, parseMessage } from '../sip/message.ts'
import { defaultPort } from '../sip/transport.ts'
import type { FrameEvent } from '../sip/stream.ts'
import type { Flow } from '../wire/entry.ts'
import { hostLimits } from './limits.ts'
import { dial } from './sip-dialer.ts'
import { SipListener } from './sip-listener.ts'
import type { Arrival } from './sip-listener.ts'
import type { SipParts } from './sip-sockets.ts'
import { StreamRounds } from './stream-rounds.ts'
import type { LinkEvents, StreamLink } from './stream-link.ts'
import type { WebSockets } from './web-sockets.ts'

/** Listening at all addresses. */
const ANY: readonly string[] = ['0.0.0.0', '::']

interface Connection {
  readonly flow: Flow
  readonly link: StreamLink
  /** Where it stands in `#byPlace`, besides its far end: what a client's certificate proved. */
  alias: string | null
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
  readonly #listeners: readonly SipListener[]
  readonly #byId = new Map<string, Connection>()
  /** The newest connection with each far end, by transport, host and port; and with each that has proved to be there (`alias`). */
  readonly #byPlace = new Map<string, Connection>()
  readonly #admission = new Admission(hostLimits.connections, hostLimits.connectionsASource)
  /** Accepted ones that said nothing yet, oldest first. */
  readonly #silent = new Map<string, Connection>()
  /** Messages on their way in. */
  readonly #rounds: StreamRounds<Connection>
  #serial = 0
  #webSockets: WebSockets | null = null
  #sweep: NodeJS.Timeout | null = null
  /** Since when connections are let go; null = they aren't. */
  #drainsSince: number | null = null
  #drained: () => void = () => undefined

  constructor(parts: SipParts, listeners: readonly Listener[]) {
    this.#parts = parts
    this.#rounds = new StreamRounds({
      room: hostLimits.streamsWaiting,
      handle: ({ flow }, data) => parts.give({ kind: 'sip', flow, data }),
      read: ({ link }, isRead) => link.read(isRead),
    })
    this.#listeners = listeners.map(
      (listener) =>
        new SipListener(listener, {
          log: parts.log,
          certificates: parts.certificates,
          admit: (host) => this.#admit(host),
          left: (host) => this.#admission.left(host),
          arrived: (arrival) => this.#accept(listener, arrival),
        }),
    )
  }

  get size(): number {
    return this.#byId.size
  }

  async open(webSockets: WebSockets | null): Promise<void> {
    this.#webSockets = webSockets
    await Promise.all(this.#listeners.map((listener) => listener.open(webSockets)))
    this.#sweep = setInterval(() => this.#sweepOut(), hostLimits.sweepMs)
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
    for (const listener of this.#listeners) listener.close()
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
      const { endedAt, saidAt, isRinging, waiting, link } = connection
      if (this.#rounds.isWaiting(connection)) continue
      if (endedAt !== null) {
        // After a pause of this process what came meanwhile is still to be read: the loop does so before its immediates.
        if (now - endedAt >= hostLimits.drainCloseMs) setImmediate(() => this.#closeRead(connection))
      } else if (isLate || (now - saidAt >= hostLimits.drainQuietMs && !isRinging && waiting === null)) {
        connection.endedAt = now
        link.end()
      }
    }
    this.#lookDrained()
  }

  #closeRead(connection: Connection): void {
    if (!this.#rounds.isWaiting(connection)) connection.link.destroy()
  }

  #lookDrained(): void {
    if (this.#drainsSince !== null && this.#byId.size === 0 && this.#rounds.isEmpty) this.#drained()
  }

  close(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep)
    for (const listener of this.#listeners) listener.close()
    for (const { link } of this.#byId.values()) link.destroy()
  }

  /** Whether one more connection from there is taken: for one that says nothing yet, one that never did has to go. */
  #admit(host: string): boolean {
    if (this.#admission.isFullFor(host) && !this.#makeRoom(host)) {
      const said = `more than ${hostLimits.connectionsASource} connections from one address: a new one is closed`
      this.#parts.log.warn('connections-of-one', said, { host })
      return false
    }
    if (this.#admission.isFull && !this.#makeRoom()) {
      this.#parts.log.warn('connections-full', `more than ${hostLimits.connections} connections: a new one is closed`)
      return false
    }
    this.#admission.came(host)
    return true
  }

  #accept({ transport }: Listener, { host, port, link }: Arrival): void {
    const connection = this.#add({ transport, host, port }, null, link)
    if (connection !== null) this.#silent.set(connection.flow.stream, connection)
  }

  /** Closes the connection that has been silent longest, of all or of those from that address, else one that has begun a message;
   * false if there is none. */
  #makeRoom(host: string | null = null): boolean {
    let begun: Connection | null = null
    for (const connection of this.#silent.values()) {
      if (host !== null && connection.flow.host !== host) continue
      if (connection.halfSince === 0) return this.#closeForRoom(connection)
      begun ??= connection
    }
    return begun !== null && this.#closeForRoom(begun)
  }

  #closeForRoom(connection: Connection): true {
    this.#drop(connection, 'silent-closed', 'a silent connection is closed to make room')
    return true
  }

  #connect(flow: Flow): Connection | null {
    const { host, port } = flow
    if (isIP(host) === 0 || port < 1 || port > 65_535) return null
    if (this.#admission.isFull && !this.#makeRoom()) return null
    const { certificates, log } = this.#parts
    const opened = (): void => {
      clearTimeout(timer)
      if (connection !== null) this.#opened(connection)
    }
    const connection = this.#add(flow, [], (events) => {
      const closed = (): void => {
        clearTimeout(timer)
        this.#admission.ended()
        events.closed()
      }
      const from = this.#sourceTo(flow)
      return dial(flow, { certificates, webSockets: this.#webSockets, log, from }, { ...events, closed, opened })
    })
    const timer = setTimeout(() => connection?.link.destroy(), hostLimits.connectMs)
    if (connection === null) clearTimeout(timer)
    else this.#admission.made()
    return connection
  }

  /** Whoever answers on another connection than this one, since it is gone with its replica, makes it to where this one came from,
   * and to the port in our Via (RFC 3261 18.2.2): so it comes from an address where the survivors listen. */
  #sourceTo({ transport, host }: Flow): string | null {
    if (!this.#parts.isOnlyHere) return null
    const alike = (listener: Listener): boolean =>
      listener.transport === transport && listener.host.includes(':') === host.includes(':')
    const own = this.#parts.listeners.find(alike)?.host ?? null
    return own === null || ANY.includes(own) ? null : own
  }

  /** `link` begins to read, and to tell events, after this turn of the loop. */
  #add(
    { transport, host, port }: Pick<Flow, 'transport' | 'host' | 'port'>,
    waiting: Send[] | null,
    link: (events: LinkEvents) => StreamLink | null,
  ): Connection | null {
    const stream = `${this.#parts.life}/${++this.#serial}`
    const since = performance.now()
    const made = link({
      heard: (events) => this.#read(connection, events),
      closed: () => this.#closed(connection),
    })
    if (made === null) return null
    const connection: Connection = {
      flow: { transport, host, port, stream },
      link: made,
      alias: null,
      since,
      waiting,
      halfSince: 0,
      saidAt: since,
      isRinging: false,
      endedAt: null,
    }
    this.#byId.set(stream, connection)
    this.#byPlace.set(place(connection.flow), connection)
    return connection
  }

  #opened(connection: Connection): void {
    const waiting = connection.waiting ?? []
    connection.waiting = null
    for (const send of waiting) this.#sendOn(connection, send)
  }

  #read(connection: Connection, events: readonly FrameEvent[]): void {
    const { link, flow } = connection
    connection.saidAt = performance.now()
    if (!link.isWithinMessage) connection.halfSince = 0
    else if (connection.halfSince === 0 || events.length > 0) connection.halfSince = performance.now()
    for (const event of events) {
      if (link.isGone) return
      switch (event.kind) {
        case 'message':
          this.#silent.delete(flow.stream)
          connection.isRinging = rings(event.text, connection.isRinging)
          if (flow.transport === 'tls' && event.text.includes(';alias')) this.#prove(connection, event.text)
          if (this.#rounds.take(connection, event.text)) break
          this.#drop(connection, 'streams-full', 'a connection is reset: too much waits of what came on all of them')
          return
        case 'ping':
          // RFC 5626 4.4.1: two CRLF are answered by one.
          if (this.#hasRoom(connection)) link.pong()
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
    connection.link.send(send.data)
  }

  /** RFC 5923: requests to a client that has asked for it (`alias` in its Via) and whose certificate says that it is who its sent-by
   * names go on its own connection. Without a certificate nothing proves that, so over TCP nobody is believed. */
  #prove(connection: Connection, text: string): void {
    const message = parseMessage(text)
    if (!message.ok || message.value.kind !== 'request' || connection.alias !== null) return
    const via = viaOf(message.value)
    if (!via.params.has('alias') || !connection.link.proves(via.host)) return
    connection.alias = place({ ...connection.flow, port: via.port ?? defaultPort('tls') })
    this.#byPlace.set(connection.alias, connection)
  }

  /** False, and the connection is reset, if its far end hasn't read for too long. */
  #hasRoom(connection: Connection): boolean {
    if (!connection.link.canSend || connection.endedAt !== null) return false
    if (connection.link.waitingBytes <= hostLimits.streamQueueBytes) return true
    this.#drop(connection, 'slow-peer', 'a connection is reset: its far end does not read')
    return false
  }

  #drop(connection: Connection, code: string, message: string): void {
    const { host, port } = connection.flow
    this.#parts.log.warn(code, message, { host, port })
    this.#forget(connection)
    connection.link.reset()
  }

  #forget(connection: Connection): void {
    const { flow, alias } = connection
    this.#byId.delete(flow.stream)
    this.#silent.delete(flow.stream)
    for (const name of [place(flow), alias ?? ''])
      if (this.#byPlace.get(name) === connection) this.#byPlace.delete(name)
  }

  #closed(connection: Connection): void {
    this.#forget(connection)
    const waiting = connection.waiting ?? []
    connection.waiting = null
    for (const send of waiting) this.#unsent(send, 'unreachable')
    this.#parts.give({ kind: 'stream-closed', stream: connection.flow.stream })
    this.#lookDrained()
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
      // One that isn't read can't go on.
      if (this.#rounds.isWaiting(connection)) continue
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

function place({ transport, host, port }: Pick<Flow, 'transport' | 'host' | 'port'>): string {
  return `${transport} ${host} ${port}`
}
