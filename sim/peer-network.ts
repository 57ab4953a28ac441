// The links between replicas: one TCP connection a pair, frames in order each way, delay, cuts of one or both ways, resets.
// What a process is told follows TCP: `up` when both ends are there, `closed` when the connection breaks, `refused` when
// nobody listens at the other address. An address behind a cut neither answers nor refuses.

import { placeOf, replicaId, replicaOf } from '../src/base/brand.ts'
import type { Life, ReplicaId } from '../src/base/brand.ts'
import type { Peers } from '../src/replica/effect.ts'
import type { InputBody, LinkInput } from '../src/replica/input.ts'
import { isOut } from '../src/replica/peers.ts'
import { identifyPeer } from '../src/wire/peer-identity.ts'
import { FIRST_FORMATS, formatObjection } from '../src/wire/formats.ts'
import type { Formats } from '../src/wire/formats.ts'
import type { Agenda, Appointment } from './agenda.ts'
import { drawInRun, moment } from './draws.ts'
import type { Draw } from './draws.ts'
import { replicasOf } from './fault.ts'
import type { Plan } from './plan.ts'

/** What TCP's buffers and a host's queue hold while a link is cut; more, and the connection ends. */
const heldMost = 4_096
/** How long an end takes to notice, and how long it waits before it connects again; microseconds. */
const noticeMost = 4_000
/** How long after the next connection is up frames of the last one may come. */
const lateMost = 300_000
const reconnectLeast = 5_000
const reconnectMost = 40_000

/** A process at its peer address. */
export interface PeerEndpoint {
  readonly life: Life
  /** The incarnations of the others, as its disk remembers them. */
  readonly known: Map<number, string>
  /** What it reads, and what its set writes as far as it knows. */
  readonly formats: Formats
  active(): number
  /** Another one does not listen to it, for what it reads. */
  unfit(reason: string): void
  /** Who is out of the set for good, as it was told: it neither dials those nor listens to them. */
  peers?: Omit<Peers, 'kind'>
  deliver(input: InputBody): void
}

interface Connection {
  /** Invariant: once broken, it stays so. */
  broken: boolean
  /** Its frames in flight come after the next connection is up, instead of never. */
  readonly late: boolean
}

/** One end of a pair, and what is under way towards it. */
interface End {
  readonly id: number
  /** The connection this end was told is up. */
  connection: Connection | null
  /** Who the far end said it was. */
  far: Life | null
  /** Who is known to have that address. */
  farId: ReplicaId
  /** Nothing to this end arrives before this: order. */
  lastArrival: number
  /** Frames to this end that wait for a cut to heal, and those that come late. */
  held: Uint8Array[]
  late: { readonly from: Life; readonly frame: Uint8Array }[]
  /** How many cuts lie before this end: nothing passes towards it unless none. */
  cuts: number
  /** It was told that the far address refuses. */
  refused: boolean
}

interface Pair {
  readonly ends: readonly [End, End]
  /** What a slow link adds to each frame's way. */
  slower: number
  connection: Connection | null
  attempt: Appointment | null
}

export class PeerNetwork {
  readonly #agenda: Agenda
  readonly #plan: Plan['peer']
  readonly #endpoints = new Map<number, PeerEndpoint>()
  readonly #pairs = new Map<number, Pair>()
  readonly #draw: Draw
  /** Processes that are stopped: their kernel goes on. */
  readonly #frozen = new Set<number>()

  constructor(agenda: Agenda, plan: Plan) {
    this.#agenda = agenda
    this.#plan = plan.peer
    this.#draw = drawInRun(plan, 'peer network', () => agenda.now)
    const places = placesOf(plan)
    for (let a = 1; a <= places; a++) {
      for (let b = a + 1; b <= places; b++) {
        this.#pairs.set(a * 16 + b, { ends: [newEnd(a, b), newEnd(b, a)], slower: 0, connection: null, attempt: null })
      }
    }
  }

  freeze(id: number): void {
    this.#frozen.add(id)
  }

  thaw(id: number): void {
    this.#frozen.delete(id)
  }

  /** A replica's process listens, and connects to the others. */
  attach(id: number, endpoint: PeerEndpoint): void {
    this.#endpoints.set(id, endpoint)
    for (const pair of this.#pairsOf(id)) {
      ends(pair, id)[1].refused = false
      this.#connectSoon(pair)
    }
  }

  /** A replica knows who is out of the set: it closes their links, and tells them when they dial again. */
  follow(by: number, peers: Peers): void {
    const endpoint = this.#endpoints.get(by)
    if (endpoint === undefined) return
    endpoint.peers = peers
    for (const pair of this.#pairsOf(by)) {
      const [, far] = ends(pair, by)
      const other = this.#endpoints.get(far.id)
      if (other === undefined || !knowsGone(endpoint, other.life)) continue
      this.reset(by, far.id)
      this.#connectSoon(pair)
    }
  }

