// The log as the rest of the replica sees it: bodies go in, by way of the leader, until their outcome is known; committed
// entries come out. Between them Raft, the disk, and the frames that carry both.

import { assert } from '../base/assert.ts'
import { index } from '../base/brand.ts'
import type { Index, ReplicaId } from '../base/brand.ts'
import { micros, plus } from '../base/instant.ts'
import type { Instant, Stamp } from '../base/instant.ts'
import type { HardState, RaftMessage } from '../raft/message.ts'
import type { Raft } from '../raft/raft.ts'
import type { Ready } from '../raft/ready.ts'
import type { Store } from '../store/store.ts'
import type { ClusterClock } from '../timer/cluster-clock.ts'
import { encodeEntry, encodeFrame, encodeRecord, isRaise } from '../wire/codec.ts'
import type { LifeRecord } from '../wire/record.ts'
import type { Effect, Persist } from './effect.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Outbox } from './outbox.ts'
import type { Proposal } from './owner-ports.ts'

export interface LogPorts {
  readonly raft: Raft
  readonly store: Store
  readonly clock: ClusterClock
  readonly links: Links
  readonly outbox: Outbox
  readonly now: () => Instant
  readonly wall: () => Stamp
  /** When the oldest commit without an outcome was made; null = all are decided. */
  oldestOpen(): Instant | null
  /** The bodies of all commits without an outcome, in serial order. */
  openBodies(): readonly Uint8Array[]
  /** While stale, a replica says that it has applied nothing. */
  stale(): boolean
  /** Raft wants that follower to have a snapshot: its entries are purged. */
  wantSnapshot(to: ReplicaId): void
  /** The first record of a new segment: whose log it is. */
  readonly lifeRecord: LifeRecord
  /** There is no disk: what is in memory is as durable as it gets, at once. */
  readonly inMemory: boolean
}

export class LogPort {
  readonly #ports: LogPorts
  #gathered: Proposal[] = []
  /** When what gathered leaves at the latest; null = nothing gathered. */
  #leaveAt: Instant | null = null
  /** When all that was open was proposed last, and how long until it is proposed again. */
  #proposedAt: Instant
  #again: number = limits.reproposal
  #persists = 0
  readonly #readies: { readonly persist: number; readonly ready: number }[] = []
  /** What is done once a rotation is durable. */
  readonly #rotations: { readonly persist: number; readonly done: () => void }[] = []
  /** While a leader's snapshot is not durable: what may be written only after it. */
  #held: Persist[] | null = null
  #written = 0

  constructor(ports: LogPorts, now: Instant) {
    this.#ports = ports
    this.#proposedAt = now
  }

  /** Leaves with the end of this turn; if nothing waits for it, with the next one that does, or a little later. */
  propose(proposal: Proposal, isAwaited: boolean): void {
    this.#gathered.push(proposal)
    if (isAwaited) this.hurry()
    else this.#leaveAt ??= plus(this.#ports.now(), limits.lazy)
  }

