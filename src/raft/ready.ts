// What a Raft core asks of its caller: one value a turn, after etcd's Ready.

import type { Index } from '../base/brand.ts'
import type { HardState, RaftEntry, RaftMessage, SnapshotMetadata } from './message.ts'

export interface Ready {
  /** Rising by one, from 1. */
  readonly number: number
  /** To be durable before `afterPersist`; written *before* `entries`, so that no crash leaves an entry of a term the disk
   * doesn't know. Null = unchanged. */
  readonly state: HardState | null
  /** To be durable after `state` and before `entries`: the leader's snapshot, which takes the place of the disk's whole log and of
   * the state machine's state, before anything of `committed` is applied. Null = none. */
  readonly snapshot: SnapshotMetadata | null
  /** To append to the disk's log; an index seen before replaces that entry and all after it. */
  readonly entries: readonly RaftEntry[]
  /** May leave at once: they claim nothing that isn't durable. A leader's appends may overtake its own disk (thesis
   * 10.2.1). */
  readonly messages: readonly RaftMessage[]
  /** May leave once this Ready *and all before it* are durable: votes, acknowledgements, requests of a new term. */
  readonly afterPersist: readonly RaftMessage[]
  /** Newly committed, in order, each once in the life of this core. They may not be durable here yet: a quorum's disks
   * have them. */
  readonly committed: readonly RaftEntry[]
  /** Answers to `readIndex`: once `index` is applied, a read is linearizable. A context may be answered twice, or never. */
  readonly reads: readonly ReadResult[]
  /** Whether the disk is needed: then `persisted(number)` is due. Else this Ready is done as soon as its messages left. */
  readonly mustPersist: boolean
}

export interface ReadResult {
  readonly context: number
  readonly index: Index
}
