// The call room's door: one group at its owner, as a pure function. (state, input, context) -> (state', commit, messages).
// What the replica guarantees to it:
// - it owns the group, and has applied the entry that made it so; inputs come one at a time, in order;
// - `sends` leave at once if no commit of the group is open, else when the last open one is applied; `after` leave once
//   this result's own commit is applied; nothing leaves if the commit falls, and then the input is given again, on
//   applied state (`loadGroup`), with the local part as it was;
// - `wake` is given at `wakeAt` or later, never while a commit of the group is open.

import type { GroupKey, Index } from '../base/brand.ts'
import type { Duration, Instant, Stamp } from '../base/instant.ts'
import type { AccessList } from '../proxy/access.ts'
import type { RouterTable } from '../proxy/chain.ts'
import type { Located, Place } from '../proxy/locate.ts'
import type { NextHop, NextHops, SetAddress, SetKeys } from '../proxy/settings.ts'
import type { SipMessage } from '../sip/message.ts'
import type { GroupView } from '../store/view.ts'
import type { FormatNumber } from '../wire/formats.ts'
import type { Delete, Destination, Flow, Hold, Intent, Put, TimerSet } from '../wire/entry.ts'

export type { NextHop, NextHops, SetKeys } from '../proxy/settings.ts'

export interface CallSettings {
  readonly sip: SetAddress
  /** Where requests that start a dialog go; transport null = the one they came on. null = the Request-URI decides. */
  readonly nextHop: NextHop | null
  /** Who may have requests relayed; absent = who reaches the set. */
  readonly access?: AccessList
  /** Where an INVITE that starts a dialog goes instead, if to more than one; `nextHop` is the first of them. */
  readonly nextHops?: NextHops | undefined
  /** Whether the contacts of a 3xx are called (RFC 3261 16.7 step 4), where the INVITE went to the set's own next hop. */
  readonly followsRedirects?: boolean
  readonly bounds?: CallBounds
  /** When the set ends calls by itself; absent = never. */
  readonly lifetime?: Lifetime
  /** Which applications a request is for that begins something, one after another; absent = a router of the host's, or the first one
   * alone. */
  readonly router?: RouterTable | undefined
  /** The age at which the set key has a successor (decision 0050); absent = never. */
  readonly keyAge?: Duration
  /** Whether names are looked up (RFC 3263); absent = a next hop is an address. */
  readonly names?: boolean
}

/** What ends a dialog besides its phones (decision 0028); what is left out doesn't. */
export interface Lifetime {
  /** Its age, from the 2xx. */
  readonly maxCall?: Duration
  /** Its sides are asked so often whether they are there; one that is not is asked again after the grace time, and if it is gone
   * then, that ends it. */
  readonly probe?: { readonly every: Duration; readonly grace: Duration }
  /** Its session timer (RFC 4028), once nobody refreshes it. */
  readonly sessions?: boolean
}

/** How much one may ask of the set (decision 0026); what is left out has no bound. */
export interface CallBounds {
  /** Calls at a time: all of them... */
  readonly calls?: number
  /** ...those to the set's next hop, and those to elsewhere... */
  readonly in?: number
  readonly out?: number
  /** ...and those to any one next hop. */
  readonly route?: number
  /** Requests outside of calls that one source may send a second. */
  readonly rate?: number
}

export interface CallContext {
  readonly now: Instant
  /** Cluster time as this replica estimates it, for the age of what it loads. */
  readonly cluster: Stamp
  readonly settings: CallSettings
  readonly keys: SetKeys
  /** Whether applications take what begins a call, or belongs to none, also if it is meant for the set itself; absent = no. */
  readonly hasApplications?: boolean
  /** What the set writes: entities are written so that all its members can take the call over. */
  readonly format: FormatNumber
  /** False when new calls must get 503 (the log's limit is reached, see `limits`). */
  readonly acceptsCalls: boolean
  /** False when there is no more room for transactions of groups that the log knows nothing of. */
  readonly keepsRelays: boolean
  /** How many holds of this counter there are, as far as this replica has applied. */
  counter(name: string): number
  /** A group, perhaps another one's, as far as this replica has applied. */
  view(group: GroupKey): GroupView | null
  /** What becomes of a request that is no part of a call that is known; `drop` = not even an answer. */
  admit(source: Flow): Verdict
  /** RFC 3263: what DNS says of a place; `wait` = it is being asked, and the input is to be given again. Absent: names aren't looked
   * up. */
  readonly locate?: (place: Place) => Located | 'wait'
}

