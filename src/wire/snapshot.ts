// What a snapshot of the store is made of (Raft paper, section 7): a head, the member book, the
// events that are kept, every group, an end. Each part is a value of its own, so that a snapshot is cut, sent and read in pieces of any size.

import type { GroupKey, Index, Life } from '../base/brand.ts'
import type { Stamp } from '../base/instant.ts'
import type { BookRow, Hold, TimerAction, Tree } from './entry.ts'

/** All that is not a group's, as of `index`. Lists are sorted: equal stores make equal bytes. */
export interface SnapshotHead {
  readonly kind: 'head'
  readonly index: Index
  readonly stamp: Stamp
  readonly fired: number
  /** The generations of the set key, 16 bytes each, from the first. */
  readonly keys: readonly Uint8Array[]
  /** Cluster time of the entry of each; format 1 has no word for it. */
  readonly keysSince: readonly Stamp[]
  /** The serving entries that commits may be judged by, oldest first; version 0 = nobody served yet. */
  readonly history: readonly SnapshotServing[]
  readonly serials: readonly SnapshotSerials[]
  /** The format that the set writes; format 1 has no word for it. */
  readonly format: number
}

/** The member book. Left out while it is empty. */
export interface SnapshotBook {
  readonly kind: 'book'
  readonly version: Index
  readonly rows: readonly BookRow[]
}

/** Some of the events that are kept (decision 0032), in order. Not of format 1. */
export interface SnapshotEvents {
  readonly kind: 'events'
  /** All parts together have all that is told after this entry, of which so many texts were told. */
  readonly after: Index
  readonly told: number
  readonly items: readonly KeptEvents[]
}

/** What one entry of the log was told as; the store doesn't read it. */
export interface KeptEvents {
  readonly index: Index
  readonly texts: readonly string[]
}

export interface SnapshotServing {
  readonly version: Index
  readonly members: readonly { readonly life: Life; readonly since: Index }[]
}

export interface SnapshotSerials {
  readonly life: Life
  /** All below are consumed, and those listed. */
  readonly lowest: number
  readonly consumed: readonly number[]
}

export interface SnapshotGroup {
  readonly kind: 'group'
  readonly key: GroupKey
  readonly version: number
  readonly by: Life
  readonly serial: number
  readonly entities: readonly SnapshotEntity[]
  readonly timers: readonly { readonly id: string; readonly deadline: Stamp; readonly action: TimerAction }[]
  readonly intents: readonly { readonly id: string; readonly bytes: Uint8Array; readonly opened: Index }[]
  readonly holds: readonly Hold[]
}

export interface SnapshotEntity {
  readonly tree: Tree
  readonly id: string
  readonly version: number
  readonly stamp: Stamp
  readonly bytes: Uint8Array
}

export interface SnapshotEnd {
  readonly kind: 'end'
  readonly groups: number
  /** Of the store at the head's index: what was restored must come to the same. */
  readonly hash: string
}

export type SnapshotPart = SnapshotHead | SnapshotBook | SnapshotEvents | SnapshotGroup | SnapshotEnd
