// When a quorum was there, and for each replica since when it reaches none: true times, from what the world did to links and
// processes, whatever the replicas think. A call may be lost only while this says that no quorum could hold it.

import type { PeerNetwork } from './peer-network.ts'

export interface Window {
  readonly from: number
  /** Null = it lasts. */
  readonly until: number | null
}

export class Certificate {
  readonly #peers: PeerNetwork
  readonly #replicas: number
  readonly #cutSince = new Map<number, number>()
  readonly #windows: { from: number; until: number | null }[] = []

  constructor(peers: PeerNetwork, replicas: number) {
    this.#peers = peers
    this.#replicas = replicas
  }

  /** A replica died or came, a link was cut or healed. */
  update(now: number): void {
    let anyQuorum = false
    for (let a = 1; a <= this.#replicas; a++) {
      let reached = 0
      for (let b = 1; b <= this.#replicas; b++) if (this.#peers.reachable(a, b)) reached++
      const quorum = reached * 2 > this.#replicas
      anyQuorum ||= quorum
      if (quorum) this.#cutSince.delete(a)
      else if (!this.#cutSince.has(a)) this.#cutSince.set(a, now)
    }
    const last = this.#windows.at(-1)
    if (!anyQuorum && (last === undefined || last.until !== null)) this.#windows.push({ from: now, until: null })
    if (anyQuorum && last !== undefined && last.until === null) last.until = now
  }

  cutSince(replica: number): number | null {
    return this.#cutSince.get(replica) ?? null
  }

  /** The times without a quorum. */
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
