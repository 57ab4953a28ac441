// What the log carries (design.md 2): results, never SIP. The shapes are declared here, because wire/ turns them into
// bytes; store/ gives them their meaning.

import type { Brand, GroupKey, Index, Life } from '../base/brand.ts'
import type { Duration, Stamp } from '../base/instant.ts'
import type { Transport } from '../sip/transport.ts'

/** The trees of entities. Each is replicated on its own, as sources/004's meeting asked. */
export type Tree = 'ServletContext' | 'SipApplicationSession' | 'SipSession' | 'Dialog' | 'Transaction' | 'ServletTimer'

export interface EntityRef {
  readonly tree: Tree
  /** Unique in its tree and group. */
  readonly id: string
}

export interface Put extends EntityRef {
  /** The version this put replaces; 0 = the entity must not exist. */
  readonly expected: number
  readonly bytes: Uint8Array
}

export interface Delete extends EntityRef {
  readonly expected: number
}

/** What a log timer does when it fires: `delete` removes entities in apply (those that still exist); `callback` opens an
 * intent of the same name, which the owner performs. */
export type TimerAction =
  | { readonly kind: 'delete'; readonly targets: readonly EntityRef[] }
  | { readonly kind: 'callback' }

/** A timer of the log. Setting an id that is pending replaces it. */
export interface TimerSet {
  /** Unique in its group. */
  readonly id: string
  /** From the stamp of the commit that sets it; apply computes the deadline. */
  readonly after: Duration
  readonly action: TimerAction
}

/** A counter is the number of holds that living groups own (design.md 4): never +1 and -1. */
export interface Hold {
  readonly counter: string
  /** The commit is rejected if the counter would exceed this; null = only counted. */
  readonly limit: number | null
}

/** A request we originate or a callback, until it is done. */
export interface Intent {
  /** Unique in its group. A timer's intent has the timer's id. */
  readonly id: string
  readonly bytes: Uint8Array
}

/** One owner's change of one group: applied whole, or not at all. */
export interface Commit {
  readonly kind: 'commit'
  readonly group: GroupKey
  /** The group's version before; 0 = it must not exist. */
  readonly expected: number
  readonly proposer: Life
  /** Index of the serving entry that admitted the proposer. */
  readonly since: Index
  /** The newest serving entry the proposer had applied when it judged itself the owner. */
  readonly judged: Index
  /** Counts the proposer life's commits, from 1. */
  readonly serial: number
  /** The life's lowest serial whose outcome it doesn't know yet. */
  readonly lowestOpen: number
  /** Serial of the proposer's commit of this group that this one builds on, if its outcome was open when this was proposed;
   * 0 = it builds on applied state. Apply accepts it only if that very commit was the last one accepted in the group, else
   * `version`: a pulse's +1 could otherwise stand in for a fallen commit's +1, and half of a pipeline would be applied. */
  readonly onto: number
  readonly puts: readonly Put[]
  readonly deletes: readonly Delete[]
  readonly timers: readonly TimerSet[]
  /** Ids of timers to cancel; one that is not pending is ignored. */
  readonly cancels: readonly string[]
  /** The group's holds from now on; null = as they were. */
  readonly holds: readonly Hold[] | null
  readonly opened: readonly Intent[]
  /** Ids of intents that are done; one that is not open is ignored. */
  readonly done: readonly string[]
}

/** Which lives may own groups (design.md 3). Only a leader proposes it, after its no-op. */
export interface ServingChange {
  readonly kind: 'serving'
  /** Index of the serving entry it replaces; 0 = the first. Another one in force: the change is rejected. */
  readonly replaces: Index
  readonly admit: readonly Life[]
  readonly remove: readonly Life[]
}

/** What a store came to with the entry at that index. */
export interface Audit {
  readonly index: Index
  readonly hash: string
}

/** Fires what is due at its stamp, at most `limit` timers, in (deadline, group, id) order. */
export interface Pulse {
  readonly kind: 'pulse'
  readonly limit: number
  /** The leader's store after the pulse before this one: another store that then came to another hash isn't the set's any
   * more. Null: it knows none, or the set writes format 1, which has no room for it. */
  readonly audit: Audit | null
}

/** A generation of the set key; one that is not exactly the next generation is ignored. */
export interface SetKey {
  readonly kind: 'key'
  readonly generation: number
  /** 16 bytes. */
  readonly key: Uint8Array
}

/** From here on the set writes that format: the next one, which all its members read. The only body that all formats have
 * alike, for ever: who can't read what follows learns it from this. */
export interface Raise {
  readonly kind: 'raise'
  readonly format: number
}

/** A place of the set as the member book has it (decision 0018). */
export interface BookRow {
  readonly place: number
  /** The newest generation that was allotted. */
  readonly generation: number
  /** The disk, or start in memory, to which it was; '' = a founder's, or nobody's yet. */
  readonly incarnation: string
  /** All generations up to this one are out of the set for good; -1 = none is. */
  readonly gone: number
  /** Whether the place is to have a voter. */
  readonly wanted: boolean
  /** A fresh disk is to come and gets the next generation, whoever has the place now. */
  readonly awaited: boolean
  /** `HOST:PORT`; '' = as the configuration file has it. */
  readonly peer: string
  readonly admin: string
}

/** Who is to be in the set: these rows take the place of those of their places. Only a leader proposes it, after its no-op. */
export interface BookChange {
  readonly kind: 'book'
  /** Index of the book entry that it follows; 0 = the first. Another one is the newest: this one is rejected. */
  readonly replaces: Index
  readonly rows: readonly BookRow[]
}

export type EntryBody = Commit | ServingChange | Pulse | SetKey | Raise | BookChange

/** An entry of the log as the leader stamped it. */
export interface Entry {
  readonly stamp: Stamp
  readonly body: EntryBody
}

/** Where a message came from, and where one goes. `stream` is empty for a datagram; for a stream it names the connection,
 * `life/serial`, and host and port are its far end. */
export interface Flow {
  readonly transport: Transport
  readonly host: string
  readonly port: number
  readonly stream: string
}

/** A group that a message is for though nothing in it names that one (decision 0035). */
export interface Destination {
  readonly group: GroupKey
  /** The application, and its key (JSR 289 15.11.2), that have led there; '' = others have. */
  readonly application: string
  readonly key: string
  /** What the application router said when it chose that application, packed; empty = nobody was asked. */
  readonly chain: Uint8Array
}

/** A message kept by one replica and passed on to a group's owner, `keeper life#number`. */
export type PassId = Brand<string, 'PassId'>

/** A send that an owner gave to the holder of its stream, `owner life#number`. */
export type EgressId = Brand<string, 'EgressId'>
