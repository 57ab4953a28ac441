// The links to the other replicas: for each peer a connection that this replica dials, for what it sends. How a link ends
// tells how the peer is: closed and refused again means that life is dead (design.md 3).
//
//            connected, answered                 lost
//   closed ----------------------> up -----------------------> closed, dial at once
//     ^  \                          ^                             |
//     |   \ ECONNREFUSED            |                             | ECONNREFUSED
//     |    `----> refused ----------'  <--------------------------'
//     `-- other failures: dial again later

import { createConnection } from 'node:net'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { placeOf } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import type { Peers } from '../replica/effect.ts'
import type { LinkInput } from '../replica/input.ts'
import { isOut } from '../replica/peers.ts'
import { formatObjection, KNOWN_FORMATS } from '../wire/formats.ts'
import type { Formats } from '../wire/formats.ts'
import { parseAddress, printAddress } from './address.ts'
import type { Address } from './address.ts'
import { joinFrames } from './frame-stream.ts'
import { hostLimits } from './limits.ts'
import { parseAnswer, printHello } from './peer-hello.ts'
import { securePeerClient, whyInsecure } from './peer-security.ts'
import { readLine } from './peer-server.ts'
import type { PeerParts } from './peer-server.ts'

export class PeerLinks {
  readonly #parts: PeerParts
  readonly #addressOf: (place: number) => Address | null
  readonly #links = new Map<ReplicaId, PeerLink>()
  #isOver = false

  /** `addressOf`: where the configuration file has a place. */
  constructor(parts: PeerParts, addressOf: (place: number) => Address | null) {
    this.#parts = parts
    this.#addressOf = addressOf
  }

