// Where the store keeps groups and their entities: the narrow door behind which the memory layout may change (design.md 2:
// a plain Map of a million objects stalls). It knows neither rules nor deadlines; index-contract.test.ts runs over every
// implementation.
//
// What callers guarantee: entities are put only into groups that are set, and a group is dropped only after its entities.
// What implementations guarantee: bytes put are copied; bytes got never change, so a caller may keep them, but for long only a
// copy: they may be a piece of a larger block (base/bytes.ts, bytePool).

import type { GroupKey, Life } from '../base/brand.ts'
import type { Hash64 } from '../base/hash.ts'
import type { EntityRef } from '../wire/entry.ts'
import type { Entity } from './view.ts'

/** What the store knows of a group besides its entities. */
export interface GroupRecord {
  /** +1 per accepted commit and per pulse that fires in the group, from 1. */
  readonly version: number
  /** Who proposed the last accepted commit, and its serial: `onto` is checked against it. */
  readonly by: Life
  readonly serial: number
}

/** What a change of an entity needs to know of what was there. */
export interface KeptFact {
  readonly version: number
  /** As it was put. */
  readonly hash: Hash64
}

export interface EntityIndex {
  /** How many groups and entities there are. */
  readonly groupCount: number
  readonly entityCount: number
  group(key: GroupKey): GroupRecord | null
  /** Makes a group, or replaces its record. */
  setGroup(key: GroupKey, record: GroupRecord): void
  dropGroup(key: GroupKey): void
  /** All groups, in no particular order: sort before the order can matter. */
  groups(): Iterable<GroupKey>
  /** The groups in `parts` parts, numbered from 0; a key is in the same part for ever. */
  readonly parts: number
  partOf(key: GroupKey): number
  groupsIn(part: number): readonly GroupKey[]
  entity(key: GroupKey, ref: EntityRef): Entity | null
  /** Version and hash alone: bytes are not copied. */
  fact(key: GroupKey, ref: EntityRef): KeptFact | null
  /** `hash` is the store's business: it comes back with `fact`. */
  put(key: GroupKey, entity: Entity, hash: Hash64): void
  /** False if there is no such entity. */
  delete(key: GroupKey, ref: EntityRef): boolean
  /** The entities of a group in (tree, id) order. */
  entities(key: GroupKey): readonly Entity[]
  /** The same, but their bytes are the index's own: valid until it changes. */
  borrow(key: GroupKey): readonly Entity[]
  /** How many entities a group has. */
  entitiesIn(key: GroupKey): number
}
