// What three places say to one another for all their logs: one connection for each direction of a pair, each frame with its log's number
// in front, one write for what all logs have to say at a time. Plain TCP: what TLS costs is no question of how many logs there are.

import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { FrameReader, joinFrames } from '../../../src/host/frame-stream.ts'

interface Heard {
  /** That place can be written to. */
  up(place: number): void
  frame(from: number, log: number, frame: Uint8Array): void
}

export class SharedLinks {
  readonly #place: number
  readonly #heard: Heard
  readonly #sockets = new Map<number, Socket>()
  readonly #queues = new Map<number, Uint8Array[]>()
  #isDue = false

  constructor(place: number, heard: Heard) {
    this.#place = place
    this.#heard = heard
  }

  /** `ports`: by place, from 1. */
  async open(ports: readonly number[]): Promise<void> {
    const server = createServer((socket) => this.#listen(socket))
    await new Promise<void>((resolve) => server.listen(ports[this.#place - 1], '127.0.0.1', resolve))
    for (const [i, port] of ports.entries()) if (i + 1 !== this.#place) this.#dial(i + 1, port)
  }

  send(to: number, log: number, frame: Uint8Array): void {
    const tagged = new Uint8Array(1 + frame.length)
    tagged[0] = log
    tagged.set(frame, 1)
    const queue = this.#queues.get(to)
    if (queue === undefined) this.#queues.set(to, [tagged])
    else queue.push(tagged)
    if (this.#isDue) return
    this.#isDue = true
    // After the ends of turns of all logs that have one now.
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#isDue = false
    for (const [to, queue] of this.#queues) this.#sockets.get(to)?.write(joinFrames(queue))
    this.#queues.clear()
  }

  #dial(to: number, port: number): void {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('error', () => undefined)
    // The other one may not listen yet.
    socket.once('close', () => setTimeout(() => this.#dial(to, port), 50))
    socket.once('connect', () => {
      socket.write(joinFrames([Uint8Array.of(this.#place)]))
      this.#sockets.set(to, socket)
      this.#heard.up(to)
    })
  }

  #listen(socket: Socket): void {
    const reader = new FrameReader()
    let from = 0
    socket.on('error', () => undefined)
    socket.on('data', (piece: Buffer) => {
      const frames = reader.push(piece)
      if (!frames.ok) return void socket.destroy()
      for (const frame of frames.value) {
        if (from === 0) from = frame[0] ?? 0
        else this.#heard.frame(from, frame[0] ?? 0, frame.subarray(1))
      }
    })
  }
}
