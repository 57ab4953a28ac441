// The peer port: frames from other replicas. Who dials shows that it is of this set (peer-security.ts), then says hello;
// until then it gets no room and little time.

import type { Socket } from 'node:net'
import type { Server, TLSSocket } from 'node:tls'
import { must } from '../base/assert.ts'
import { compareLives, memberId, placeOf, replicaOf } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import type { Peers, Reply } from '../replica/effect.ts'
import type { InputBody } from '../replica/input.ts'
import { isOut } from '../replica/peers.ts'
import type { MemberAnswer } from '../wire/member-request.ts'
import { formatObjection } from '../wire/formats.ts'
import type { Formats } from '../wire/formats.ts'
import { parseAddress } from './address.ts'
import type { Address } from './address.ts'
import { FrameReader } from './frame-stream.ts'
import { hostLimits } from './limits.ts'
import type { SparseLog } from './log.ts'
import type { KnownPeers } from './known-peers.ts'
import { parseHello, parseQuestion, printAnswer, printJoining, printKnowledge } from './peer-hello.ts'
import type { Hello, Question, Refusal } from './peer-hello.ts'
import { securePeerServer, whyInsecure } from './peer-security.ts'

export interface PeerParts {
  readonly set: string
  /** Of the set; see peer-security.ts. */
  readonly secret: string
  readonly replica: ReplicaId
  readonly life: Life
  readonly address: Address
  /** What this replica reads, and what its set writes, as far as it knows. */
  readonly formats: SetFormats
  /** With whom its log began. */
  readonly founders: readonly ReplicaId[]
  readonly known: KnownPeers
  readonly log: SparseLog
  give(input: InputBody): void
  /** A replica has dialled that may be a stranger to this one, and says where it is reached. */
  met(peer: ReplicaId, at: Address | null): void
}

export interface SetFormats {
  readonly own: Formats
  active: number
}

interface Stranger {
  readonly socket: Socket
  readonly timer: NodeJS.Timeout
  /** Once it has shown that it knows the secret. */
  secure: TLSSocket | null
  /** The set that it says it is of, if that is another one. */
  set: string | null
}

interface Objection {
  readonly code: string
  readonly reason: string
  readonly because?: Refusal['because']
}

export class PeerServer {
  readonly #parts: PeerParts
  readonly #server: Server
  /** Connections that haven't said hello, by where they come from. */
  readonly #strangers = new Map<string, Stranger>()
  /** The link from each peer, and the latest life that each gave. */
  readonly #links = new Map<ReplicaId, { readonly socket: TLSSocket; readonly life: Life; readonly formats: Formats }>()

  /** Who is in the set, and who is out of it; until its log is read this replica doesn't know. */
  #peers: Omit<Peers, 'kind'> = { members: [], gone: [] }
  #knows = false
  /** Processes that want to join, by the number of their request, which is negative: others are the admin port's. */
  readonly #joining = new Map<number, TLSSocket>()
  #questions = 0

