// What carries SIP messages on a connection, whatever is under it: bytes of TCP or TLS, cut by Content-Length (RFC 3261 18.3), or
// frames of a WebSocket, each a message (RFC 7118 5). Who holds connections (sip-streams.ts) sees no difference.

import { isUtf8 } from 'node:buffer'
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { WebSocket } from 'ws'
import { StreamFramer } from '../sip/stream.ts'
import type { FrameEvent } from '../sip/stream.ts'

export interface StreamLink {
  /** Written, and not taken by the far end yet. */
  readonly waitingBytes: number
  readonly isGone: boolean
  /** Neither end has ended what leaves here. */
  readonly canSend: boolean
  /** A message has begun and not ended. */
  readonly isWithinMessage: boolean
  /** Whether its far end has shown a certificate that we trust, and that is this host's (RFC 5923 9.2). */
  proves(host: string): boolean
  send(message: string): void
  /** RFC 5626 4.4.1: the answer to a ping. */
  pong(): void
  /** Whether what the far end sends is read. What was read already may still be heard. */
  read(isRead: boolean): void
  /** Our side says no more; the far end is still heard. */
  end(): void
  destroy(): void
  /** Gone at once, and the far end is told. */
  reset(): void
}

export interface LinkEvents {
  heard(events: readonly FrameEvent[]): void
  closed(): void
}

/** TCP or TLS. It reads nothing before somebody listens, so `events` hears all. */
export function socketLink(socket: Socket, events: LinkEvents): StreamLink {
  const framer = new StreamFramer()
  // Node.js gives it once.
  let given: X509Certificate | null | undefined
  const certificate = (): X509Certificate | null => (given ??= certificateOf(socket))
  socket.on('data', (chunk) => events.heard(framer.push((chunk as Buffer).toString('latin1'))))
  socket.on('error', () => undefined)
  socket.on('close', () => events.closed())
  return {
    get waitingBytes() {
      return socket.writableLength
    },
    get isGone() {
      return socket.destroyed
    },
    get canSend() {
      return socket.writable
    },
    get isWithinMessage() {
      return framer.isWithinMessage
    },
    proves: (host) => isFor(certificate(), host),
    send: (message) => void socket.write(message, 'latin1'),
    pong: () => void socket.write('\r\n'),
    read: (isRead) => void (isRead ? socket.resume() : socket.pause()),
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
    // A TLS connection has no reset of its own: the one under it goes.
    reset: () => void (socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy()),
  }
}

/** The far end's, if it showed one that we trust. */
function certificateOf(socket: Socket): X509Certificate | null {
  return socket instanceof TLSSocket && socket.authorized ? (socket.getPeerX509Certificate() ?? null) : null
}

function isFor(certificate: X509Certificate | null, host: string): boolean {
  if (certificate === null) return false
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined
}

/** The WebSocket close code of an endpoint that goes away (RFC 6455 7.4.1). */
const GOING_AWAY = 1001

/** Two CRLF or more, and nothing else. */
const CRLF = /^(?:\r\n)+$/

export function webSocketLink(socket: WebSocket, events: LinkEvents): StreamLink {
  socket.on('message', (data) => events.heard(ofFrame((data as Buffer).toString('latin1'))))
  socket.on('error', () => undefined)
  socket.on('close', () => events.closed())
  return {
    get waitingBytes() {
      return socket.bufferedAmount
    },
    get isGone() {
      return socket.readyState === socket.CLOSED
    },
    get canSend() {
      return socket.readyState === socket.OPEN
    },
    isWithinMessage: false,
    proves: () => false,
    send(message) {
      const bytes = Buffer.from(message, 'latin1')
      // RFC 7118 4.2: text where it is UTF-8, which a text frame has to be.
      socket.send(bytes, { binary: !isUtf8(bytes) }, () => undefined)
    },
    pong: () => socket.send('\r\n', () => undefined),
    read: (isRead) => (isRead ? socket.resume() : socket.pause()),
    end: () => socket.close(GOING_AWAY),
    destroy: () => socket.terminate(),
    reset: () => socket.terminate(),
  }
}

/** RFC 7118 5: a frame is one message, whole; Content-Length isn't needed to find its end. */
function ofFrame(text: string): readonly FrameEvent[] {
  if (!text.startsWith('\r\n')) return [{ kind: 'message', text }]
  // Some clients keep their connection alive as one does on TCP.
  if (CRLF.test(text)) return text.length >= 4 ? [{ kind: 'ping' }] : []
  return [{ kind: 'broken', reason: 'not-sip' }]
}
