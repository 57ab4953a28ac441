// Everything that can happen to a replica. One union, one door: `Replica.step(input)`.

import type { Life, ReplicaId } from '../base/brand.ts'
import type { Duration, Instant, Stamp } from '../base/instant.ts'
import type { AppAnswer, ApplicationInfo } from '../app/contract.ts'
import type { Lookup, Order } from '../app/orders.ts'
import type { CallSettings } from '../call/contract.ts'
import type { HttpRequest } from '../app/http.ts'
import type { Located, Place } from '../proxy/locate.ts'
import type { Flow } from '../wire/entry.ts'
import type { Formats } from '../wire/formats.ts'
import type { Send } from './effect.ts'
import type { EventsQuery } from './event-reads.ts'
import type { BanRequest, MemberRequest } from '../wire/member-request.ts'

/** A SIP message: one datagram, or one framed message of a stream, as latin1 (a character a byte). */
export interface SipInput {
  readonly kind: 'sip'
  readonly flow: Flow
  readonly data: string
}

/** One frame from another replica, on an authenticated link of this set. */
export interface PeerInput {
  readonly kind: 'peer'
  /** The life that the far end of the link gave in its hello. */
  readonly from: Life
  readonly frame: Uint8Array
}

/** The state of our link to a peer: `up` (its life is known, and which formats it reads), `closed` (lost, reconnecting), `refused` (lost, and the
 * address refused a new connection: that life is dead). A peer that is met for the first time may be any of the set's. */
export interface LinkInput {
  readonly kind: 'link'
  readonly peer: ReplicaId
  readonly state:
    | { readonly kind: 'up'; readonly life: Life; readonly formats: Formats }
    | { readonly kind: 'closed' }
    | { readonly kind: 'refused' }
    /** It says that this replica was removed from the set. */
    | { readonly kind: 'removed' }
}

/** The records of the persist effects up to and including number `upTo` are durable. */
export interface PersistedInput {
  readonly kind: 'persisted'
  readonly upTo: number
}

/** Time passed: due deadlines are handled and what the turn gathered (appends, persists) leaves. The host gives one after
 * each turn of its loop that gave other inputs, and one at `Replica.deadline()`. */
export interface TimeInput {
  readonly kind: 'time'
}

/** A stream that the host had is gone: closed by the far end, reset, or refused when connecting. */
export interface StreamClosedInput {
  readonly kind: 'stream-closed'
  readonly stream: string
}

/** A send that was not made: past its not-after, or its stream is gone or can't be opened. */
export interface UnsentInput {
  readonly kind: 'unsent'
  readonly send: Send
  readonly reason: 'late' | 'no-stream' | 'unreachable'
}

/** A question, of the admin address or for an application. The answer is a `reply` effect with the same id. Calls and sessions are looked
 * up behind a read barrier (lookups.ts), calls unless `local`; all else is this replica's own view. */
export interface AdminInput {
  readonly kind: 'admin'
  readonly id: number
  readonly query:
    | { readonly kind: 'health' }
    | { readonly kind: 'status' }
    | { readonly kind: 'calls'; readonly local?: boolean; readonly from?: number }
    | { readonly kind: 'call'; readonly callId: string; readonly local?: boolean; readonly from?: number }
    | { readonly kind: 'metrics' }
    /** The status, the timers that fire next, and how long commits take: what the page draws. */
    | { readonly kind: 'glance' }
    /** `MembersView`, as this replica sees it. */
    | { readonly kind: 'members' }
    /** How many sessions the set has of each of those, as this replica has applied them: the same with `sessions`. */
    | { readonly kind: 'versions'; readonly of: readonly { readonly name: string; readonly version: string }[] }
    /** `BanView`s, as this replica has applied them. */
    | { readonly kind: 'bans' }
    /** Answered with an `EventsAnswer`. */
    | EventsQuery
    /** Answered with a `LookupAnswer`: 200, 404, or 503 for `unknown`. */
    | { readonly kind: 'session'; readonly lookup: Lookup }
    /** Answered with an `OrderAnswer`, by way of the group's owner: 200, 400, 404, 409 or 503. */
    | { readonly kind: 'order'; readonly order: Order }
    /** Answered with a `BanAnswer`, by way of the list's owner. */
    | { readonly kind: 'ban'; readonly request: BanRequest }
    /** Answered with a `MemberAnswer`, by way of the leader. */
    | { readonly kind: 'member'; readonly request: MemberRequest }
}

