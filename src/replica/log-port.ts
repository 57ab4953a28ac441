// The log as the rest of the replica sees it: bodies go in, by way of the leader, until their outcome is known; committed
// entries come out. Between them Raft, the disk, and the frames that carry both.

import type { Index, ReplicaId } from '../base/brand.ts'
import { between, micros, plus } from '../base/instant.ts'
import type { Instant, Stamp } from '../base/instant.ts'
import type { RaftMessage } from '../raft/message.ts'
import type { Raft } from '../raft/raft.ts'
import type { Ready } from '../raft/ready.ts'
import type { Store } from '../store/store.ts'
import type { ClusterClock } from '../timer/cluster-clock.ts'
import { encodeEntry, encodeFrame, encodeRecord } from '../wire/codec.ts'
import type { Effect } from './effect.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Outbox } from './outbox.ts'

export interface LogPorts {
  readonly raft: Raft
  readonly store: Store
  readonly clock: ClusterClock
  readonly links: Links
  readonly outbox: Outbox
  readonly voters: readonly ReplicaId[]
  readonly now: () => Instant
  readonly wall: () => Stamp
  /** How many commits have an open outcome, and their bodies in serial order. */
  openCount(): number
  openBodies(): readonly Uint8Array[]
}

export class LogPort {
  readonly #ports: LogPorts
  #gathered: Uint8Array[] = []
  #proposedAt: Instant
  #again: number = limits.reproposal
  #persists = 0
  readonly #readies: { readonly persist: number; readonly ready: number }[] = []

  constructor(ports: LogPorts, now: Instant) {
    this.#ports = ports
    this.#proposedAt = now
  }

  /** Leaves with the end of this turn. */
  propose(body: Uint8Array): void {
    this.#gathered.push(body)
  }

  get busy(): boolean {
    return this.#gathered.length > 0
  }

  deadline(): Instant | null {
    return this.#ports.openCount() > 0 ? plus(this.#proposedAt, micros(this.#again)) : null
  }

  /** What gathered goes to the leader. While there is none it stays open, and is proposed again. */
  offer(leader: ReplicaId | null): void {
    const { raft, links } = this.#ports
    const now = this.#ports.now()
    let bodies: readonly Uint8Array[] = this.#gathered
    this.#gathered = []
    const open = this.#ports.openCount()
    if (open > bodies.length && between(this.#proposedAt, now) >= this.#again) {
      // Twice as long each time: a leader that is only slow must not be drowned. Its own log has what it appended itself.
      this.#again = Math.min(this.#again * 2, limits.reproposalMost)
      this.#proposedAt = now
      if (!raft.isLeader) bodies = this.#ports.openBodies()
    } else if (open === bodies.length) {
      this.#again = limits.reproposal
      this.#proposedAt = now
    }
    if (bodies.length === 0) return
    if (raft.isLeader) for (const body of bodies) this.append(body)
    else if (leader !== null) links.send(leader, { kind: 'propose', bodies })
  }

  /** Another leader, or a new link to it: everything open is proposed again. Serials make the repetition harmless. */
  offerAgain(): void {
    this.#again = limits.reproposal
    this.#proposedAt = this.#ports.now()
    this.#gathered = [...this.#ports.openBodies()]
  }

  /** The leader stamps and appends; another role drops it (its proposer tries again). */
  append(body: Uint8Array): Index | null {
    const { raft, clock, outbox, now, wall } = this.#ports
    if (!raft.isLeader) return null
    const appended = raft.propose(encodeEntry(clock.read(now(), wall()), body), now())
    if (appended.ok) return appended.value
    outbox.count(`proposals_refused_${appended.error.replace('-', '_')}`)
    return null
  }

  /** Persists what must be durable; sends what may leave, and the rest after it. */
  carryOut(ready: Ready): void {
    const { outbox } = this.#ports
    for (const effect of this.#frames(ready.messages)) outbox.push(effect)
    if (!ready.mustPersist) return
    // The term before the entries, so that no cut of the tail leaves an entry of a term the disk doesn't know.
    const records: Uint8Array[] = []
    if (ready.state !== null) records.push(encodeRecord({ kind: 'state', state: ready.state }))
    for (const entry of ready.entries) records.push(encodeRecord({ kind: 'entry', entry }))
    const number = ++this.#persists
    this.#readies.push({ persist: number, ready: ready.number })
    outbox.push({ kind: 'persist', number, records, then: this.#frames(ready.afterPersist) })
  }

  onPersisted(upTo: number): void {
    let last: number | null = null
    for (let next = this.#readies[0]; next !== undefined && next.persist <= upTo; next = this.#readies[0]) {
      last = next.ready
      this.#readies.shift()
    }
    if (last !== null) this.#ports.raft.persisted(last)
  }

  /** One frame a peer, in replica order. */
  #frames(messages: readonly RaftMessage[]): readonly Effect[] {
    const effects: Effect[] = []
    if (messages.length === 0) return effects
    const { clock, store, voters, now, wall } = this.#ports
    for (const to of voters) {
      const own = messages.filter((message) => message.to === to)
      if (own.length === 0) continue
      const reading = clock.reading(now(), wall())
      effects.push({
        kind: 'peer',
        to,
        frame: encodeFrame({ kind: 'raft', messages: own, clock: reading, applied: store.appliedIndex }),
      })
    }
    return effects
  }
}
