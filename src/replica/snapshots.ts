// Snapshots (Raft paper, section 7), as the rest of the replica sees them: this replica's own, those it sends as a leader, and the
// one it gets as a follower.

import type { Life, ReplicaId } from '../base/brand.ts'
import { must } from '../base/assert.ts'
import type { Instant } from '../base/instant.ts'
import type { InstallSnapshot, SnapshotMetadata } from '../raft/message.ts'
import type { Raft } from '../raft/raft.ts'
import type { Store } from '../store/store.ts'
import type { SnapshotAckFrame, SnapshotFrame } from '../wire/frame.ts'
import type { Formats } from '../wire/formats.ts'
import type { LifeRecord } from '../wire/record.ts'
import type { SnapshotInput } from './input.ts'
import type { Links } from './links.ts'
import type { LogPort } from './log-port.ts'
import type { Compaction } from './options.ts'
import type { Outbox } from './outbox.ts'
import { OwnSnapshots } from './own-snapshots.ts'
import { makeStore } from './restore.ts'
import { SnapshotReceiver } from './snapshot-receiver.ts'
import { SnapshotSender } from './snapshot-sender.ts'

export interface SnapshotPorts {
  readonly life: Life
  readonly lifeRecord: LifeRecord
  readonly store: Store
  readonly raft: Raft
  readonly log: LogPort
  readonly links: Links
  readonly outbox: Outbox
  readonly compaction: Compaction
  /** What this replica reads. */
  readonly formats: Formats
  /** Bytes of the records that the disk held at the start. */
  readonly before: number
  /** There is no disk to write snapshots to. */
  readonly inMemory: boolean
  readonly keptEvents?: number | undefined
}

export class Snapshots {
  readonly #ports: SnapshotPorts
  readonly #own: OwnSnapshots
  readonly #sender: SnapshotSender
  readonly #receiver: SnapshotReceiver

  constructor(ports: SnapshotPorts) {
    const { log, lifeRecord } = ports
    this.#ports = ports
    this.#own = new OwnSnapshots({ ...ports, life: lifeRecord })
    this.#sender = new SnapshotSender({ ...ports, sendRaft: (message) => log.send([message]) })
    this.#receiver = new SnapshotReceiver({
      ...ports,
      snapshots: this.#own,
      makeStore: () => makeStore(ports.keptEvents),
    })
  }

  deadline(): Instant | null {
    return this.#sender.deadline()
  }

  turn(now: Instant): void {
    const { log, raft } = this.#ports
    this.#receiver.forgetUpTo(raft.commitIndex)
    // The disk writes one at a time: an own one begun now would take the pieces that come for its own.
    if (!this.#receiver.isBusy && !log.isHeld) this.#own.turn()
    this.#sender.turn(now)
  }

  /** Raft wants that follower to have one. */
  want(to: ReplicaId): void {
    this.#sender.want(to)
  }

  onInput(input: SnapshotInput): void {
    this.#own.onInput(input)
  }

  onPiece(from: Life, frame: SnapshotFrame): void {
    // What is whole and taken, or about to be, gives way to nothing.
    if (!this.#ports.log.isHeld && !this.#ports.raft.isInstalling) this.#receiver.onPiece(from, frame)
  }

  onAck(from: Life, frame: SnapshotAckFrame, now: Instant): void {
    this.#sender.onAck(from, frame, now)
  }

  /** Whether Raft may hear this message: not before the snapshot's bytes are here; one that brings nothing new is only
   * acknowledged. */
  isHere({ snapshot }: InstallSnapshot): boolean {
    return snapshot.index <= this.#ports.raft.commitIndex || this.#receiver.whole(snapshot) !== null
  }

  /** The leader's snapshot takes the place of the log and of the store: at once in memory, on disk before anything that
   * follows. */
  install(metadata: SnapshotMetadata): void {
    const { store, raft, log, outbox } = this.#ports
    const incoming = must(this.#receiver.whole(metadata), 'Raft installs only what is here')
    this.#receiver.clear()
    log.hold(raft.suffix(metadata.index).state, () => {
      this.#own.write({ kind: 'finish' }, (outcome, reason) => {
        if (outcome !== 'failed') return log.release()
        outbox.push({ kind: 'stop', cause: 'fault', reason: `the leader's snapshot can't be made durable: ${reason}` })
      })
    })
    store.adopt(incoming)
    const at = metadata.index
    this.#own.replaced(at)
    outbox.count('snapshots_installed')
    outbox.log('info', 'snapshot-installed', `the leader's snapshot at index ${at} is installed`, { index: at })
  }
}
