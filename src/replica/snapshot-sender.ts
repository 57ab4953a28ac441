// A leader's snapshot on its way to a follower whose next entry is purged (Raft paper, section 7): cut while the store goes on,
// in pieces, each sent once the one before is acknowledged, so that neither side holds more than one. A piece is repeated after
// silence; a lost link only delays. When all is there, Raft's own message says so.

import type { Life, ReplicaId } from '../base/brand.ts'
import { replicaOf } from '../base/brand.ts'
import { between, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { InstallSnapshot, SnapshotMetadata } from '../raft/message.ts'
import type { Raft } from '../raft/raft.ts'
import type { SnapshotCursor } from '../store/snapshot.ts'
import type { Store } from '../store/store.ts'
import { encodeSnapshotPart } from '../wire/codec.ts'
import type { SnapshotAckFrame, SnapshotFrame } from '../wire/frame.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Compaction } from './options.ts'
import type { Outbox } from './outbox.ts'

export interface SenderPorts {
  readonly life: Life
  readonly store: Store
  readonly raft: Raft
  readonly links: Links
  readonly outbox: Outbox
  readonly compaction: Compaction
  /** Raft's message for a follower that has all of a snapshot. */
  sendRaft(message: InstallSnapshot): void
}

interface Sending {
  readonly to: Life
  readonly id: number
  readonly cursor: SnapshotCursor
  readonly metadata: SnapshotMetadata
  /** The piece that is not acknowledged yet. */
  piece: SnapshotFrame
  sentAt: Instant
  /** When the follower was heard last. */
  heardAt: Instant
}

export class SnapshotSender {
  readonly #ports: SenderPorts
  readonly #wanted = new Set<ReplicaId>()
  #sending: Sending | null = null
  #ids = 0

  constructor(ports: SenderPorts) {
    this.#ports = ports
  }

  /** Raft wants that follower to have a snapshot. */
  want(to: ReplicaId): void {
    this.#wanted.add(to)
  }

  deadline(): Instant | null {
    return this.#sending === null ? null : plus(this.#sending.sentAt, limits.snapshotAgain)
  }

  /** Begins what is wanted, one at a time; repeats what was not acknowledged; gives up what nobody answers. */
  turn(now: Instant): void {
    const { raft, links } = this.#ports
    const sending = this.#sending
    if (sending !== null) {
      const to = replicaOf(sending.to)
      const isGone = links.isDead(sending.to) || between(sending.heardAt, now) >= limits.snapshotPatience
      if (!raft.isLeader || isGone || sending.cursor.state === 'overrun') this.#end(sending, to, false)
      else if (between(sending.sentAt, now) >= limits.snapshotAgain) this.#send(sending, now)
      return
    }
    for (const to of this.#wanted) {
      this.#wanted.delete(to)
      const life = links.lifeOf(to)
      if (!raft.isLeader) continue
      if (life === null || !links.isUp(to)) raft.reportSnapshot(to, false)
      else if (this.#ports.store.cutting) {
        this.#wanted.add(to)
        return
      } else return this.#begin(life, now)
    }
  }

  onAck(from: Life, { id, number }: SnapshotAckFrame, now: Instant): void {
    const sending = this.#sending
    if (sending === null || sending.to !== from || sending.id !== id || sending.piece.number !== number) return
    sending.heardAt = now
    if (sending.piece.isLast) {
      const { metadata } = sending
      const { raft, sendRaft } = this.#ports
      const to = replicaOf(from)
      this.#end(sending, to, true)
      const message = raft.installMessage(to, metadata)
      if (message !== null) sendRaft(message)
      return
    }
    const parts = this.#next(sending.cursor)
    if (sending.cursor.state === 'overrun') return
    sending.piece = this.#piece(sending, parts, number + 1)
    this.#send(sending, now)
  }

  #begin(to: Life, now: Instant): void {
    const { store, raft, outbox } = this.#ports
    const { metadata } = raft.suffix(store.appliedIndex)
    const cursor = store.snapshot(limits.snapshotAside)
    const parts = this.#next(cursor)
    const begun = { to, id: ++this.#ids, cursor, metadata, sentAt: now, heardAt: now }
    const sending: Sending = { ...begun, piece: this.#piece(begun, parts, 1) }
    this.#sending = sending
    outbox.count('snapshots_sent')
    this.#send(sending, now)
  }

  #next(cursor: SnapshotCursor): readonly Uint8Array[] {
    const { compaction, store } = this.#ports
    return cursor.next(compaction.piece, (part) => encodeSnapshotPart(part, store.format))
  }

  #piece(of: Pick<Sending, 'id' | 'cursor' | 'metadata'>, parts: readonly Uint8Array[], number: number): SnapshotFrame {
    const { id, metadata, cursor } = of
    const isLast = cursor.state === 'complete'
    return { kind: 'snapshot', id, number, metadata: number === 1 ? metadata : null, parts, isLast }
  }

  #send(sending: Sending, now: Instant): void {
    sending.sentAt = now
    const to = replicaOf(sending.to)
    if (this.#ports.links.isUp(to)) this.#ports.links.send(to, sending.piece)
  }

  #end(sending: Sending, to: ReplicaId, arrived: boolean): void {
    sending.cursor.cancel()
    this.#sending = null
    if (!arrived) this.#ports.outbox.count('snapshots_unsent')
    this.#ports.raft.reportSnapshot(to, arrived)
  }
}