  /** Its process died: the kernel ends its connections and refuses new ones. */
  detach(id: number): void {
    this.#endpoints.delete(id)
    this.#frozen.delete(id)
    for (const pair of this.#pairsOf(id)) {
      const [own, other] = ends(pair, id)
      Object.assign(own, { connection: null, far: null, held: [], late: [], refused: false })
      this.#break(pair)
      if (other.cuts === 0) this.#notice(other)
      this.#connectSoon(pair)
    }
  }

  /** Dropped if the sender's end is not up. */
  send(from: number, to: ReplicaId, frame: Uint8Array): void {
    // Who had its place before it: nobody else has that address.
    if (placeOf(to) === from) return
    const pair = this.#pair(from, placeOf(to))
    const [sender, receiver] = ends(pair, from)
    if (sender.connection === null || sender.connection !== pair.connection || sender.farId !== to) return
    // A copy: a replica that changes a frame after sending it must not reach into another.
    const bytes = frame.slice()
    if (receiver.cuts === 0) this.#carry(pair.connection, from, receiver, bytes)
    else if (receiver.held.length < heldMost) receiver.held.push(bytes)
    else this.reset(from, placeOf(to))
  }

  /** The connection breaks; both ends notice. */
  reset(a: number, b: number): void {
    const pair = this.#pair(a, b)
    if (pair.connection === null) return
    this.#break(pair)
    for (const end of pair.ends) this.#notice(end)
    this.#connectSoon(pair)
  }

  /** That replica's set writes another format: its links to those that don't read it end. */
  formatRaised(id: number): void {
    const own = this.#endpoints.get(id)
    if (own === undefined) return
    for (const pair of this.#pairsOf(id)) {
      const far = ends(pair, id)[1].id
      const other = this.#endpoints.get(far)
      if (other !== undefined && formatObjection(own.formats, own.active(), other.formats) !== null) this.reset(id, far)
    }
  }

  /** Nothing passes from `from` to `to` from now on. */
  cut(from: number, to: number): void {
    ends(this.#pair(from, to), from)[1].cuts++
  }

  /** What was held goes on, unless the connection broke meanwhile. */
  heal(from: number, to: number): void {
    const pair = this.#pair(from, to)
    const receiver = ends(pair, from)[1]
    if (--receiver.cuts > 0) return
    const held = receiver.held
    receiver.held = []
    if (pair.connection === null) {
      for (const end of pair.ends) this.#notice(end)
      this.#connectSoon(pair)
    } else for (const frame of held) this.#carry(pair.connection, from, receiver, frame)
  }

  /** Each frame between the two takes that much longer from now on, or less again. */
  slow(a: number, b: number, by: number): void {
    this.#pair(a, b).slower += by
  }

  /** Whether that incarnation runs at its place. */
  isThere(id: ReplicaId): boolean {
    const endpoint = this.#endpoints.get(placeOf(id))
    return endpoint !== undefined && replicaOf(endpoint.life) === id
  }

  /** Whether frames can pass both ways between two replicas that run and know each other. */
  reachable(a: number, b: number): boolean {
    const [one, other] = [this.#endpoints.get(a), this.#endpoints.get(b)]
    if (one === undefined || other === undefined || this.#frozen.has(a) || this.#frozen.has(b)) return false
    if (a === b) return true
    const fit = [
      formatObjection(one.formats, one.active(), other.formats),
      formatObjection(other.formats, other.active(), one.formats),
    ]
    if (fit.some((objection) => objection !== null)) return false
    return (
      !knowsGone(one, other.life) &&
      !knowsGone(other, one.life) &&
      [identifyPeer(one.life, other.known), identifyPeer(other.life, one.known)].every(
        ({ kind }) => kind !== 'stranger',
      ) &&
      this.#pair(a, b).ends.every((end) => end.cuts === 0)
    )
  }

  #carry(connection: Connection, from: number, receiver: End, frame: Uint8Array): void {
    const life = this.#endpoints.get(from)?.life
    if (life === undefined) return
    const { delayLeast, delayMost } = this.#plan
    const delay = this.#draw.within(delayLeast, delayMost, 1, from, receiver.id, moment(this.#agenda.now))
    const { slower } = this.#pair(from, receiver.id)
    receiver.lastArrival = Math.max(receiver.lastArrival, this.#agenda.now + delay + slower)
    this.#agenda.at(receiver.lastArrival, () => {
      if (receiver.connection === connection) this.#deliver(receiver, { kind: 'peer', from: life, frame })
      else if (connection.late && receiver.late.length < heldMost) receiver.late.push({ from: life, frame })
    })
  }

  #break(pair: Pair): void {
    if (pair.connection === null) return
    pair.connection.broken = true
    pair.connection = null
    for (const end of pair.ends) end.held = []
  }

