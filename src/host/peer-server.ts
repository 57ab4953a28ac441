// The peer port: frames from other replicas. Who dials says hello first; until then it gets no room and no time.

import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { compareLives } from '../base/brand.ts'
import type { Life } from '../base/brand.ts'
import type { InputBody } from '../replica/input.ts'
import type { Address } from './address.ts'
import { FrameReader } from './frame-stream.ts'
import { hostLimits } from './limits.ts'
import type { SparseLog } from './log.ts'
import type { KnownPeers } from './known-peers.ts'
import { parseHello, printAnswer } from './peer-hello.ts'
import type { Hello } from './peer-hello.ts'

export interface PeerParts {
  readonly set: string
  readonly replica: number
  readonly life: Life
  readonly address: Address
  /** The other replicas' ids. */
  readonly peers: readonly number[]
  readonly known: KnownPeers
  readonly log: SparseLog
  give(input: InputBody): void
}

export class PeerServer {
  readonly #parts: PeerParts
  readonly #server: Server
  /** Connections that haven't said hello. */
  readonly #strangers = new Set<Socket>()
  /** The link from each peer, and the latest life that each gave. */
  readonly #links = new Map<number, { readonly socket: Socket; readonly life: Life }>()

  constructor(parts: PeerParts) {
    this.#parts = parts
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket))
  }

  /** Rejects with the system's error. */
  open(): Promise<void> {
    const { host, port } = this.#parts.address
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#parts.log.warn('peer-accept-failed', error.message))
        resolve()
      })
    })
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#strangers) socket.destroy()
    for (const { socket } of this.#links.values()) socket.destroy()
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined)
    if (this.#strangers.size >= hostLimits.helloWaiting) {
      this.#parts.log.warn('peer-crowd', 'too many connections to the peer port say nothing: a new one is closed')
      socket.destroy()
      return
    }
    this.#strangers.add(socket)
    const timer = setTimeout(() => {
      this.#refuse(socket, 'peer-silent', `it did not say hello within ${hostLimits.helloMs} ms`)
    }, hostLimits.helloMs)
    socket.once('close', () => {
      clearTimeout(timer)
      this.#strangers.delete(socket)
    })
    readLine(socket, (line, rest) => {
      clearTimeout(timer)
      if (line === null) this.#refuse(socket, 'peer-garbage', 'it does not speak as a replica does')
      else this.#greet(socket, line, rest)
    })
  }

  #greet(socket: Socket, line: string, rest: Buffer): void {
    const hello = parseHello(line)
    if (!hello.ok) return this.#refuse(socket, 'peer-garbage', hello.error)
    const objection = this.#objection(hello.value)
    if (objection !== null) return this.#refuse(socket, objection.code, objection.reason)
    const { replica, life } = hello.value
    this.#strangers.delete(socket)
    // A link takes the place of the one before it: frames of both would mix.
    this.#links.get(replica)?.socket.destroy()
    this.#links.set(replica, { socket, life })
    socket.write(printAnswer({ life: this.#parts.life }))
    this.#readFrames(socket, life, rest)
  }

  #objection(hello: Hello): { readonly code: string; readonly reason: string } | null {
    const { set, replica, peers, known } = this.#parts
    if (hello.set !== set) {
      return { code: 'peer-other-set', reason: `it is of set ${hello.set}, this is replica ${replica} of set ${set}` }
    }
    if (hello.to !== replica) {
      return { code: 'peer-misdirected', reason: `it looks for replica ${hello.to}, this is replica ${replica}` }
    }
    if (!peers.includes(hello.replica)) {
      return { code: 'peer-unknown', reason: `this set has no other replica ${hello.replica}` }
    }
    const last = this.#links.get(hello.replica)?.life
    if (last !== undefined && compareLives(hello.life, last) < 0) {
      return { code: 'peer-past', reason: `${hello.life} is over: ${last} has been here` }
    }
    const reason = known.objection(hello.life)
    return reason === null ? null : { code: 'peer-other-disk', reason }
  }

  #refuse(socket: Socket, code: string, reason: string): void {
    const from = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`
    this.#parts.log.warn(code, `a connection to the peer port is closed: ${reason}`, { from })
    socket.removeAllListeners('data')
    socket.resume()
    socket.end(printAnswer({ refused: reason }), () => socket.destroy())
  }

  #readFrames(socket: Socket, life: Life, rest: Buffer): void {
    const reader = new FrameReader()
    const read = (piece: Buffer): void => {
      const frames = reader.push(piece)
      if (!frames.ok) {
        this.#parts.log.warn('peer-garbage', `a link is closed: ${frames.error}`, { from: life })
        socket.destroy()
        return
      }
      for (const frame of frames.value) {
        if (socket.destroyed) return
        this.#parts.give({ kind: 'peer', from: life, frame })
      }
    }
    socket.on('data', read)
    if (rest.length > 0) read(rest)
  }
}

/** Gives the first line and what came after it; null if there is none within `helloBytes`. Called once at most. */
export function readLine(socket: Socket, done: (line: string | null, rest: Buffer) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  const read = (piece: Buffer): void => {
    bytes = Buffer.concat([bytes, piece])
    const end = bytes.subarray(0, hostLimits.helloBytes).indexOf(0x0a)
    if (end < 0 && bytes.length < hostLimits.helloBytes) return
    socket.off('data', read)
    if (end < 0) done(null, bytes)
    else done(bytes.toString('latin1', 0, end), bytes.subarray(end + 1))
  }
  socket.on('data', read)
}
