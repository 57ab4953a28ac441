// What voters say to each other and what they store: plain values, named as in the Raft thesis (Ongaro 2014) and etcd.

import type { Index, ReplicaId, Term } from '../base/brand.ts'
import type { Configuration } from './configuration.ts'

/** One entry of the log. Only `normal` and `configuration` entries carry data; Raft doesn't know what it orders. */
export interface RaftEntry {
  readonly term: Term
  readonly index: Index
  readonly kind: 'normal' | 'no-op' | 'configuration'
  readonly data: Uint8Array
}

/** What must be durable before a vote or an acknowledgement leaves (Raft paper, figure 2: persistent state). */
export interface HardState {
  readonly term: Term
  readonly vote: ReplicaId | null
  /** A hint, never ahead of what was committed: saves a restarted replica from applying too little at first. */
  readonly commit: Index
}

/** What Raft must know of a snapshot of the state machine: the last entry that it has, and the configuration there (figure 5.2).
 */
export interface SnapshotMetadata {
  readonly index: Index
  readonly term: Term
  readonly configuration: Configuration
}

interface Head {
  readonly from: ReplicaId
  readonly to: ReplicaId
  readonly term: Term
}

/** Thesis 9.6 (pre-vote) and figure 3.1 (RequestVote). A pre-vote's term is the one the candidate would campaign in. A
 * `transfer-vote` is a vote that the leader itself asked for (thesis 4.2.3, end): it is heard although the leader is. */
export interface VoteRequest extends Head {
  readonly kind: 'pre-vote' | 'vote' | 'transfer-vote'
  readonly lastIndex: Index
  readonly lastTerm: Term
}

export interface VoteResponse extends Head {
  readonly kind: 'pre-vote-response' | 'vote-response'
  readonly granted: boolean
}

/** Figure 3.1: AppendEntries. */
export interface AppendRequest extends Head {
  readonly kind: 'append'
  readonly prevIndex: Index
  readonly prevTerm: Term
  readonly entries: readonly RaftEntry[]
  readonly commit: Index
}

export interface AppendResponse extends Head {
  readonly kind: 'append-response'
  /** The last index that now matches; in a rejection the prevIndex that didn't. */
  readonly index: Index
  readonly rejected: boolean
  /** In a rejection: the largest index at or below `index` where the logs may agree, and its term there. */
  readonly hintIndex: Index
  readonly hintTerm: Term
}

/** `context` numbers the leader's heartbeat rounds, for check-quorum and reads; leader-made, never reused in a term. */
export interface Heartbeat extends Head {
  readonly kind: 'heartbeat'
  readonly commit: Index
  readonly context: number
}

export interface HeartbeatResponse extends Head {
  readonly kind: 'heartbeat-response'
  readonly context: number
}

/** Thesis 6.4: a follower asks for a read index. `context` is the asker's own. */
export interface ReadIndexRequest extends Head {
  readonly kind: 'read-index'
  readonly context: number
}

export interface ReadIndexResponse extends Head {
  readonly kind: 'read-index-response'
  readonly context: number
  readonly index: Index
}

/** Thesis 3.10: the leader asks a voter that has all of its log to campaign at once. */
export interface TimeoutNow extends Head {
  readonly kind: 'timeout-now'
}

/** Figure 5.3, InstallSnapshot, without its bytes: the caller carries those in whatever way, and gives this message to the
 * follower's core when they are all there. */
export interface InstallSnapshot extends Head {
  readonly kind: 'snapshot'
  readonly snapshot: SnapshotMetadata
}

export type RaftMessage =
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | ReadIndexRequest
  | ReadIndexResponse
  | TimeoutNow
  | InstallSnapshot
