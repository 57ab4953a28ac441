// What replicas say to each other. A frame is one value; the host writes the frames of one turn together.

import type { GroupKey, Index, Life, ReplicaId } from '../base/brand.ts'
import type { Duration, Stamp } from '../base/instant.ts'
import type { RaftMessage, SnapshotMetadata } from '../raft/message.ts'
import type { ClockReading } from '../timer/cluster-clock.ts'
import type { Destination, EgressId, Flow, PassId } from './entry.ts'

export interface RaftFrame {
  readonly kind: 'raft'
  readonly messages: readonly RaftMessage[]
  readonly clock: ClockReading
  /** The sender's applied index: the leader judges apply lag by it. 0 = it is stale, and can't handle a call. */
  readonly applied: Index
}

/** Bodies of entries (`encodeBody`) for the leader to stamp and append, in order. */
export interface ProposeFrame {
  readonly kind: 'propose'
  readonly bodies: readonly Uint8Array[]
}

/** An input for the owner of its group, kept by `keeper` until it is handled. */
export interface PassFrame {
  readonly kind: 'pass'
  readonly id: PassId
  readonly keeper: Life
  /** How often it was passed, this time included. */
  readonly hops: number
  /** The serving entry by which the sender judged: the receiver judges ownership only after applying it. */
  readonly judged: Index
  readonly flow: Flow
  readonly data: string
  /** The group that it is for, as another one's owner has said; null = what the message itself names. */
  readonly to: Destination | null
}

/** To a keeper: an input is for another group, and is to be passed to that one's owner. */
export interface PassedOnFrame {
  readonly kind: 'passed-on'
  readonly id: PassId
  readonly to: Destination
}

/** To a keeper: these inputs need not be kept; or (`hops`) went in a circle and must be judged again. */
export interface HandledFrame {
  readonly kind: 'handled'
  readonly ids: readonly PassId[]
  readonly outcome: 'handled' | 'hops'
}

/** A send by way of the replica that holds the stream. The owner repeats it until it hears `sent` or `unsent`. */
export interface EgressFrame {
  readonly kind: 'egress'
  readonly id: EgressId
  /** The serving entry by which the sender is the group's owner. */
  readonly judged: Index
  readonly flow: Flow
  readonly data: string
  /** What is left of its not-after. */
  readonly within: Duration
  readonly origin: { readonly group: string; readonly what: string } | null
}

/** To an owner: these sends were given to the host. */
export interface SentFrame {
  readonly kind: 'sent'
  readonly ids: readonly EgressId[]
}

/** An egress that could not be made; to its owner. */
export interface UnsentFrame {
  readonly kind: 'unsent'
  readonly flow: Flow
  readonly data: string
  readonly origin: { readonly group: string; readonly what: string } | null
  readonly reason: 'late' | 'no-stream' | 'unreachable'
}

/** A piece of the leader's snapshot for a follower whose next entry is purged; the next one follows its acknowledgement. */
export interface SnapshotFrame {
  readonly kind: 'snapshot'
  /** Counts the snapshots that a life sends. */
  readonly id: number
  /** From 1. */
  readonly number: number
  /** In the first piece. */
  readonly metadata: SnapshotMetadata | null
  /** Encoded (`encodeSnapshotPart`). */
  readonly parts: readonly Uint8Array[]
  readonly isLast: boolean
}

export interface SnapshotAckFrame {
  readonly kind: 'snapshot-ack'
  readonly id: number
  readonly number: number
}

/** To the leader: the sending life is told to end, and is to be taken out of serving. Repeated while it lives. */
export interface LeaveFrame {
  readonly kind: 'leave'
}

/** A frame for a replica to which its sender has no link, by way of the leader. */
export interface RelayFrame {
  readonly kind: 'relay'
  readonly to: ReplicaId
  readonly from: Life
  readonly frame: Uint8Array
}

/** What was asked of the set's membership, for the leader to answer. */
export interface AskFrame {
  readonly kind: 'ask'
  /** Counts what a life asks. */
  readonly id: number
  /** A `MemberRequest`, or `LeftSet`, as JSON. */
  readonly request: string
}

export interface AnswerFrame {
  readonly kind: 'answer'
  readonly id: number
  /** As HTTP has them. */
  readonly status: number
  /** JSON. */
  readonly body: string
}

/** An order for the owner of that group. It is repeated until it is answered, and done once. */
export interface OrderFrame {
  readonly kind: 'order'
  /** Of the life that asks, and another one each time. */
  readonly id: string
  readonly group: GroupKey
  /** Cluster time: nobody does it later. */
  readonly until: Stamp
  /** As replica/order-packet.ts packs it. */
  readonly order: Uint8Array
}

export interface OrderedFrame {
  readonly kind: 'ordered'
  readonly id: string
  /** As HTTP has them. */
  readonly status: number
  readonly body: Uint8Array
}

export type Frame =
  | RaftFrame
  | ProposeFrame
  | PassFrame
  | PassedOnFrame
  | HandledFrame
  | EgressFrame
  | SentFrame
  | UnsentFrame
  | SnapshotFrame
  | SnapshotAckFrame
  | RelayFrame
  | LeaveFrame
  | AskFrame
  | AnswerFrame
  | OrderFrame
  | OrderedFrame
