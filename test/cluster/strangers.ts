// Sockets that speak to a set as strangers do: datagrams and connections with whatever bytes, and a phone that answers
// every request with 200.

import { createSocket } from 'node:dgram'
import type { Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import type { Socket } from 'node:net'

interface Address {
  readonly host: string
  readonly port: number
}

function addressOf(text: string): Address {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) }
}

/** A UDP socket at `address`. */
export async function listen(address: string): Promise<DatagramSocket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 })
  const { host, port } = addressOf(address)
  socket.bind(port, host)
  await once(socket, 'listening')
  return socket
}

export function sendTo(socket: DatagramSocket, address: string, bytes: string | Uint8Array): Promise<void> {
  const { host, port } = addressOf(address)
  const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  return new Promise((resolve, reject) => {
    socket.send(data, port, host, (error) => (error === null ? resolve() : reject(error)))
  })
}

/** Answers every request with 200, to where it came from. */
export function answerAll(socket: DatagramSocket): void {
  socket.on('message', (bytes, from) => {
    const text = bytes.toString('latin1')
    if (text.startsWith('SIP/2.0')) return
    const copied = text.split('\r\n').filter((line) => /^(?:Via|From|To|Call-ID|CSeq|Record-Route):/.test(line))
    const tagged = copied.map((line) =>
      line.startsWith('To:') && !line.includes(';tag=') ? `${line};tag=strange` : line,
    )
    const answer = ['SIP/2.0 200 OK', ...tagged, 'Content-Length: 0', '', ''].join('\r\n')
    socket.send(Buffer.from(answer, 'latin1'), from.port, from.address)
  })
}

/** A connection to `address` on which `first` was written. Errors are the other side's business. */
export async function dial(address: string, first: string | Uint8Array = ''): Promise<Socket> {
  const socket = createConnection(addressOf(address))
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  if (first.length > 0) socket.write(first, 'latin1')
  return socket
}

/** All that comes on a connection until it is closed, in whatever way. */
export function untilClosed(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  return new Promise((resolve) => {
    if (socket.closed) resolve(text)
    else socket.once('close', () => resolve(text))
  })
}
