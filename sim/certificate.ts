// When a quorum was there, and for each replica since when it reaches nobody who has one: true times, from what the world did
// to links and processes, whatever the replicas think. A call may be lost only while this says that no quorum could hold it.

import { placeOf, replicaId } from '../src/base/brand.ts'
import type { ReplicaId } from '../src/base/brand.ts'
import { allVoters, voterSet } from '../src/raft/quorum.ts'
import type { VoterSet } from '../src/raft/quorum.ts'
import { isQuorum } from './majority.ts'
import type { PeerNetwork } from './peer-network.ts'

export interface Window {
  readonly from: number
  /** Null = it lasts. */
  readonly until: number | null
}

export class Certificate {
  readonly #peers: PeerNetwork
  /** As the newest committed configuration has them. */
  #voters: VoterSet
  #configured = 0
  readonly #cutSince = new Map<ReplicaId, number>()
  /** Whose disks take nothing: they follow and are heard, but no decision is on them (docs/decisions/0014). */
  readonly #full = new Set<number>()
  readonly #windows: { from: number; until: number | null }[] = []

  constructor(peers: PeerNetwork, replicas: number) {
    this.#peers = peers
    this.#voters = voterSet(Array.from({ length: replicas }, (_, i) => replicaId(i + 1)))
  }

  /** The configuration at that index of the log is committed. */
  configured(index: number, voters: VoterSet, now: number): void {
    if (index <= this.#configured) return
    this.#configured = index
    this.#voters = voters
    this.update(now)
  }

  /** A disk is full, or has room again. */
  fill(replica: number, isFull: boolean): void {
    if (isFull) this.#full.add(replica)
    else this.#full.delete(replica)
  }

  /** A replica died or came, a link was cut or healed, a disk filled. */
  update(now: number): void {
    const ids = allVoters(this.#voters)
    const leads = this.#leaders(ids)
    for (const id of ids) {
      // By way of a leader is good enough: it need not reach the others itself.
      if (leads.some((leader) => this.#reachable(id, leader))) this.#cutSince.delete(id)
      else if (!this.#cutSince.has(id)) this.#cutSince.set(id, now)
    }
    const anyQuorum = this.#leaders(ids.filter((id) => !this.#full.has(placeOf(id)))).length > 0
    const last = this.#windows.at(-1)
    if (!anyQuorum && (last === undefined || last.until !== null)) this.#windows.push({ from: now, until: null })
    if (anyQuorum && last !== undefined && last.until === null) last.until = now
  }

  /** Who of them reaches a majority of the set among them. */
  #leaders(among: readonly ReplicaId[]): readonly ReplicaId[] {
    const reaches = (a: ReplicaId) => (b: ReplicaId) => among.includes(b) && this.#reachable(a, b)
    return among.filter((a) => isQuorum(this.#voters, reaches(a)))
  }

  #reachable(a: ReplicaId, b: ReplicaId): boolean {
    return this.#peers.isThere(a) && this.#peers.isThere(b) && this.#peers.reachable(placeOf(a), placeOf(b))
  }

  /** Since when it reaches nobody who reaches a majority; null = it does. */
  cutSince(replica: ReplicaId): number | null {
    return this.#cutSince.get(replica) ?? null
  }

  /** The times without a quorum whose disks take what is decided. */
  get windows(): readonly Window[] {
    return this.#windows
  }

  /** How long there was none within [from, until]. */
  without(from: number, until: number): number {
    let sum = 0
    for (const window of this.#windows) {
      sum += Math.max(0, Math.min(window.until ?? until, until) - Math.max(window.from, from))
    }
    return sum
  }
}
