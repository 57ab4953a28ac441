// What a scripted phone speaks by: UDP, TCP, TLS or WebSocket, as a client of the set's and as a server that the set connects to.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createConnection, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { connect, createServer as createTlsServer } from 'node:tls'
import { WebSocket, WebSocketServer } from 'ws'
import { printAddress } from '../../src/host/address.ts'
import type { Address } from '../../src/host/address.ts'
import { StreamFramer } from '../../src/sip/stream.ts'

export type Speaks = 'udp' | 'tcp' | 'tls' | 'ws'

export interface Wire {
  /** HOST:PORT of this end. */
  readonly local: string
  send(text: string): void
  close(): void
}

/** What a phone trusts, and what it shows as a server. */
export interface Trust {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

export interface Ears {
  heard(text: string, wire: Wire): void
  closed(): void
}

/** Connects to `to`; a datagram socket is bound to the host of `from`. */
export async function openWire(by: Speaks, from: string, to: Address, trust: Trust, ears: Ears): Promise<Wire> {
  switch (by) {
    case 'udp': {
      const socket = createSocket(from.includes(':') ? 'udp6' : 'udp4')
      socket.bind(0, from)
      await once(socket, 'listening')
      const wire: Wire = {
        local: printAddress({ host: from, port: socket.address().port }),
        send: (text) => socket.send(text, to.port, to.host),
        close: () => socket.close(),
      }
      socket.on('message', (bytes) => ears.heard(bytes.toString('latin1'), wire))
      return wire
    }
    case 'tcp':
    case 'tls': {
      const plain = createConnection({ ...to, localAddress: from })
      const socket = by === 'tcp' ? plain : connect({ socket: plain, host: to.host, ca: trust.ca })
      await once(socket, by === 'tcp' ? 'connect' : 'secureConnect')
      return streamWire(socket, ears)
    }
    case 'ws': {
      const socket = new WebSocket(`ws://${printAddress(to)}/`, 'sip', {})
      await once(socket, 'open')
      return webSocketWire(socket, ears)
    }
  }
}

/** Listens at `at`. The wire that a message came on leads back. */
export async function listenBy(by: Speaks, at: Address, trust: Trust, heard: Ears['heard']): Promise<() => void> {
  const ears: Ears = { heard, closed: () => undefined }
  if (by === 'udp') {
    const socket = createSocket(at.host.includes(':') ? 'udp6' : 'udp4')
    socket.on('message', (bytes, { address, port }) => {
      const back = (text: string): void => socket.send(text, port, address)
      heard(bytes.toString('latin1'), { local: printAddress(at), send: back, close: () => undefined })
    })
    socket.bind(at.port, at.host)
    await once(socket, 'listening')
    return () => void socket.close()
  }
  const sockets = new Set<Socket>()
  const accept = (socket: Socket): void => {
    sockets.add(socket)
    if (by !== 'ws') streamWire(socket, ears)
  }
  const server = by === 'ws' ? createHttpServer() : by === 'tls' ? createTlsServer(trust, accept) : createServer(accept)
  if (by === 'ws') {
    server.on('connection', accept)
    const upgrades = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: 65_536,
      handleProtocols: () => 'sip',
    })
    server.on('upgrade', (request, socket, head) => {
      upgrades.handleUpgrade(request, socket, head, (webSocket) => void webSocketWire(webSocket, ears))
    })
  }
  server.listen(at)
  await once(server, 'listening')
  return () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
}

function streamWire(socket: Socket, ears: Ears): Wire {
  const framer = new StreamFramer()
  const wire: Wire = {
    local: printAddress({ host: socket.localAddress ?? '', port: socket.localPort ?? 0 }),
    send: (text) => void socket.write(text, 'latin1'),
    close: () => void socket.destroy(),
  }
  socket.on('data', (chunk) => {
    for (const event of framer.push((chunk as Buffer).toString('latin1'))) {
      if (event.kind === 'message') ears.heard(event.text, wire)
    }
  })
  socket.on('error', () => undefined)
  socket.on('close', () => ears.closed())
  return wire
}

function webSocketWire(socket: WebSocket, ears: Ears): Wire {
  const wire: Wire = {
    local: 'df7jal23ls0d.invalid',
    send: (text) => socket.send(text, () => undefined),
    close: () => socket.terminate(),
  }
  socket.on('message', (data: Buffer) => ears.heard(data.toString('latin1'), wire))
  socket.on('error', () => undefined)
  socket.on('close', () => ears.closed())
  return wire
}
