// A follower's side of a leader's snapshot: pieces are restored into a store of their own and written beside the log as they
// come, and acknowledged once written. Only when Raft's message for the whole comes is it taken: then, in this order, the log's
// rotation is durable, the snapshot is finished, and the store becomes what came.

import type { Index, Life } from '../base/brand.ts'
import { replicaOf } from '../base/brand.ts'
import type { SnapshotMetadata } from '../raft/message.ts'
import type { Store } from '../store/store.ts'
import { decodeSnapshotPart } from '../wire/codec.ts'
import type { Formats } from '../wire/formats.ts'
import type { SnapshotFrame } from '../wire/frame.ts'
import type { Links } from './links.ts'
import type { Outbox } from './outbox.ts'
import type { OwnSnapshots } from './own-snapshots.ts'

export interface ReceiverPorts {
  readonly links: Links
  readonly outbox: Outbox
  readonly snapshots: OwnSnapshots
  /** What this replica reads. */
  readonly formats: Formats
  /** An empty store like this replica's. */
  makeStore(): Store
}

interface Incoming {
  readonly from: Life
  readonly id: number
  readonly metadata: SnapshotMetadata
  readonly store: Store
  /** The last piece taken, and whether it is written. */
  number: number
  isWritten: boolean
  isWhole: boolean
}

export class SnapshotReceiver {
  readonly #ports: ReceiverPorts
  #incoming: Incoming | null = null

  constructor(ports: ReceiverPorts) {
    this.#ports = ports
  }

  onPiece(from: Life, frame: SnapshotFrame): void {
    const { metadata, id, number } = frame
    const known = this.#incoming
    const isSame = known !== null && known.from === from && known.id === id
    // Of one that its sender has given up since.
    if (known !== null && known.from === from && known.id > id) return
    if (isSame && number === known.number) {
      // Its acknowledgement was lost, or it is not written yet.
      if (known.isWritten) this.#acknowledge(known)
      return
    }
    if (metadata !== null && number === 1) this.#begin(from, id, metadata)
    const incoming = this.#incoming
    if (incoming === null || incoming.from !== from || incoming.id !== id || number !== incoming.number + 1) return
    this.#take(incoming, frame)
  }

  /** Whether one is on its way, or whole. */
  get isBusy(): boolean {
    return this.#incoming !== null
  }

  /** What came whole, if it is that snapshot; it is the caller's then. */
  whole(metadata: SnapshotMetadata): Store | null {
    const incoming = this.#incoming
    if (incoming === null || !incoming.isWhole || !incoming.isWritten) return null
    const { index, term } = incoming.metadata
    return index === metadata.index && term === metadata.term ? incoming.store : null
  }

  /** The log got there without it. */
  forgetUpTo(commit: Index): void {
    const incoming = this.#incoming
    if (incoming === null || incoming.metadata.index > commit) return
    this.#incoming = null
    this.#ports.snapshots.write({ kind: 'abandon' }, () => undefined)
  }

  /** It was taken. */
  clear(): void {
    this.#incoming = null
  }

  #begin(from: Life, id: number, metadata: SnapshotMetadata): void {
    const { snapshots, makeStore, outbox } = this.#ports
    snapshots.abandon()
    this.#incoming = { from, id, metadata, store: makeStore(), number: 0, isWritten: true, isWhole: false }
    outbox.count('snapshots_receiving')
    snapshots.write({ kind: 'begin', metadata }, () => undefined)
  }

  #take(incoming: Incoming, { parts, number, isLast }: SnapshotFrame): void {
    const fault = restore(incoming.store, parts, this.#ports.formats)
    if (fault !== null) return this.#fail(`a piece can't be used: ${fault}`)
    incoming.number = number
    incoming.isWritten = false
    incoming.isWhole = isLast
    this.#ports.snapshots.write({ kind: 'parts', parts }, (outcome, reason) => {
      if (this.#incoming !== incoming) return
      if (outcome === 'failed') return this.#fail(reason)
      incoming.isWritten = true
      this.#acknowledge(incoming)
    })
  }

  #acknowledge({ from, id, number }: Incoming): void {
    this.#ports.links.send(replicaOf(from), { kind: 'snapshot-ack', id, number })
  }

  #fail(reason: string): void {
    this.#incoming = null
    this.#ports.outbox.log('warn', 'snapshot-refused', `a leader's snapshot is given up: ${reason}`)
    this.#ports.snapshots.write({ kind: 'abandon' }, () => undefined)
  }
}

function restore(store: Store, parts: readonly Uint8Array[], formats: Formats): string | null {
  for (const bytes of parts) {
    const part = decodeSnapshotPart(bytes, formats)
    if (!part.ok) return part.error
    const fault = store.restore(part.value)
    if (fault !== null) return fault
  }
  return null
}