/** The log's disk has no room left, or has room again, for one of two reasons, each told for itself: `limit`, there is only
 * what the calls that are up need to end; `no-space`, a write found none, and nothing more becomes durable. */
export interface DiskInput {
  readonly kind: 'disk'
  readonly reason: 'limit' | 'no-space'
  readonly full: boolean
}

/** Whether more came since this was said last than this process could take: four times a second. Never said: it takes all. */
export interface LoadInput {
  readonly kind: 'load'
  readonly isFull: boolean
}

/** What DNS says of a place that `locate` asked for, and how long that holds. Always given, `failed` after some seconds. */
export interface LocatedInput {
  readonly kind: 'located'
  readonly place: Place
  readonly answer: Located
  readonly ttl: Duration
}

/** What a handler did that an `ask` effect called. */
export interface AnsweredInput {
  readonly kind: 'answered'
  /** Of the `AppCall`. */
  readonly id: number
  readonly answer: AppAnswer
}

/** An HTTP request that is for an application. The effect `http` follows, always. */
export interface HttpInput {
  readonly kind: 'http'
  /** Another one for each of this life. */
  readonly id: number
  readonly application: string
  readonly request: HttpRequest
  /** The path under which the application is served: '' or `/calls`. */
  readonly prefix: string
  /** What the client's cookie says; '' = it has none. */
  readonly cookie: string
  /** The session that the URL names (encodeURL); '' = none. */
  readonly session: string
}

/** Nobody waits for that request's answer any more. What its handler did may be done all the same. */
export interface HttpGoneInput {
  readonly kind: 'http-gone'
  readonly id: number
}

/** What can be asked here from now on: all of it, in the order of the configuration, several versions of one application the newest
 * first. */
export interface ApplicationsInput {
  readonly kind: 'applications'
  readonly applications: readonly ApplicationInfo[]
}

/** What the configuration says of calls from now on, `sip` as it was: a reload. */
export interface SettingsInput {
  readonly kind: 'settings'
  readonly settings: CallSettings
}

/** What became of a piece of a snapshot. After `failed` (the disk is full, say) the snapshot is abandoned. */
export interface SnapshotInput {
  readonly kind: 'snapshot'
  readonly number: number
  readonly outcome: 'written' | 'finished' | 'failed'
  /** Of `failed`. */
  readonly reason: string
}

/** This process is to end. The replica hands over what it does, asks for its sockets to be closed and then says `end`. */
export interface DrainInput {
  readonly kind: 'drain'
}

/** The SIP sockets are closed, as `close-sip` asked; what lay in them was given. */
export interface SipClosedInput {
  readonly kind: 'sip-closed'
}

export type InputBody =
  | SipInput
  | PeerInput
  | LinkInput
  | PersistedInput
  | TimeInput
  | StreamClosedInput
  | UnsentInput
  | AdminInput
  | DiskInput
  | LoadInput
  | LocatedInput
  | AnsweredInput
  | HttpInput
  | HttpGoneInput
  | ApplicationsInput
  | SettingsInput
  | SnapshotInput
  | DrainInput
  | SipClosedInput

/** An input and when it happened: `now` never falls from one step to the next. `wall` is the machine's wall clock, used for
 * nothing but the slew of cluster time (design.md 5). */
export type Input = InputBody & { readonly now: Instant; readonly wall: Stamp }
