// Everything a replica can ask its host for. Effects are data; the host carries them out in order.

import type { Life, ReplicaId } from '../base/brand.ts'
import type { GroupKey } from '../base/brand.ts'
import type { Instant } from '../base/instant.ts'
import type { AppCall } from '../app/contract.ts'
import type { HttpResponse } from '../app/http.ts'
import type { Place } from '../proxy/locate.ts'
import type { SnapshotMetadata } from '../raft/message.ts'
import type { Flow } from '../wire/entry.ts'

/** A SIP message for the network. With `flow.stream` it goes out on that connection of ours; else on a stream transport
 * the host uses its open connection to that host and port, or makes one; on UDP it leaves from the shared address. */
export interface Send {
  /** It goes to another group of the set (proxy/chain.ts): the host gives it back as the input `sip` it would be from there. */
  readonly isInside?: boolean
  readonly kind: 'send'
  readonly flow: Flow
  /** latin1, a character a byte. */
  readonly data: string
  /** Checked right before the system call: later than this, it is not sent and returns as `unsent`. */
  readonly notAfter: Instant
  /** The group that sends it, and what of it (the call room's own words); null = nobody asks for it again. */
  readonly origin: { readonly group: GroupKey; readonly what: string } | null
}

/** A frame for a peer: kept in order with other frames to it, dropped if the link is down or its queue is full. */
export interface PeerSend {
  readonly kind: 'peer'
  readonly to: ReplicaId
  readonly frame: Uint8Array
}

/** Append records to the log on disk; once they are durable, carry out `then` and give the input `persisted`. */
export interface Persist {
  readonly kind: 'persist'
  /** Rising by one from 1 in each life. */
  readonly number: number
  readonly records: readonly Uint8Array[]
  /** They begin a new segment: what was written before may go once a snapshot of it is finished. */
  readonly rotate?: boolean
  readonly then: readonly Effect[]
}

/** Write a snapshot beside the log, piece by piece; each piece is answered by the input `snapshot`, and the next one comes after
 * that. */
export interface SnapshotWrite {
  readonly kind: 'snapshot'
  /** Rising by one from 1 in each life. */
  readonly number: number
  readonly piece:
    | { readonly kind: 'begin'; readonly metadata: SnapshotMetadata }
    /** Encoded (`encodeSnapshotPart`). */
    | { readonly kind: 'parts'; readonly parts: readonly Uint8Array[] }
    /** Make it durable, and let it take the place of the log before the last rotation, and of the snapshot before it. */
    | { readonly kind: 'finish' }
    | { readonly kind: 'abandon' }
}

/** Who is in the set, as this replica knows it; given when that has changed, whole. The host keeps a link to each of `members`, and
 * none to who is out, nor listens to it. Others of the set that dial this replica know more than it does: they are dialled
 * as well, where they say they are. */
export interface Peers {
  readonly kind: 'peers'
  /** Without this replica, in order of id. `peer` null = where the configuration file has its place. */
  readonly members: readonly { readonly id: ReplicaId; readonly peer: string | null }[]
  /** All incarnations of that place up to this generation are out of the set for good; -1 = none. `newest` was allotted last: those
   * before it that are not members never will be (peers.ts, `isOut`). */
  readonly gone: readonly { readonly place: number; readonly generation: number; readonly newest: number }[]
}

/** Bind the SIP address now: this replica has caught up with its set. Given once in a life. */
export interface OpenSip {
  readonly kind: 'open-sip'
}

/** Close the SIP sockets: nothing new is to reach them, what lies in them is given, and streams get a little time to come to
 * rest. Then the input `sip-closed`. Given once in a life, also if `open-sip` was not. */
export interface CloseSip {
  readonly kind: 'close-sip'
}

/** The drain is done: this process ends, and that is no failure. Frames that were pushed before are written first. */
export interface End {
  readonly kind: 'end'
}

/** Look a place up (RFC 3263). The input `located` follows. Never given unless the settings say that names are looked up. */
export interface Locate {
  readonly kind: 'locate'
  readonly place: Place
}

/** A handler is to run (decision 0031). The input `answered` follows; if it doesn't within `appLimits.handler`, the replica goes on as if
 * the handler had failed. Given again, with another id, for the same input if its commit fell. */
export interface AskApplication {
  readonly kind: 'ask'
  readonly call: AppCall
}

/** The answer to an HTTP request. A response is given once what its handler did is in the log. */
export interface HttpReply {
  readonly kind: 'http'
  readonly id: number
  readonly answer: HttpAnswer
}

export type HttpAnswer =
  /** `cookie`: what becomes of the one that names the session; null = it stays. */
  | {
      readonly kind: 'response'
      readonly response: HttpResponse
      readonly cookie: { readonly kind: 'set'; readonly value: string } | { readonly kind: 'clear' } | null
    }
  /** `again`: seconds after which asking again may help; null = it won't. */
  | { readonly kind: 'failed'; readonly status: 500 | 503; readonly reason: string; readonly again: number | null }

/** Answer an admin query. `body` is JSON. */
export interface Reply {
  readonly kind: 'reply'
  readonly id: number
  readonly status: number
  readonly body: unknown
  /** Not all was looked at: the same query goes on with this as `from`. */
  readonly next?: number
}

export interface LogLine {
  readonly kind: 'log'
  readonly level: 'info' | 'warn' | 'error'
  /** A stable code, in kebab-case. */
  readonly code: string
  readonly message: string
  readonly fields: Readonly<Record<string, string | number | boolean>>
}

/** Something the parent process prints: see interface.md, `holdfast up --json`. */
export interface Notice {
  readonly kind: 'notice'
  readonly notice:
    | { readonly kind: 'leader'; readonly id: ReplicaId; readonly term: number }
    | { readonly kind: 'serving'; readonly lives: readonly Life[] }
    | { readonly kind: 'ready'; readonly leader: ReplicaId }
    /** The format that the set writes, when this replica starts and whenever it rises. */
    | { readonly kind: 'format'; readonly active: number }
}

/** Stop this process: going on would break a promise (the log contradicts itself, this identity was replaced). */
export interface Stop {
  readonly kind: 'stop'
  /** `removed`: it is not in the set any more, which is as it should be. */
  readonly cause: 'fault' | 'removed'
  readonly reason: string
}

export type Effect =
  | Send
  | PeerSend
  | Peers
  | Persist
  | SnapshotWrite
  | OpenSip
  | CloseSip
  | End
  | Reply
  | HttpReply
  | Locate
  | AskApplication
  | LogLine
  | Notice
  | Stop
