// What a caller gives a Raft core: its settings and bounds, and what its disk held.

import type { Index, ReplicaId } from '../base/brand.ts'
import type { Duration } from '../base/instant.ts'
import { millis } from '../base/instant.ts'
import type { Random } from '../base/random.ts'
import { configuration, configurationFault } from './configuration.ts'
import { entryFault } from './membership.ts'
import type { HardState, RaftEntry, SnapshotMetadata } from './message.ts'

export interface RaftConfig {
  readonly id: ReplicaId
  /** The first configuration, in force until the log or a snapshot has one. A replica that joins a set has none: it waits for
   * the leader's log. */
  readonly voters: readonly ReplicaId[]
  readonly learners?: readonly ReplicaId[]
  readonly random: Random
  /** Silence after which a leader is doubted: the least election timeout, the lease of leader stickiness, and the window of
   * check-quorum. Several heartbeats long. */
  readonly electionTimeout: Duration
  /** Election timeouts are drawn from [electionTimeout, electionTimeout + electionSpread). */
  readonly electionSpread: Duration
  /** Between a leader's heartbeats. */
  readonly heartbeat: Duration
  /** After `forget` of the leader a pre-vote follows within this; and its repetitions until another leads. */
  readonly prompt: Duration
  /** Entries in one append. */
  readonly maxAppendEntries: number
  /** `entryBytes` in one append; a single larger entry goes alone. */
  readonly maxAppendBytes: number
  /** Appends with entries that a peer hasn't acknowledged yet; beyond it the peer waits. */
  readonly maxInflight: number
  /** `entryBytes` of the same; the append that passes it is the last one. */
  readonly maxInflightBytes?: number
  /** `entryBytes` of a leader's uncommitted entries; beyond it `propose` refuses with `too-much`. */
  readonly maxUncommittedBytes: number
  /** `entryBytes` of the committed entries in one Ready, with `asyncStorage` of all that are handed out and not `applied` yet; a
   * single larger entry goes alone. */
  readonly maxCommittedBytes?: number
  /** Appends and applies are acknowledged apart: committed entries are handed out once they are durable here, and count as
   * applied when `applied` says so. Otherwise they may be handed out before this disk has them, and count at once. */
  readonly asyncStorage?: boolean
  /** Reads a leader keeps unanswered; beyond it reads are lost, as they may be. */
  readonly maxReads?: number
  /** Followers learn the commit index with their next append or heartbeat; at once only up to where `tellCommit` asked.
   * Otherwise, always at once. */
  readonly lazyCommit?: boolean
  /** A tick later than this after its deadline shows that the loop stalled, not that the others are silent. */
  readonly stall?: Duration
}

export type Settings = Required<RaftConfig>

const defaults = {
  learners: [],
  maxInflightBytes: Number.POSITIVE_INFINITY,
  maxCommittedBytes: 1 << 20,
  asyncStorage: false,
  maxReads: 4_096,
  lazyCommit: false,
  stall: millis(50),
}

/** The configuration with the values of what it leaves out. */
export function settingsOf(config: RaftConfig): Settings {
  return { ...defaults, ...config }
}

/** What the disk held. Entries are contiguous, from the snapshot's index on, or from index 1. */
export interface Restored {
  readonly state: HardState
  readonly entries: readonly RaftEntry[]
  /** The newest durable snapshot of the state machine, from which the state machine starts. */
  readonly snapshot?: SnapshotMetadata | null
  /** A state machine that is durable by itself has applied so far (etcd's Config.Applied). */
  readonly applied?: Index
}

/** What is wrong with what the disk held, or null. A Raft core takes only what is whole: whoever reads the disk asks first
 * and refuses to start with this reason. */
export function restoredFault(restored: Restored): string | null {
  const { state, entries, snapshot = null, applied = 0 } = restored
  const start = snapshot?.index ?? 0
  let term: number = snapshot?.term ?? 0
  if (snapshot !== null) {
    const fault = configurationFault(snapshot.configuration)
    if (fault !== null) return `the snapshot's configuration is none: ${fault}`
  }
  for (const [at, entry] of entries.entries()) {
    if (entry.index !== start + at + 1) return `entry ${entry.index} stands at index ${start + at + 1}`
    if (entry.term < term || entry.term < 1) return `entry ${entry.index} has term ${entry.term} after term ${term}`
    const fault = entryFault(entry)
    if (fault !== null) return fault
    term = entry.term
  }
  const last = start + entries.length
  // The term is written before the entries of that term, so no cut of the disk's tail can lose it alone.
  if (state.term < term) return `term ${state.term} is below the last entry's, ${term}`
  // `HardState.commit` counts only entries that were durable before it was written.
  if (state.commit > last) return `commit ${state.commit} is beyond the last entry, ${last}`
  return applied > last ? `applied ${applied} is beyond the last entry, ${last}` : null
}

/** What is wrong with a configuration by which a replica is to start, or null: an empty one is a joining replica's. */
export function startFault(config: RaftConfig): string | null {
  const { voters, learners = [] } = config
  return voters.length === 0 && learners.length === 0 ? null : configurationFault(configuration(voters, learners))
}