  /** Something waits for what gathered. */
  hurry(): void {
    if (this.#gathered.length > 0) this.#leaveAt = this.#ports.now()
  }

  get busy(): boolean {
    return this.#leaveAt !== null && this.#leaveAt <= this.#ports.now()
  }

  deadline(): Instant | null {
    const again = this.#againAt()
    if (this.#leaveAt === null) return again
    return again === null || this.#leaveAt < again ? this.#leaveAt : again
  }

  /** What gathered goes to the leader. While there is none it stays open, and is proposed again. */
  offer(leader: ReplicaId | null): void {
    const { raft } = this.#ports
    const now = this.#ports.now()
    const again = this.#againAt()
    if (again !== null && again <= now) {
      // Twice as long each time: a leader that is only slow must not be drowned.
      this.#again = Math.min(this.#again * 2, limits.reproposalMost)
      this.#proposedAt = now
      this.#gathered = this.#ports.openBodies().map((body) => () => body)
    } else if (!this.busy) {
      return
    }
    const bodies = this.#gathered.map((bytes) => bytes())
    this.#gathered = []
    this.#leaveAt = null
    if (raft.isLeader) this.#appendOwn(bodies)
    else if (leader !== null) this.#sendTo(leader, bodies)
  }

  /** Another leader, or a new link to it: everything open is proposed again. Serials make the repetition harmless. */
  offerAgain(): void {
    this.#again = limits.reproposal
    this.#proposedAt = this.#ports.now()
    this.#gathered = this.#ports.openBodies().map((body) => () => body)
    this.hurry()
  }

  #againAt(): Instant | null {
    const oldest = this.#ports.oldestOpen()
    // A leader's own log has what it appended; what it could not append has never left `#gathered`.
    if (oldest === null || this.#ports.raft.isLeader) return null
    const since = oldest > this.#proposedAt ? oldest : this.#proposedAt
    return plus(since, micros(oldest > this.#proposedAt ? limits.reproposal : this.#again))
  }

  #appendOwn(bodies: readonly Uint8Array[]): void {
    for (const [at, body] of bodies.entries()) {
      if (this.append(body) !== null) continue
      this.#gathered = bodies.slice(at).map((rest) => () => rest)
      this.#leaveAt = plus(this.#ports.now(), limits.heartbeat)
      return
    }
  }

  #sendTo(leader: ReplicaId, bodies: readonly Uint8Array[]): void {
    let from = 0
    let size = 0
    for (let at = 0; at < bodies.length; at++) {
      size += (bodies[at] as Uint8Array).length
      if (size < limits.appendBytes && at + 1 - from < limits.appendEntries && at + 1 < bodies.length) continue
      this.#ports.links.send(leader, { kind: 'propose', bodies: bodies.slice(from, at + 1) })
      from = at + 1
      size = 0
    }
  }

  /** Bytes of records written in this life. */
  get written(): number {
    return this.#written
  }

  /** Begins a new segment of the log on disk with these records. */
  rotate(records: readonly Uint8Array[], done: () => void): void {
    assert(!this.#ports.inMemory, 'only a disk has segments')
    const number = ++this.#persists
    this.#rotations.push({ persist: number, done })
    this.#persist({ kind: 'persist', number, records, rotate: true, then: [] })
  }

  /** A leader's snapshot takes the log's place: a new segment begins, and what follows waits until the snapshot is durable
   * (`release`): a crash would leave a gap. */
  hold(state: HardState, rotated: () => void): void {
    // There is none on disk.
    if (this.#ports.inMemory) return
    // The hint must not be beyond the old log, which counts until the snapshot does.
    const records = [this.#ports.lifeRecord, { kind: 'state', state: { ...state, commit: index(0) } } as const]
    this.rotate(
      records.map((record) => encodeRecord(record, this.#ports.store.format)),
      rotated,
    )
    this.#held = []
  }

  get isHeld(): boolean {
    return this.#held !== null
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const persist of held) this.#ports.outbox.push(persist)
  }

  /** A peer's proposals: stamped and appended in order; it waits for their outcome. */
  onPropose(from: ReplicaId, bodies: readonly Uint8Array[]): void {
    let last: Index | null = null
    for (const body of bodies) if (!isRaise(body)) last = this.append(body) ?? last
    if (last !== null) this.#ports.raft.tellCommit(from, last)
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
    const { wantSnapshot } = this.#ports
    for (const message of ready.messages) if (message.kind === 'snapshot') wantSnapshot(message.to)
    this.send(ready.messages.filter(({ kind }) => kind !== 'snapshot'))
    if (!ready.mustPersist) return
    if (this.#ports.inMemory) return this.#remember(ready)
    // The term before the entries, so that no cut of the tail leaves an entry of a term the disk doesn't know.
    const { format } = this.#ports.store
    const records: Uint8Array[] = []
    if (ready.state !== null) records.push(encodeRecord({ kind: 'state', state: ready.state }, format))
    for (const entry of ready.entries) records.push(encodeRecord({ kind: 'entry', entry }, format))
    const number = ++this.#persists
    this.#readies.push({ persist: number, ready: ready.number })
    this.#persist({ kind: 'persist', number, records, then: this.#frames(ready.afterPersist) })
  }

  /** In memory all is as durable as it gets; what becomes committed by that comes with the next Ready of this turn. */
  #remember(ready: Ready): void {
    for (const { data } of ready.entries) this.#written += data.length
    this.send(ready.afterPersist)
    this.#ports.raft.persisted(ready.number)
  }

  /** Raft's messages that may leave now. */
  send(messages: readonly RaftMessage[]): void {
    for (const effect of this.#frames(messages)) this.#ports.outbox.push(effect)
  }

  #persist(persist: Persist): void {
    for (const record of persist.records) this.#written += record.length
    if (this.#held === null) this.#ports.outbox.push(persist)
    else this.#held.push(persist)
  }

  onPersisted(upTo: number): void {
    let last: number | null = null
    for (let next = this.#readies[0]; next !== undefined && next.persist <= upTo; next = this.#readies[0]) {
      last = next.ready
      this.#readies.shift()
    }
    if (last !== null) this.#ports.raft.persisted(last)
    for (let next = this.#rotations[0]; next !== undefined && next.persist <= upTo; next = this.#rotations[0]) {
      this.#rotations.shift()
      next.done()
    }
  }

  /** One frame a peer, in replica order. */
  #frames(messages: readonly RaftMessage[]): readonly Effect[] {
    const effects: Effect[] = []
    if (messages.length === 0) return effects
    const { clock, store, stale, now, wall } = this.#ports
    const receivers = [...new Set(messages.map(({ to }) => to))].sort((a, b) => a - b)
    const reading = clock.reading(now(), wall())
    const applied = stale() ? index(0) : store.appliedIndex
    for (const to of receivers) {
      const own = messages.filter((message) => message.to === to)
      if (own.length === 0) continue
      effects.push({
        kind: 'peer',
        to,
        frame: encodeFrame({ kind: 'raft', messages: own, clock: reading, applied }, store.format),
      })
    }
    return effects
  }
}