  /** Dials who is in the set, and goes on for ever; who is out of it is not dialled any more. */
  follow(peers: Peers): void {
    for (const [id, link] of [...this.#links]) {
      if (!isOut(peers, id)) continue
      link.close()
      this.#links.delete(id)
    }
    for (const { id, peer } of peers.members) this.#ensure(id, peer === null ? null : addressIn(peer))
  }

  /** That replica dialled: it may be one that this replica's log doesn't have yet, and where it is it knows best. */
  met(id: ReplicaId, at: Address | null): void {
    this.#ensure(id, at)
  }

  #ensure(id: ReplicaId, at: Address | null): void {
    const known = this.#links.get(id)
    if (known !== undefined) return known.move(at)
    const address = at ?? this.#addressOf(placeOf(id))
    if (address === null || this.#isOver || this.#links.size >= hostLimits.links) return
    const link = new PeerLink(this.#parts, id, address)
    this.#links.set(id, link)
    link.dial()
  }

  /** Queues a frame for the end of this turn. */
  send(to: ReplicaId, frame: Uint8Array): void {
    this.#links.get(to)?.send(frame)
  }

  /** What was queued in this turn leaves, with one write per link. */
  flush(): void {
    for (const link of this.#links.values()) link.flush()
  }

  /** Closes the links once what was written is on its way, or `hostLimits.linkEndMs` later. */
  async end(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.end()))
    this.close()
  }

  /** The set writes another format: who doesn't read it is not spoken to any more. */
  formatRaised(): void {
    for (const link of this.#links.values()) link.formatRaised()
  }

  close(): void {
    this.#isOver = true
    for (const link of this.#links.values()) link.close()
  }
}

class PeerLink {
  readonly #parts: PeerParts
  readonly #peer: ReplicaId
  #address: Address
  /** The connection, and its secure side once there is one. */
  #raw: Socket | null = null
  #socket: TLSSocket | null = null
  #state: LinkInput['state']['kind'] = 'closed'
  /** What the peer reads, while the link is up. */
  #formats: Formats = KNOWN_FORMATS
  #queue: Uint8Array[] = []
  #wait: number = hostLimits.reconnectLeastMs
  #timer: NodeJS.Timeout | null = null
  #over = false

  constructor(parts: PeerParts, peer: ReplicaId, address: Address) {
    this.#parts = parts
    this.#peer = peer
    this.#address = address
  }

  /** Where it is found from its next attempt on. */
  move(at: Address | null): void {
    if (at !== null) this.#address = at
  }

  send(frame: Uint8Array): void {
    if (this.#state === 'up') this.#queue.push(frame)
  }

  flush(): void {
    const socket = this.#socket
    if (this.#queue.length === 0) return
    const frames = this.#queue
    this.#queue = []
    if (this.#state !== 'up' || socket === null) return
    socket.write(joinFrames(frames))
    if (socket.writableLength > hostLimits.linkQueueBytes) {
      this.#parts.log.warn('peer-slow', 'a link is reset: its peer does not read', { peer: this.#peer })
      this.#raw?.resetAndDestroy()
    }
  }

  end(): Promise<void> {
    this.#over = true
    const socket = this.#socket
    if (socket === null || this.#state !== 'up') return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, hostLimits.linkEndMs)
      socket.end(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  close(): void {
    this.#over = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#socket?.destroy()
    this.#raw?.destroy()
  }

  dial(): void {
    if (this.#over) return
    const raw = createConnection({ ...this.#address, noDelay: true, keepAlive: true })
    this.#raw = raw
    this.#socket = null
    let refused = false
    const timer = setTimeout(() => raw.destroy(), hostLimits.linkConnectMs)
    raw.once('connect', () => {
      // The far end may be stopped, its kernel still accepts.
      timer.refresh()
      this.#greet(raw, timer)
    })
    raw.on('error', (error) => {
      refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
    })
    raw.once('close', () => {
      clearTimeout(timer)
      this.#lost(refused)
    })
  }

  #greet(raw: Socket, timer: NodeJS.Timeout): void {
    const { set, replica, life, formats, address, log } = this.#parts
    const at = printAddress(address)
    const socket = securePeerClient(raw, this.#parts)
    this.#socket = socket
    socket.once('secureConnect', () =>
      socket.write(printHello({ set, replica, life, to: this.#peer, formats: formats.own, at })),
    )
    socket.on('error', (error) => {
      const why = whyInsecure(error)
      if (why === null) return
      log.warn('peer-refuses', `what listens at a peer's address is not that peer: ${why.reason}`, { peer: this.#peer })
      raw.destroy()
    })
    socket.once('close', () => raw.destroy())
    readLine(socket, (line) => {
      clearTimeout(timer)
      this.#answered(socket, line)
    })
  }

  #answered(socket: TLSSocket, line: string | null): void {
    const answer = line === null ? null : parseAnswer(line, this.#peer)
    const to = this.#peer
    if (answer === null || !answer.ok) {
      const reason = answer === null ? 'it does not speak as a replica does' : answer.error
      this.#parts.log.warn('peer-garbage', `what listens at a peer's address is not that peer: ${reason}`, { peer: to })
      socket.destroy()
      return
    }
    if ('refused' in answer.value) {
      this.#parts.log.warn('peer-refuses', `a peer does not listen to this replica: ${answer.value.refused}`, {
        peer: to,
      })
      if (answer.value.because === 'removed') this.#parts.give({ kind: 'link', peer: to, state: { kind: 'removed' } })
      // Two of one place can't listen at one address: the one that is looked for is over.
      if (answer.value.because === 'succeeded' && this.#state === 'closed') this.#become({ kind: 'refused' })
      socket.destroy()
      return
    }
    const { life, formats } = answer.value
    const { own, active } = this.#parts.formats
    const unfit = formatObjection(own, active, formats)
    const objection = unfit === null ? this.#parts.known.objection(life) : `replica ${to} can't take part: ${unfit}`
    if (objection !== null) {
      this.#parts.log.warn(unfit === null ? 'peer-other-disk' : 'peer-unfit', objection, { peer: to })
      socket.destroy()
      return
    }
    socket.resume()
    this.#wait = hostLimits.reconnectLeastMs
    this.#formats = formats
    this.#become({ kind: 'up', life, formats })
  }

  formatRaised(): void {
    const { own, active } = this.#parts.formats
    if (this.#state === 'up' && formatObjection(own, active, this.#formats) !== null) this.#raw?.destroy()
  }

  #lost(refused: boolean): void {
    this.#queue = []
    if (this.#over) return
    if (this.#state === 'up') {
      // It may be gone for good or back already: what the very next connection meets says which.
      this.#become({ kind: 'closed' })
      this.dial()
      return
    }
    // Once refused that life is dead, whatever later attempts meet, until a life answers.
    if (refused && this.#state === 'closed') this.#become({ kind: 'refused' })
    this.#timer = setTimeout(() => this.dial(), hostLimits.reconnectLeastMs + Math.random() * this.#wait)
    this.#wait = Math.min(2 * this.#wait, hostLimits.reconnectMostMs)
  }

  #become(state: LinkInput['state']): void {
    this.#state = state.kind
    this.#parts.give({ kind: 'link', peer: this.#peer, state })
  }
}

function addressIn(text: string): Address | null {
  const address = parseAddress(text)
  return address.ok ? address.value : null
}
