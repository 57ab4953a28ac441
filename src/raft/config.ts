// What a caller gives a Raft core: its settings and bounds, and what its disk held.

import type { ReplicaId } from '../base/brand.ts'
import type { Duration } from '../base/instant.ts'
import { millis } from '../base/instant.ts'
import type { Random } from '../base/random.ts'
import type { HardState, RaftEntry } from './message.ts'

export interface RaftConfig {
  readonly id: ReplicaId
  readonly voters: readonly ReplicaId[]
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
  /** `entryBytes` of a leader's uncommitted entries; beyond it `propose` refuses with `too-much`. */
  readonly maxUncommittedBytes: number
  /** `entryBytes` of the committed entries in one Ready; a single larger entry goes alone. */
  readonly maxCommittedBytes?: number
  /** Reads a leader keeps unanswered; beyond it reads are lost, as they may be. */
  readonly maxReads?: number
  /** Followers learn the commit index with their next append or heartbeat; at once only up to where `tellCommit` asked.
   * Otherwise, always at once. */
  readonly lazyCommit?: boolean
  /** A tick later than this after its deadline shows that the loop stalled, not that the others are silent. */
  readonly stall?: Duration
}

export type Settings = Required<RaftConfig>

/** The configuration with the values of what it leaves out. */
export function settingsOf(config: RaftConfig): Settings {
  return { maxCommittedBytes: 1 << 20, maxReads: 4_096, lazyCommit: false, stall: millis(50), ...config }
}

/** What the disk held. Entries from index 1, contiguous. */
export interface Restored {
  readonly state: HardState
  readonly entries: readonly RaftEntry[]
}

/** What is wrong with what the disk held, or null. A Raft core takes only what is whole: whoever reads the disk asks first
 * and refuses to start with this reason. */
export function restoredFault(restored: Restored): string | null {
  const { state, entries } = restored
  let term = 0
  for (const [at, entry] of entries.entries()) {
    if (entry.index !== at + 1) return `entry ${entry.index} stands at index ${at + 1}`
    if (entry.term < term || entry.term < 1) return `entry ${entry.index} has term ${entry.term} after term ${term}`
    term = entry.term
  }
  // The term is written before the entries of that term, so no cut of the disk's tail can lose it alone.
  if (state.term < term) return `term ${state.term} is below the last entry's, ${term}`
  // `HardState.commit` counts only entries that were durable before it was written.
  if (state.commit > entries.length) return `commit ${state.commit} is beyond the last entry, ${entries.length}`
  return null
}
