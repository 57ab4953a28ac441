// This replica's own snapshots (Raft paper, section 7): when the log on disk has grown, a cursor walks through the store while
// it goes on, its parts are written beside the log, and once they are durable the log before them goes, on disk and in memory.
//
//   idle --enough was written--> rotating --durable--> writing .. --the last part--> finishing --durable--> idle
//                                    '---------- overrun, or the disk refuses: abandoned, later again -------'
//
// The rotation is a new segment that begins with all that a log needs from there on: so the segments before it hold nothing
// that the snapshot hasn't.

import { configurationFault } from '../raft/configuration.ts'
import type { SnapshotMetadata } from '../raft/message.ts'
import type { Raft } from '../raft/raft.ts'
import type { SnapshotCursor } from '../store/snapshot.ts'
import type { Store } from '../store/store.ts'
import { encodeRecord, encodeSnapshotPart } from '../wire/codec.ts'
import type { LifeRecord } from '../wire/record.ts'
import { index } from '../base/brand.ts'
import type { Index } from '../base/brand.ts'
import type { SnapshotWrite } from './effect.ts'
import type { SnapshotInput } from './input.ts'
import { limits } from './limits.ts'
import type { LogPort } from './log-port.ts'
import type { Compaction } from './options.ts'
import type { Outbox } from './outbox.ts'

export interface OwnSnapshotPorts {
  readonly store: Store
  readonly raft: Raft
  readonly log: LogPort
  readonly outbox: Outbox
  readonly life: LifeRecord
  readonly compaction: Compaction
  /** Bytes of the records that the disk held at the start. */
  readonly before: number
  readonly inMemory: boolean
}

interface Own {
  readonly cursor: SnapshotCursor
  readonly metadata: SnapshotMetadata
}

export class OwnSnapshots {
  readonly #ports: OwnSnapshotPorts
  #own: Own | null = null
  /** Bytes of this life's records at its last snapshot; below 0: those of earlier lives count, too. */
  #from: number
  /** What the last snapshot was of, finished or not. */
  #at: Index
  /** Pieces given to the host, and what is done when each is answered. */
  #pieces = 0
  readonly #answers = new Map<number, (outcome: SnapshotInput['outcome'], reason: string) => void>()

  constructor(ports: OwnSnapshotPorts) {
    this.#ports = ports
    this.#from = -ports.before
    this.#at = ports.store.appliedIndex
  }

  /** Begins a snapshot when one is due. */
  turn(): void {
    const { log, store, compaction } = this.#ports
    if (this.#own !== null || log.written - this.#from < compaction.every || store.cutting) return
    // A given-up one may still be finishing: it would take this one's rotation for its own.
    if (this.#answers.size > 0) return
    // A rotation writes what is not applied once more: with nothing new applied it would gain nothing, again and again.
    if (store.appliedIndex <= this.#at) return
    if (this.#ports.inMemory) this.#forget()
    else this.#begin()
  }

  /** A leader's snapshot took the log's place. */
  replaced(at: Index): void {
    this.#from = this.#ports.log.written
    this.#at = at
  }

  /** Gives way to a leader's snapshot. */
  abandon(): void {
    if (this.#own === null) return
    this.#own.cursor.cancel()
    this.#own = null
    this.write({ kind: 'abandon' }, () => undefined)
  }

  /** A piece for the host; `answered` comes when it is done with it. */
  write(piece: SnapshotWrite['piece'], answered: (outcome: SnapshotInput['outcome'], reason: string) => void): void {
    if (this.#ports.inMemory) return answered('written', '')
    const number = ++this.#pieces
    this.#answers.set(number, answered)
    this.#ports.outbox.push({ kind: 'snapshot', number, piece })
  }

  onInput({ number, outcome, reason }: SnapshotInput): void {
    const answered = this.#answers.get(number)
    this.#answers.delete(number)
    answered?.(outcome, reason)
  }

  /** In memory the store itself is the snapshot: who needs one gets it from there (snapshot-sender.ts). */
  #forget(): void {
    const { store, log } = this.#ports
    this.#at = store.appliedIndex
    this.#from = log.written
    this.#compact(this.#at)
  }

  #begin(): void {
    const { store, raft, log, life, outbox } = this.#ports
    const at = store.appliedIndex
    const { metadata, state, entries } = raft.suffix(at)
    // Who was in the set then is not known to one that joined later; it gets a later entry that says so.
    if (configurationFault(metadata.configuration) !== null) return
    const own: Own = { cursor: store.snapshot(limits.snapshotAside), metadata }
    this.#own = own
    this.#at = at
    outbox.count('snapshots_begun')
    const records = [
      life,
      { kind: 'state', state } as const,
      ...entries.map((entry) => ({ kind: 'entry', entry }) as const),
    ]
    const rotated = records.map((record) => encodeRecord(record, store.format))
    this.#from = log.written
    log.rotate(rotated, () => {
      if (this.#own !== own) return
      this.write({ kind: 'begin', metadata }, (outcome, reason) => this.#more(own, outcome, reason))
    })
  }

  #more(own: Own, outcome: SnapshotInput['outcome'], reason: string): void {
    if (this.#own !== own) return
    if (outcome === 'failed') return this.#fail(own, reason)
    const { format } = this.#ports.store
    const parts = own.cursor.next(this.#ports.compaction.piece, (part) => encodeSnapshotPart(part, format))
    if (own.cursor.state === 'overrun') return this.#fail(own, 'too much changed meanwhile')
    const isLast = own.cursor.state === 'complete'
    this.write({ kind: 'parts', parts }, (next, why) => {
      if (!isLast || next === 'failed') this.#more(own, next, why)
      else if (this.#own === own) this.#finish(own)
    })
  }

  #finish(own: Own): void {
    this.write({ kind: 'finish' }, (outcome, reason) => {
      if (this.#own !== own) return
      if (outcome === 'failed') return this.#fail(own, reason)
      this.#own = null
      this.#ports.outbox.count('snapshots_finished')
      this.#compact(own.metadata.index)
    })
  }

  #compact(at: Index): void {
    const { raft, outbox, compaction } = this.#ports
    if (raft.snapshot(at) === null) return
    raft.purge(index(Math.max(0, at - compaction.kept)))
    outbox.log('info', 'snapshot', `the log is compacted behind a snapshot at index ${at}`, { index: at })
  }

  #fail(own: Own, reason: string): void {
    const { index: at } = own.metadata
    this.#ports.outbox.count('snapshots_abandoned')
    this.#ports.outbox.log('warn', 'snapshot-abandoned', `the snapshot at index ${at} is given up: ${reason}`, {
      index: at,
    })
    this.abandon()
  }
}
