// Who can be reached, and who is known to be dead. A frame for a replica without a direct link goes by way of the leader
// (design.md 3, passing on).

import { replicaOf } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import { encodeFrame } from '../wire/codec.ts'
import { FIRST_FORMATS, OLDEST_FORMAT } from '../wire/formats.ts'
import type { FormatNumber, Formats } from '../wire/formats.ts'
import type { Frame } from '../wire/frame.ts'
import type { LinkInput } from './input.ts'
import type { Outbox } from './outbox.ts'

interface Peer {
  state: 'up' | 'closed' | 'refused'
  /** The last life that answered a hello or sent a frame; null = none yet. */
  life: Life | null
  /** What it reads. */
  formats: Formats
}

export class Links {
  readonly #self: Life
  readonly #outbox: Outbox
  readonly #peers = new Map<ReplicaId, Peer>()
  #leader: ReplicaId | null = null
  #format: FormatNumber = OLDEST_FORMAT

  constructor(self: Life, outbox: Outbox) {
    this.#self = self
    this.#outbox = outbox
  }

  set leader(leader: ReplicaId | null) {
    this.#leader = leader
  }

  /** The format that the set writes: of what leaves from now on. */
  set format(format: FormatNumber) {
    this.#format = format
  }

  /** The newest format that this peer reads, while the link to it is up; 0 = it isn't. */
  newestFormat(peer: ReplicaId): number {
    const known = this.#peers.get(peer)
    return known?.state === 'up' ? known.formats.newest : 0
  }

  change(input: LinkInput): void {
    const peer: Peer = this.#peers.get(input.peer) ?? { state: 'closed', life: null, formats: FIRST_FORMATS }
    this.#peers.set(input.peer, peer)
    peer.state = input.state.kind === 'removed' ? 'closed' : input.state.kind
    if (input.state.kind !== 'up') return
    peer.life = input.state.life
    peer.formats = input.state.formats
  }

  /** A frame of that life came by way of the leader: if its address refused connections, that was the life before it. What is for it
   * goes the same way, until a link with it is up. */
  heardByLeader(life: Life): void {
    const peer = this.#peers.get(replicaOf(life))
    if (peer?.state !== 'refused' || peer.life === life) return
    peer.state = 'closed'
    peer.life = life
  }

  /** That incarnation is out of the set for good. */
  forget(peer: ReplicaId): void {
    this.#peers.delete(peer)
  }

  get known(): readonly ReplicaId[] {
    return [...this.#peers.keys()].sort((a, b) => a - b)
  }

  isUp(peer: ReplicaId): boolean {
    return this.#peers.get(peer)?.state === 'up'
  }

  get isAnyUp(): boolean {
    for (const { state } of this.#peers.values()) if (state === 'up') return true
    return false
  }

  isRefused(peer: ReplicaId): boolean {
    return this.#peers.get(peer)?.state === 'refused'
  }

  lifeOf(peer: ReplicaId): Life | null {
    return this.#peers.get(peer)?.life ?? null
  }

  /** The leader's, if another replica leads. */
  get lifeOfLeader(): Life | null {
    return this.#leader === null ? null : this.lifeOf(this.#leader)
  }

  /** Whether that very start is known to be over: its address refuses connections, or another life answers there. */
  isDead(life: Life): boolean {
    const peer = this.#peers.get(replicaOf(life))
    if (peer === undefined) return false
    return peer.state === 'refused' || (peer.life !== null && peer.life !== life)
  }

  /** Whether a frame for this very life can leave, directly or by way of the leader. */
  reaches(life: Life): boolean {
    return !this.isDead(life) && (this.isUp(replicaOf(life)) || this.#detour(replicaOf(life)) !== null)
  }

  /** False if there is no way to that replica now; nothing is kept. */
  send(to: ReplicaId, frame: Frame): boolean {
    return this.sendBytes(to, encodeFrame(frame, this.#format), this.#self)
  }

  sendBytes(to: ReplicaId, frame: Uint8Array, from: Life): boolean {
    if (this.isUp(to) && from === this.#self) {
      this.#outbox.push({ kind: 'peer', to, frame })
      return true
    }
    if (this.isUp(to)) {
      this.#outbox.push({ kind: 'peer', to, frame: encodeFrame({ kind: 'relay', to, from, frame }, this.#format) })
      return true
    }
    const by = this.#detour(to)
    if (by === null || from !== this.#self) return false
    this.#outbox.push({ kind: 'peer', to: by, frame: encodeFrame({ kind: 'relay', to, from, frame }, this.#format) })
    return true
  }

  #detour(to: ReplicaId): ReplicaId | null {
    const leader = this.#leader
    return leader !== null && leader !== to && this.isUp(leader) && !this.isRefused(to) ? leader : null
  }
}
