// What a replica is told when it starts. All of it is the host's to find out: ids, disk, clocks, random bytes.

import type { Life, ReplicaId } from '../base/brand.ts'
import type { Instant, Stamp } from '../base/instant.ts'
import type { CallSettings } from '../call/contract.ts'

export interface ReplicaOptions {
  readonly id: ReplicaId
  /** The set's id; frames and disks of another set never get this far. */
  readonly set: string
  /** All replicas that vote, this one included, in rising order. */
  readonly voters: readonly ReplicaId[]
  /** This start. Its record is durable before the replica is made. */
  readonly life: Life
  /** Seeds what may be random: election timeouts. */
  readonly seed: number
  /** 16 random bytes: the set's key, if this replica is the first leader of a new set. */
  readonly freshKey: Uint8Array
  /** What this replica's disk held before this start, in order (wire/record.ts). */
  readonly records: readonly Uint8Array[]
  readonly settings: CallSettings
  /** Bounds of consensus other than `limits` has: for the simulator, which draws them. */
  readonly raft?: { readonly appendEntries: number; readonly inflight: number }
  readonly now: Instant
  readonly wall: Stamp
}