  /** An end whose connection is broken learns it soon. */
  #notice(end: End): void {
    const connection = end.connection
    if (connection === null || !connection.broken) return
    this.#agenda.after(this.#draw.within(10, noticeMost, 2, end.id, this.#agenda.now), () => {
      if (end.connection !== connection) return
      end.connection = null
      this.#tell(end, { kind: 'closed' })
    })
  }

  #connectSoon(pair: Pair): void {
    this.#agenda.cancel(pair.attempt)
    const [a, b] = pair.ends
    const delay = this.#draw.within(reconnectLeast, reconnectMost, 3, a.id, b.id, this.#agenda.now)
    pair.attempt = this.#agenda.after(delay, () => this.#connect(pair))
  }

  #connect(pair: Pair): void {
    pair.attempt = null
    if (pair.connection !== null || pair.ends.some((end) => end.cuts > 0)) return
    const [a, b] = pair.ends
    const [one, other] = [this.#endpoints.get(a.id), this.#endpoints.get(b.id)]
    if (one === undefined && other === undefined) return
    if (one === undefined || other === undefined) {
      const alone = one === undefined ? b : a
      if (alone.refused) return
      alone.refused = true
      this.#tell(alone, { kind: 'refused' })
      return
    }
    const [hears, heard] = [knowsGone(one, other.life), knowsGone(other, one.life)]
    if (hears || heard) {
      if (hears) this.#tell(b, { kind: 'removed' })
      if (heard) this.#tell(a, { kind: 'removed' })
      return
    }
    // As host/peer-server.ts and host/peer-links.ts do; it stays so until another process comes.
    if (!listens(one, other) || !listens(other, one)) return
    const now = this.#agenda.now
    const connection: Connection = { broken: false, late: this.#draw.chance(this.#plan.late, 4, a.id, b.id, now) }
    pair.connection = connection
    this.#open(a, other.life, connection)
    this.#open(b, one.life, connection)
  }

  #open(end: End, far: Life, connection: Connection): void {
    const near = this.#endpoints.get(end.id)
    const at = this.#agenda.now + this.#draw.within(10, 2_000, 5, end.id, this.#agenda.now)
    // The far end may be up first and send at once: its frames arrive after this end's `up`.
    end.lastArrival = Math.max(end.lastArrival, at)
    this.#agenda.at(at, () => {
      if (connection.broken || this.#endpoints.get(end.id) !== near) return
      if (end.connection !== null) this.#tell(end, { kind: 'closed' })
      Object.assign(end, { connection, far, farId: replicaOf(far), refused: false })
      const formats = this.#endpoints.get(placeOf(end.farId))?.formats ?? FIRST_FORMATS
      this.#tell(end, { kind: 'up', life: far, formats })
      const late = end.late
      end.late = []
      if (late.length === 0) return
      // They may lie in the old connection's buffers for a while, as long as a lost word of the leader's goes unnoticed.
      this.#agenda.after(this.#draw.within(0, lateMost, 6, end.id, this.#agenda.now), () => {
        if (this.#endpoints.get(end.id) !== near || end.far !== far) return
        for (const { from, frame } of late) if (from === far) this.#deliver(end, { kind: 'peer', from, frame })
      })
    })
  }

  #tell(end: End, state: LinkInput['state']): void {
    this.#deliver(end, { kind: 'link', peer: end.farId, state })
  }

  #deliver(end: End, input: InputBody): void {
    this.#endpoints.get(end.id)?.deliver(input)
  }

  #pairsOf(id: number): readonly Pair[] {
    return [...this.#pairs.values()].filter(({ ends: [a, b] }) => a.id === id || b.id === id)
  }

  #pair(a: number, b: number): Pair {
    return this.#pairs.get(Math.min(a, b) * 16 + Math.max(a, b)) as Pair
  }
}

/** Places of founders, and of those who may come: all that a fault names, though what would bring them were taken out of the plan. */
export function placesOf({ replicas, faults }: Plan): number {
  return Math.max(replicas, ...faults.flatMap(replicasOf))
}

function knowsGone({ peers }: PeerEndpoint, far: Life): boolean {
  return peers !== undefined && isOut(peers, replicaOf(far))
}

function newEnd(id: number, far: number): End {
  return {
    id,
    connection: null,
    far: null,
    farId: replicaId(far),
    lastArrival: 0,
    held: [],
    late: [],
    cuts: 0,
    refused: false,
  }
}

/** Whether it listens to that process; a peer that it meets for the first time is remembered. */
function listens(near: PeerEndpoint, far: PeerEndpoint): boolean {
  const { known } = near
  const unfit = formatObjection(near.formats, near.active(), far.formats)
  if (unfit !== null) {
    far.unfit(unfit)
    return false
  }
  const identity = identifyPeer(far.life, known)
  if (identity.kind === 'new') known.set(identity.replica, identity.incarnation)
  return identity.kind !== 'stranger'
}

/** The end of `id`, then the other one. */
function ends(pair: Pair, id: number): readonly [End, End] {
  const [a, b] = pair.ends
  return a.id === id ? [a, b] : [b, a]
}
