// The plain index: an object per group and per entity, in sharded maps. The other one (slab-index.ts) is compared with it.

import type { GroupKey } from '../../base/brand.ts'
import { must } from '../../base/assert.ts'
import type { Hash64 } from '../../base/hash.ts'
import type { EntityRef } from '../../wire/entry.ts'
import type { EntityIndex, GroupRecord, KeptFact } from '../index-contract.ts'
import { byText, refKey } from '../order.ts'
import { ShardedMap } from '../sharded-map.ts'
import type { Entity } from '../view.ts'

interface Kept {
  record: GroupRecord
  readonly entities: Map<string, Entity & { readonly hash: Hash64 }>
}

export class MemoryIndex implements EntityIndex {
  readonly #groups = new ShardedMap<GroupKey, Kept>()
  #entityCount = 0

  get groupCount(): number {
    return this.#groups.size
  }

  get entityCount(): number {
    return this.#entityCount
  }

  group(key: GroupKey): GroupRecord | null {
    return this.#groups.get(key)?.record ?? null
  }

  setGroup(key: GroupKey, record: GroupRecord): void {
    const kept = this.#groups.get(key)
    if (kept === undefined) this.#groups.set(key, { record, entities: new Map() })
    else kept.record = record
  }

  dropGroup(key: GroupKey): void {
    this.#groups.delete(key)
  }

  groups(): Iterable<GroupKey> {
    return this.#groups.keys()
  }

  readonly parts = 1

  partOf(): number {
    return 0
  }

  groupsIn(): readonly GroupKey[] {
    return [...this.#groups.keys()]
  }

  entity(key: GroupKey, ref: EntityRef): Entity | null {
    const kept = this.#groups.get(key)?.entities.get(refKey(ref))
    return kept === undefined ? null : shown(kept)
  }

  fact(key: GroupKey, ref: EntityRef): KeptFact | null {
    const kept = this.#groups.get(key)?.entities.get(refKey(ref))
    return kept === undefined ? null : { version: kept.version, hash: kept.hash }
  }

  put(key: GroupKey, entity: Entity, hash: Hash64): void {
    const { entities } = must(this.#groups.get(key), 'an entity is put into a group that is set')
    const { tree, id, version, stamp, bytes } = entity
    const before = entities.size
    entities.set(refKey(entity), { tree, id, version, stamp, bytes: bytes.slice(), hash })
    this.#entityCount += entities.size - before
  }

  delete(key: GroupKey, ref: EntityRef): boolean {
    if (this.#groups.get(key)?.entities.delete(refKey(ref)) !== true) return false
    this.#entityCount--
    return true
  }

  entities(key: GroupKey): readonly Entity[] {
    const kept = this.#groups.get(key)
    if (kept === undefined) return []
    return [...kept.entities.values()].map(shown).sort((a, b) => byText(a.tree, b.tree) || byText(a.id, b.id))
  }

  borrow(key: GroupKey): readonly Entity[] {
    return this.entities(key)
  }

  entitiesIn(key: GroupKey): number {
    return this.#groups.get(key)?.entities.size ?? 0
  }
}

function shown({ tree, id, version, stamp, bytes }: Entity): Entity {
  return { tree, id, version, stamp, bytes }
}
