// What the store shows of a group, and what applying an entry did. The store's own memory is behind it.

import type { GroupKey, Index, Life } from '../base/brand.ts'
import type { Stamp } from '../base/instant.ts'
import type { Audit, Commit, Hold, TimerAction, Tree } from '../wire/entry.ts'

export interface Entity {
  readonly tree: Tree
  readonly id: string
  /** +1 per commit that touches it, from 1. */
  readonly version: number
  /** The stamp of the last commit that put it: deadlines of transactions are counted from here (design.md 4). */
  readonly stamp: Stamp
  readonly bytes: Uint8Array
}

export interface PendingTimer {
  readonly id: string
  readonly deadline: Stamp
  readonly action: TimerAction
}

export interface OpenIntent {
  readonly id: string
  readonly bytes: Uint8Array
  /** Index of the entry that opened it: intents are performed oldest first. */
  readonly opened: Index
}

/** One group as of the applied index. Lists are in (tree, id), id and id order: never in that of arrival. */
export interface GroupView {
  readonly key: GroupKey
  readonly version: number
  readonly entities: readonly Entity[]
  readonly timers: readonly PendingTimer[]
  readonly intents: readonly OpenIntent[]
  readonly holds: readonly Hold[]
}

/** Which lives may own groups, sorted by life; `version` is the index of the entry that made it so, 0 = nobody yet. */
export interface Serving {
  readonly version: Index
  readonly members: readonly ServingMember[]
}

export interface ServingMember {
  readonly life: Life
  /** Index of the entry that admitted it. */
  readonly since: Index
}

export interface FiredTimer {
  readonly group: GroupKey
  readonly id: string
  readonly deadline: Stamp
  readonly action: TimerAction
}

/** Why a commit was or wasn't applied (design.md 3). */
export type CommitOutcome = 'accepted' | 'duplicate' | 'not-owner' | 'version' | 'limit'

export type Applied =
  | { readonly kind: 'commit'; readonly commit: Commit; readonly outcome: CommitOutcome }
  | { readonly kind: 'serving'; readonly accepted: boolean; readonly before: Serving; readonly after: Serving }
  | {
      readonly kind: 'pulse'
      readonly fired: readonly FiredTimer[]
      readonly more: boolean
      readonly audit: Audit | null
    }
  | { readonly kind: 'key'; readonly accepted: boolean }
  | { readonly kind: 'raise'; readonly accepted: boolean }
  | { readonly kind: 'book'; readonly accepted: boolean }

export interface StoreCounts {
  readonly groups: number
  readonly entities: number
  readonly timersPending: number
  readonly timersFired: number
  readonly intentsOpen: number
}
