// What may be asked of the set's membership, and what is answered (decision 0018). Every request says what is to be, not what is to
// be done: asked again, it is answered with how far that has come. `transfer` and `join` are no exceptions.

import type { Index, ReplicaId } from '../base/brand.ts'
import type { Stamp } from '../base/instant.ts'

/** `HOST:PORT`, as the host understands it. */
export interface MemberAddresses {
  readonly peer: string
  readonly admin: string
}

export interface AddMember extends MemberAddresses {
  readonly kind: 'add'
  readonly place: number
}

export interface RemoveMember {
  readonly kind: 'remove'
  readonly place: number
}

/** A fresh disk is to take that place, whether or not the one that has it is alive. */
export interface ReplaceMember {
  readonly kind: 'replace'
  readonly place: number
  /** Who is to be replaced: with this, a repetition can't ask for one more replacement. Null = whoever has the place. */
  readonly id: ReplicaId | null
  /** Null = the addresses stay. */
  readonly peer: string | null
  readonly admin: string | null
}

/** That place is to lead. Null: whoever is asked is not to lead, and who does is all the same; this one isn't passed on. */
export interface TransferLeadership {
  readonly kind: 'transfer'
  readonly place: number | null
}

/** A process without a log asks who it is: see `Joined`. Idempotent by its incarnation. */
export interface JoinSet extends MemberAddresses {
  readonly kind: 'join'
  readonly place: number
  /** Of the fresh disk, or start in memory. */
  readonly incarnation: string
}

/** The majority is gone for good: that place, whose replica is asked itself, goes on alone. What only the others had is lost. */
export interface Rebootstrap {
  readonly kind: 'rebootstrap'
  readonly place: number
  /** All other voters' places: none of them may ever come back as it was. */
  readonly lose: readonly number[]
}

/** Who leaves the set has nothing left to do but to vote until it is out. From itself to each leader, as long as it waits; not answered. */
export interface LeftSet {
  readonly kind: 'left'
  readonly place: number
}

/** That block of addresses gets nothing any more, for so long; null = until that is taken back. */
export interface BanSource {
  readonly kind: 'ban'
  readonly source: string
  readonly seconds: number | null
}

export interface UnbanSource {
  readonly kind: 'unban'
  readonly source: string
}

/** Goes to the owner of the list, not to the leader. */
export type BanRequest = BanSource | UnbanSource

/** HTTP's status besides: 200 done, 409 there is no room, 503 ask again. */
export type BanAnswer =
  | { readonly ok: true; readonly source: string; readonly until: Stamp | null }
  | { readonly ok: false; readonly error: string }

export type MemberRequest = AddMember | RemoveMember | ReplaceMember | TransferLeadership | JoinSet | Rebootstrap

/** How far a request, or a place, has come. */
export type MemberStage =
  /** A replica with no log is to be started for the place: `holdfast start --replica PLACE`. */
  | { readonly kind: 'awaited' }
  /** It is to be made a learner: as soon as no other change is under way. */
  | { readonly kind: 'joining' }
  | {
      readonly kind: 'catching-up'
      /** Entries that it lacks. */
      readonly behind: number
      /** It is getting a snapshot as of this index; null = it isn't. */
      readonly snapshot: Index | null
      /** Rounds (thesis 4.2.1) that it was too slow for. */
      readonly rounds: number
    }
  /** It, or who it replaces, is being taken out of serving first, and ends what it does. */
  | { readonly kind: 'leaving-serving' }
  | { readonly kind: 'joint' }
  /** Of a transfer. */
  | { readonly kind: 'handing-over' }
  /** It would go on, but for this; a sentence. */
  | { readonly kind: 'held'; readonly reason: string }
  | { readonly kind: 'done' }

/** The body of an answer. HTTP's status besides: 200 done, 202 under way, 404 no such place, 409 refused, 503 ask again. */
export type MemberAnswer =
  | {
      readonly ok: true
      readonly place: number
      /** Who has the place, or is to have it; null = nobody yet (any more). */
      readonly id: ReplicaId | null
      readonly stage: MemberStage
      /** The stage as a sentence. */
      readonly said: string
    }
  /** A sentence with the fix. */
  | { readonly ok: false; readonly error: string }

/** One replica of the set as `/status` and `/members` show it. */
export interface MemberView extends MemberAddresses {
  readonly place: number
  readonly id: ReplicaId
  readonly generation: number
  readonly role: 'voter' | 'learner' | 'none'
  readonly wanted: boolean
  readonly serves: boolean
  readonly stage: MemberStage
  /** A leader's: the last index that it is known to have, and how many entries it lacks; null = this replica doesn't lead. */
  readonly match: Index | null
  readonly lag: number | null
}

/** The body of the answer to `{ kind: 'members' }`: this replica's view. */
export interface MembersView {
  readonly leader: number | null
  readonly voters: readonly number[]
  readonly learners: readonly number[]
  readonly joint: boolean
  readonly members: readonly MemberView[]
}
