// One address at which connections come: TCP, TLS, WebSocket (RFC 7118) or secure WebSocket, bound by every replica of the set with
// `reusePort`. All of them begin as one TCP connection, counted before anything is read from it:
//
//   admitted? -> [TLS handshake] -> [HTTP upgrade with the subprotocol `sip`] -> a link
//              '------------- in hostLimits.handshakeMs, or closed ------------'

import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Server as TlsServer } from 'node:tls'
import type { Listener } from '../proxy/settings.ts'
import { sipLimits } from '../sip/limits.ts'
import { isSecure, isWebSocket } from '../sip/transport.ts'
import type { Certificates } from './certificates.ts'
import { hostLimits } from './limits.ts'
import type { SparseLog } from './log.ts'
import { socketLink, webSocketLink } from './stream-link.ts'
import type { LinkEvents, StreamLink } from './stream-link.ts'
import type { WebSockets } from './web-sockets.ts'

/** A connection that is ready for SIP. */
export interface Arrival {
  readonly host: string
  readonly port: number
  /** Begins to read. */
  link(events: LinkEvents): StreamLink
}

export interface ListenerParts {
  readonly log: SparseLog
  /** Not null if any listener is secure. */
  readonly certificates: Certificates | null
  /** Whether there is room for one more from that host, which is then counted until `left`. */
  admit(host: string): boolean
  left(host: string): void
  arrived(arrival: Arrival): void
}

export class SipListener {
  readonly #listener: Listener
  readonly #parts: ListenerParts
  readonly #server: Server
  readonly #tls: TlsServer | null
  /** Of a listener for WebSocket, once it is open. */
  #http: HttpServer | null = null
  /** Connections that aren't ready, by their far ends. */
  readonly #pending = new Map<string, { readonly socket: Socket; readonly timer: NodeJS.Timeout }>()

  constructor(listener: Listener, parts: ListenerParts) {
    this.#listener = listener
    this.#parts = parts
    this.#tls = isSecure(listener.transport) && parts.certificates !== null ? this.#secured(parts.certificates) : null
    this.#server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: hostLimits.probeMs },
      (socket) => this.#accept(socket),
    )
  }

  /** `webSockets`: not null if this listener is for them. */
  open(webSockets: WebSockets | null): Promise<void> {
    const { transport, host, port } = this.#listener
    if (webSockets !== null && isWebSocket(transport)) this.#http = this.#upgrading(webSockets)
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, reusePort: true, ipv6Only: host.includes(':') }, () => {
        this.#server.off('error', reject)
        // Such as EMFILE when accepting: the kernel's queue keeps the rest.
        this.#server.on('error', (error) => this.#parts.log.warn('tcp-accept-failed', error.message))
        resolve()
      })
    })
  }

  /** Accepts no more; who is not ready is let go. */
  close(): void {
    this.#server.close()
    for (const { socket } of this.#pending.values()) socket.destroy()
  }

  #accept(socket: Socket): void {
    const { remoteAddress: host } = socket
    // Closed before it was accepted.
    if (host === undefined) return void socket.destroy()
    if (!this.#parts.admit(host)) return void socket.destroy()
    socket.once('close', () => this.#parts.left(host))
    if (this.#tls === null && this.#http === null) return this.#arrive(socket, (events) => socketLink(socket, events))
    const timer = setTimeout(() => {
      this.#parts.log.warn('handshake-slow', 'a connection is closed: it made no handshake in time', { host })
      socket.destroy()
    }, hostLimits.handshakeMs)
    const end = farEnd(socket)
    this.#pending.set(end, { socket, timer })
    socket.on('error', () => undefined)
    socket.once('close', () => this.#ready(end))
    if (this.#tls !== null) this.#tls.emit('connection', socket)
    else this.#http?.emit('connection', socket)
  }

  #arrive(socket: Socket, link: Arrival['link']): void {
    this.#ready(farEnd(socket))
    const { remoteAddress: host, remotePort: port } = socket
    if (host === undefined || port === undefined) return void socket.destroy()
    this.#parts.arrived({ host, port, link })
  }

  #secured(certificates: Certificates): TlsServer {
    const { tls, loaded } = certificates
    const { minVersion } = tls
    const clients = isWebSocket(this.#listener.transport) ? 'ignore' : tls.clients
    const server = createTlsServer({
      cert: loaded.cert,
      key: loaded.key,
      ca: [...loaded.ca],
      minVersion,
      SNICallback: (name, done) => done(null, certificates.contextFor(name)),
      requestCert: clients !== 'ignore',
      rejectUnauthorized: clients === 'require',
      handshakeTimeout: hostLimits.handshakeMs,
    })
    certificates.onRenewed(({ cert, key, ca }) => server.setSecureContext({ cert, key, ca: [...ca], minVersion }))
    server.on('tlsClientError', (error, socket) => {
      this.#parts.log.warn('tls-refused', `a TLS handshake failed: ${error.message}`, { host: socket.remoteAddress })
      socket.destroy()
    })
    server.on('secureConnection', (socket) => {
      if (this.#http !== null) return void this.#http.emit('connection', socket)
      this.#arrive(socket, (events) => socketLink(socket, events))
    })
    return server
  }

  /** Its handshakes are done, or it is gone. */
  #ready(end: string): void {
    clearTimeout(this.#pending.get(end)?.timer)
    this.#pending.delete(end)
  }

  #upgrading({ WebSocketServer }: WebSockets): HttpServer {
    const server = createHttpServer((_request, response) => {
      response.writeHead(426, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain' })
      response.end('SIP is spoken here over WebSocket (RFC 7118).\n')
    })
    const sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: sipLimits.message,
      handleProtocols: () => SUBPROTOCOL,
    })
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => undefined)
      // RFC 7118 4.1: a client that doesn't speak it must not believe that it does.
      if (!asksForSip(request)) {
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
        return
      }
      sockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.#arrive(request.socket, (events) => webSocketLink(webSocket, events))
      })
    })
    return server
  }
}

const SUBPROTOCOL = 'sip'

function farEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

function asksForSip(request: IncomingMessage): boolean {
  const asked = request.headers['sec-websocket-protocol'] ?? ''
  return asked.split(',').some((name) => name.trim() === SUBPROTOCOL)
}