  constructor(parts: PeerParts) {
    this.#parts = parts
    this.#server = securePeerServer(parts, (socket, set) => {
      const stranger = this.#strangers.get(endOf(socket))
      if (stranger !== undefined) stranger.set = set
    })
    this.#server.on('connection', (socket: Socket) => this.#accept(socket))
    this.#server.on('secureConnection', (socket) => this.#listen(socket))
    this.#server.on('tlsClientError', (error, socket) => this.#insecure(error, socket))
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
    for (const { socket } of this.#strangers.values()) socket.destroy()
    for (const { socket } of this.#links.values()) socket.destroy()
  }

  /** The set writes another format: who doesn't read it is not listened to any more, and hears why when it dials again. */
  formatRaised(): void {
    const { own, active } = this.#parts.formats
    for (const { socket, formats } of this.#links.values()) {
      if (formatObjection(own, active, formats) !== null) socket.destroy()
    }
  }

  /** Who is out of the set is not listened to any more, nor remembered. */
  follow(peers: Peers): void {
    this.#peers = peers
    this.#knows = true
    for (const [replica, { socket }] of [...this.#links]) {
      if (!isOut(peers, replica)) continue
      socket.destroy()
      this.#links.delete(replica)
    }
    this.#parts.known.forget((replica) => isOut(peers, replica))
  }

  /** The answer to a request that came from here. */
  reply({ id, body }: Reply): void {
    const socket = this.#joining.get(id)
    this.#joining.delete(id)
    const answer = body as MemberAnswer
    const joining = answer.ok ? { id: answer.id, error: null } : { id: null, error: answer.error }
    socket?.end(printJoining(joining))
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined)
    const place = endOf(socket)
    if (this.#strangers.size >= hostLimits.helloWaiting && !this.#makeRoom(socket.remoteAddress)) {
      this.#parts.log.warn('peer-crowd', 'too many replicas at once connect to the peer port: a new one is closed')
      socket.destroy()
      return
    }
    const timer = setTimeout(() => {
      const { secure } = must(this.#strangers.get(place), 'until it says hello, or is closed')
      this.#refuse(secure ?? socket, 'peer-silent', `it did not say hello within ${hostLimits.helloMs} ms`, place)
    }, hostLimits.helloMs)
    this.#strangers.set(place, { socket, timer, secure: null, set: null })
    socket.once('close', () => {
      if (this.#strangers.get(place)?.socket === socket) this.#forget(place)
    })
  }

  /** Of those who have not shown the secret, the address that has most gives up its oldest: a replica needs milliseconds to show
   * it, and whoever dials again and again puts out itself. False = all have shown it. */
  #makeRoom(newcomer: string | undefined): boolean {
    const waiting = [...this.#strangers].filter(([, { secure }]) => secure === null)
    const counts = new Map<string | undefined, number>([[newcomer, 1]])
    for (const [, { socket }] of waiting) counts.set(socket.remoteAddress, (counts.get(socket.remoteAddress) ?? 0) + 1)
    const most = Math.max(...waiting.map(([, { socket }]) => counts.get(socket.remoteAddress) ?? 0))
    const oldest = waiting.find(([, { socket }]) => counts.get(socket.remoteAddress) === most)
    if (oldest === undefined) return false
    const [place, { socket }] = oldest
    this.#parts.log.warn('peer-crowd', 'too many connections to the peer port say nothing: the oldest one is closed', {
      from: place,
    })
    this.#forget(place)
    socket.destroy()
    return true
  }

  #forget(place: string): void {
    clearTimeout(this.#strangers.get(place)?.timer)
    this.#strangers.delete(place)
  }

  /** It knows the secret. */
  #listen(socket: TLSSocket): void {
    const place = endOf(socket)
    socket.on('error', () => undefined)
    const stranger = this.#strangers.get(place)
    if (stranger === undefined) return void socket.destroy()
    stranger.secure = socket
    readLine(socket, (line, rest) => {
      this.#forget(place)
      if (line === null) this.#refuse(socket, 'peer-garbage', 'it does not speak as a replica does', place)
      else this.#greet(socket, line, rest, place)
    })
  }

  #insecure(error: Error, socket: TLSSocket): void {
    const place = endOf(socket)
    const stranger = this.#strangers.get(place)
    const why = whyInsecure(error)
    if (stranger === undefined || why === null) return
    const { set, replica } = this.#parts
    const reason =
      stranger.set === null ? why.reason : `it is of set ${stranger.set}, this is replica ${replica} of set ${set}`
    this.#refuse(stranger.socket, why.code, reason, place)
  }

  #greet(socket: TLSSocket, line: string, rest: Buffer, place: string): void {
    const question = parseQuestion(line)
    if (question !== null) return this.#asked(socket, question)
    const hello = parseHello(line)
    if (!hello.ok) return this.#refuse(socket, 'peer-garbage', hello.error, place)
    const objection = this.#objection(hello.value)
    if (objection !== null) return this.#refuse(socket, objection.code, objection.reason, place, objection.because)
    const { life, formats, at } = hello.value
    const replica = replicaOf(life)
    // A link takes the place of the one before it: frames of both would mix.
    this.#links.get(replica)?.socket.destroy()
    this.#links.set(replica, { socket, life, formats })
    socket.write(printAnswer({ life: this.#parts.life, formats: this.#parts.formats.own }))
    const address = at === null ? null : parseAddress(at)
    this.#parts.met(replica, address?.ok === true ? address.value : null)
    this.#readFrames(socket, life, rest)
  }

  /** A process without a log. */
  #asked(socket: TLSSocket, { ask, place, incarnation, peer, admin }: Question): void {
    socket.resume()
    if (ask === 'who') {
      // Of who is out nothing else is remembered: a fresh disk in its place would found what stands already. It asks again.
      if (!this.#knows) return void socket.destroy()
      const { founders, known } = this.#parts
      const founder = memberId(place, 0)
      const isFounder = founders.includes(founder) && !isOut(this.#peers, founder)
      return void socket.end(printKnowledge({ isFresh: false, isFounder, met: known.incarnationOf(founder) }))
    }
    if (this.#joining.size >= hostLimits.helloWaiting) return void socket.destroy()
    const id = --this.#questions
    this.#joining.set(id, socket)
    socket.once('close', () => this.#joining.delete(id))
    this.#parts.give({
      kind: 'admin',
      id,
      query: { kind: 'member', request: { kind: 'join', place, incarnation, peer, admin } },
    })
  }

  #objection(hello: Hello): Objection | null {
    const { set, replica, known } = this.#parts
    const from = replicaOf(hello.life)
    if (hello.set !== set) {
      return { code: 'peer-other-set', reason: `it is of set ${hello.set}, this is replica ${replica} of set ${set}` }
    }
    if (hello.to !== replica) {
      const reason = `it looks for replica ${hello.to}, this is replica ${replica}`
      const isSucceeded = placeOf(hello.to as ReplicaId) === placeOf(replica) && hello.to < replica
      return { code: 'peer-misdirected', reason, ...(isSucceeded ? { because: 'succeeded' } : {}) }
    }
    if (isOut(this.#peers, from)) {
      const reason = `${hello.life} was removed from the set: start it with an empty data folder to join anew`
      return { code: 'peer-removed', reason, because: 'removed' }
    }
    // The log may have a member that this replica has not read of; but none that it is itself.
    if (from === replica) return { code: 'peer-unknown', reason: `this is replica ${replica} itself` }
    const unfit = formatObjection(this.#parts.formats.own, this.#parts.formats.active, hello.formats)
    if (unfit !== null) return { code: 'peer-format', reason: unfit }
    const last = this.#links.get(from)?.life
    if (last !== undefined && compareLives(hello.life, last) < 0) {
      return { code: 'peer-past', reason: `${hello.life} is over: ${last} has been here` }
    }
    const reason = known.objection(hello.life)
    return reason === null ? null : { code: 'peer-other-disk', reason }
  }

  /** Only who knows the secret is told why. */
  #refuse(socket: Socket | TLSSocket, code: string, reason: string, from: string, because?: Refusal['because']): void {
    this.#parts.log.warn(code, `a connection to the peer port is closed: ${reason}`, { from })
    if (!('encrypted' in socket)) return void socket.destroy()
    socket.removeAllListeners('data')
    socket.resume()
    socket.end(printAnswer({ refused: reason, ...(because === undefined ? {} : { because }) }), () => socket.destroy())
  }

  #readFrames(socket: TLSSocket, life: Life, rest: Buffer): void {
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

function endOf(socket: Socket | TLSSocket): string {
  return `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`
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
