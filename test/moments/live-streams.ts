// A phone's connections: TCP, TLS, WebSocket and secure WebSocket, made by it or by the set. All begin as one TCP connection, by which
// they are known here.

import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createConnection, createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer, TLSSocket } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import type { Speaks } from '../../sim/ladder.ts'
import { nameOf } from '../../sim/sip-network.ts'
import type { SocketAddress } from '../../sim/sip-network.ts'
import type { Trust } from '../cluster/wires.ts'

export interface LiveStream {
  readonly socket: Socket
  /** The far end has answered: what is written goes into the kernel at once. */
  readonly isOpen: boolean
  /** `landed`: the kernel has it, or the connection is gone. May be called before the connection is open. */
  write(text: string, landed: () => void): void
  /** Chunks of what comes; of WebSocket whole messages. */
  onText(take: (text: string) => void): void
}

export function dial(by: Speaks, from: SocketAddress, to: SocketAddress, { ca }: Trust): LiveStream {
  const at = { host: to.host, port: to.port, localAddress: from.host }
  const socket = by === 'tls' || by === 'wss' ? connectTls({ ...at, ca }) : createConnection(at)
  if (by !== 'ws' && by !== 'wss') return plain(socket)
  const options = { createConnection: () => socket, perMessageDeflate: false }
  return framed(socket, new WebSocket(`${by}://${nameOf(to)}/`, 'sip', options))
}

/** A server for connections of the set's making. */
export function serve(by: Speaks, trust: Trust, take: (stream: LiveStream) => void): Server {
  if (by === 'tls') return createTlsServer(trust, (socket) => take(plain(socket)))
  if (by !== 'ws' && by !== 'wss') return createServer((socket) => take(plain(socket)))
  const http = by === 'ws' ? createHttpServer() : createHttpsServer(trust)
  const upgrades = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: 65_536,
    handleProtocols: () => 'sip',
  })
  http.on('upgrade', (request, socket, head) => {
    upgrades.handleUpgrade(request, socket, head, (one) => take(framed(socket as Socket, one)))
  })
  return http
}

function plain(socket: Socket): LiveStream {
  let isOpen = !socket.connecting
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => (isOpen = true))
  return {
    socket,
    get isOpen() {
      return isOpen
    },
    write: (text, landed) => void socket.write(text, 'latin1', () => landed()),
    onText: (take) => void socket.on('data', (chunk: Buffer) => take(chunk.toString('latin1'))),
  }
}

function framed(socket: Socket, frames: WebSocket): LiveStream {
  // Said too soon, or too late.
  const put = (text: string, landed: () => void): void => frames.send(Buffer.from(text, 'latin1'), () => landed())
  frames.on('error', () => undefined)
  return {
    socket,
    get isOpen() {
      return frames.readyState !== frames.CONNECTING
    },
    write(text, landed) {
      if (frames.readyState !== frames.CONNECTING) return put(text, landed)
      frames.once('open', () => put(text, landed))
      socket.once('close', landed)
    },
    onText: (take) => void frames.on('message', (data: Buffer) => take(data.toString('latin1'))),
  }
}