export type Verdict = 'admit' | 'refuse' | 'drop'

/** An input that somebody keeps until it is handled; opaque to the call room. */
export type InputRef = number

export type CallInput =
  | {
      readonly kind: 'message'
      readonly message: SipMessage
      readonly flow: Flow
      readonly ref: InputRef
      /** Another group's owner has said that it is for this one; absent = it names this group itself. */
      readonly to?: Destination
    }
  /** A change of the list of banned sources, in its own group. */
  | { readonly kind: 'ban'; readonly change: BanChange; readonly mark: OrderMark; readonly ref: InputRef }
  /** This replica has just become the owner: send again what may have been lost (design.md 4, takeover). */
  | { readonly kind: 'takeover' }
  | { readonly kind: 'wake' }
  /** An open intent (a fired timer has one with its id) is to be performed; it stays open until a commit has it in `done`. */
  | {
      readonly kind: 'intent'
      readonly id: string
      readonly bytes: Uint8Array
      /** The entry that opened it: the same at each owner, and another one next time. */
      readonly opened: Index
    }
  /** One of our sends was not made: late (send it again if those bytes still stand), or its stream is gone or can't be
   * opened (18.2.2, 16.9). */
  | {
      readonly kind: 'unsent'
      readonly what: string
      readonly flow: Flow
      readonly data: string
      readonly reason: 'late' | 'no-stream' | 'unreachable'
      /** The replica that was to make it has died, or says nothing, so it may have been. */
      readonly mayHaveLeft?: true
      /** It says nothing, and may wake with its streams. */
      readonly isSilent?: true
    }

/** By which an order is known when it is asked for again (call/done-orders.ts). */
export interface OrderMark {
  readonly id: string
  /** Cluster time until which it may be done: then nobody waits for it any more. */
  readonly until: Stamp
}

/** What became of an order (decision 0034); told once all that it rests on is applied. */
export type OrderOutcome =
  /** `created`: it began the session. `isInLog`: its commit, this time or when it was asked for before; else it had nothing to change. */
  | { readonly kind: 'done'; readonly created: boolean; readonly isInLog: boolean }
  | { readonly kind: 'conflict'; readonly reason: string }
  | { readonly kind: 'gone'; readonly reason: string }
  /** `again`: asking again may help. */
  | { readonly kind: 'refused'; readonly reason: string; readonly again: boolean }

/** `after`: when it ends; null = when it is taken back. */
export type BanChange =
  | { readonly kind: 'ban'; readonly source: string; readonly after: Duration | null }
  | { readonly kind: 'unban'; readonly source: string }

export interface Outgoing {
  readonly flow: Flow
  readonly data: string
  /** Comes back in `unsent`. */
  readonly what: string
}

export interface PassedOn {
  readonly ref: InputRef
  readonly to: Destination
}

/** A commit without its envelope, which the replica adds. */
export interface CommitBody {
  readonly puts: readonly Put[]
  readonly deletes: readonly Delete[]
  readonly timers: readonly TimerSet[]
  readonly cancels: readonly string[]
  readonly holds: readonly Hold[] | null
  readonly opened: readonly Intent[]
  readonly done: readonly string[]
}

export interface CallResult<Group> {
  readonly group: Group
  readonly commit: CommitBody | null
  readonly sends: readonly Outgoing[]
  readonly after: readonly Outgoing[]
  /** Inputs that are handled (design.md 3, passing on): at once, and once the commit is applied. */
  readonly handled: readonly InputRef[]
  readonly handledAfter: readonly InputRef[]
  /** Of those: what is handled only as far as this group goes, and is passed on to another one. */
  readonly passedOn: readonly PassedOn[]
  /** The input is to be given again once this place is found, or isn't; nothing else came of it. */
  readonly waitsFor: Place | null
  /** Of an order. */
  readonly outcome?: OrderOutcome
}

/** One call for `GET /calls`. */
export interface CallSummary {
  readonly callId: string
  readonly state: 'early' | 'confirmed'
  readonly group: GroupKey
  /** Cluster time when it was committed first. */
  readonly since: Stamp
}
