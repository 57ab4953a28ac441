// etcd's Put over gRPC, as few bytes and as little work as HTTP/2 (RFC 9113) allows, so that the load costs etcd's rate nothing:
// node:http2 takes longer for a request than etcd does. Headers go out as one constant block (RFC 7541, no table), those that
// come are not read: an answer is a message on its stream, a refusal has none.

import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { VALUE_BYTES } from './system.ts'

const HEAD_BYTES = 9
const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const WINDOW_UPDATE = 8
const END_STREAM = 1
const ACK = 1
const END_HEADERS = 4

const MOST_WINDOW = 0x7fff_ffff
/** A connection's window before anything was said (6.9.2). */
const FIRST_WINDOW = 65_535
const TOP_UP = 1 << 20

const value = randomBytes(VALUE_BYTES)

interface Asked {
  readonly done: () => void
  isAnswered: boolean
}

export class GrpcPut {
  readonly #socket: Socket
  readonly #headers: Buffer
  readonly #asked = new Map<number, Asked>()
  #stream = 1
  /** What the server still takes on this connection. */
  #window = FIRST_WINDOW
  /** Puts that wait for it. */
  #waiting: { readonly key: string; readonly done: () => void }[] = []
  #out: Buffer[] = []
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes received since the server was told to go on. */
  #taken = 0

  constructor(socket: Socket, port: number) {
    this.#socket = socket
    this.#headers = headerBlock(`127.0.0.1:${port}`)
    socket.on('data', (piece: Buffer) => this.#read(piece))
    socket.on('error', () => undefined)
    const window = Buffer.alloc(6)
    window.writeUInt16BE(4, 0)
    window.writeUInt32BE(MOST_WINDOW, 2)
    this.#push(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0, window), topUp(1 << 30))
  }

  static open(port: number): Promise<GrpcPut> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(new GrpcPut(socket, port)))
      socket.once('error', reject)
    })
  }

  put(key: string, done: () => void): void {
    const message = putRequest(key)
    if (this.#waiting.length > 0 || message.length > this.#window) return void this.#waiting.push({ key, done })
    this.#window -= message.length
    const stream = this.#stream
    this.#stream += 2
    this.#asked.set(stream, { done, isAnswered: false })
    this.#push(frame(HEADERS, END_HEADERS, stream, this.#headers), frame(DATA, END_STREAM, stream, message))
  }

  close(): void {
    this.#socket.destroy()
  }

  #push(...frames: readonly Buffer[]): void {
    if (this.#out.push(...frames) > frames.length) return
    queueMicrotask(() => {
      if (!this.#socket.destroyed) this.#socket.write(Buffer.concat(this.#out))
      this.#out = []
    })
  }

  #read(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    let at = 0
    while (bytes.length - at >= HEAD_BYTES) {
      const end = at + HEAD_BYTES + bytes.readUIntBE(at, 3)
      if (end > bytes.length) break
      const [kind = 0, flags = 0] = bytes.subarray(at + 3, at + 5)
      this.#take(kind, flags, bytes.readUInt32BE(at + 5) & MOST_WINDOW, bytes.subarray(at + HEAD_BYTES, end))
      at = end
    }
    this.#rest = bytes.subarray(at)
    this.#taken += piece.length
    if (this.#taken < TOP_UP) return
    this.#push(topUp(this.#taken))
    this.#taken = 0
  }

  #take(kind: number, flags: number, stream: number, payload: Buffer): void {
    if (kind === SETTINGS && (flags & ACK) === 0) this.#push(frame(SETTINGS, ACK, 0, Buffer.alloc(0)))
    if (kind === PING && (flags & ACK) === 0) this.#push(frame(PING, ACK, 0, Buffer.from(payload)))
    if (kind === WINDOW_UPDATE && stream === 0) this.#widen(payload.readUInt32BE(0))
    if (kind === GOAWAY || kind === RST_STREAM) throw new Error(`etcd ends a stream or the connection (${kind})`)
    const asked = this.#asked.get(stream)
    if (asked === undefined) return
    if (kind === DATA && payload.length > 0) asked.isAnswered = true
    if ((kind !== DATA && kind !== HEADERS) || (flags & END_STREAM) === 0) return
    this.#asked.delete(stream)
    if (!asked.isAnswered) throw new Error('etcd refuses a put')
    asked.done()
  }

  #widen(by: number): void {
    this.#window += by
    for (const { key, done } of this.#waiting.splice(0)) this.put(key, done)
  }
}

function frame(kind: number, flags: number, stream: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes[3] = kind
  bytes[4] = flags
  bytes.writeUInt32BE(stream, 5)
  payload.copy(bytes, HEAD_BYTES)
  return bytes
}

function topUp(by: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(by, 0)
  return frame(WINDOW_UPDATE, 0, 0, bytes)
}

/** gRPC's five bytes, then etcdserverpb.PutRequest: key = 1, value = 2. */
function putRequest(key: string): Buffer {
  const name = Buffer.from(key)
  const size = 2 + name.length + 3 + value.length
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32BE(size, 1)
  const length = [(VALUE_BYTES & 0x7f) | 0x80, VALUE_BYTES >> 7]
  return Buffer.concat([bytes, Buffer.from([0x0a, name.length]), name, Buffer.from([0x12, ...length]), value])
}

/** Indexed where HPACK's static table has it, else literal without indexing. */
function headerBlock(authority: string): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
  return Buffer.concat([
    // :method POST, :scheme http, :path, :authority
    Buffer.from([0x83, 0x86, 0x04]),
    text('/etcdserverpb.KV/Put'),
    Buffer.from([0x01]),
    text(authority),
    // content-type is the 31st.
    Buffer.from([0x0f, 31 - 15]),
    text('application/grpc'),
    Buffer.from([0x00]),
    text('te'),
    text('trailers'),
  ])
}
