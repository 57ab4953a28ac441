// What a replica is told when it starts. All of it is the host's to find out: ids, disk, clocks, random bytes.

import type { Life, ReplicaId } from '../base/brand.ts'
import type { Instant, Stamp } from '../base/instant.ts'
import type { ApplicationInfo } from '../app/contract.ts'
import type { CallSettings } from '../call/contract.ts'
import type { SnapshotMetadata } from '../raft/message.ts'
import type { Formats } from '../wire/formats.ts'

export interface Compaction {
  /** Bytes of records after which the log is worth a snapshot. */
  readonly every: number
  /** Entries kept in memory behind a snapshot. */
  readonly kept: number
  /** Bytes of a snapshot that are encoded, and sent or written, at a time. */
  readonly piece: number
}

/** `wal`: on disk, synced before anything that rests on it leaves. `memory`: only in the memories of the replicas. */
export type Durability = 'wal' | 'memory'

export interface ReplicaOptions {
  readonly id: ReplicaId
  /** The set's id; frames and disks of another set never get this far. */
  readonly set: string
  /** With whom the set was founded, this replica included, in rising order: in force until the log says otherwise. None: this replica
   * joins a set that exists. */
  readonly voters: readonly ReplicaId[]
  /** This start. Its record is durable before the replica is made. */
  readonly life: Life
  /** Seeds what may be random: election timeouts. */
  readonly seed: number
  /** 16 random bytes: the set's key, if this replica is the first leader of a new set. */
  readonly freshKey: Uint8Array
  /** 16 random bytes: what it makes later generations of the set key of, if it leads; absent = it makes none. */
  readonly laterKeys?: Uint8Array | undefined
  /** The snapshot that this replica's disk held, and its parts in order (wire/snapshot.ts); null or absent = none. */
  readonly snapshot?: { readonly metadata: SnapshotMetadata; readonly parts: Iterable<Uint8Array> } | null
  /** What the disk held after that, in order (wire/record.ts). */
  readonly records: readonly Uint8Array[]
  /** Where the log lives; default `wal`. With `memory` nothing is given to a disk: this start is an incarnation of its own. */
  readonly durability?: Durability
  /** In place of the limits. */
  readonly compaction?: Partial<Compaction>
  /** How many events it keeps (decision 0032), in place of the limit; 0 = none are made. */
  readonly keptEvents?: number | undefined
  readonly settings: CallSettings
  /** What can be asked here (as the input `applications` says it); absent = none, a plain proxy. */
  readonly applications?: readonly ApplicationInfo[]
  /** Bounds of consensus other than `limits` has: for the simulator, which draws them. */
  readonly raft?: { readonly appendEntries: number; readonly inflight: number }
  /** What this replica reads, if less than this release does; it refuses the rest as an older release would. */
  readonly formats?: Formats
  readonly now: Instant
  readonly wall: Stamp
}
