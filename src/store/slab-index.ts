// The index that ships: groups and entities as bytes in slabs (slab-heap.ts), found through hash tables of numbers. No object
// per group or entity is kept, so a million of them cost the collector nothing; and no table is large, so none stalls when it
// grows (design.md 2).
//
//   table (one of 4,096)  ->  group:  next entity | version | serial | life | count | key
//                                       '-> entity:  next | version | stamp | hash | tree, lengths | id | bytes
//
// A group's entities are few (a call has about five), so a list is enough.

import { must } from '../base/assert.ts'
import { bytePool } from '../base/bytes.ts'
import type { GroupKey, Life } from '../base/brand.ts'
import type { Hash64 } from '../base/hash.ts'
import { stamp } from '../base/instant.ts'
import type { EntityRef, Tree } from '../wire/entry.ts'
import type { EntityIndex, GroupRecord, KeptFact } from './index-contract.ts'
import { byText } from './order.ts'
import { SlabHeap } from './slab-heap.ts'
import type { SlotRef } from './slab-heap.ts'
import { isText, readText, textBytes, textHead, writeText } from './slab-text.ts'
import { SlotTable } from './slot-table.ts'
import type { Entity } from './view.ts'

/** Where the fields of a record are. A ref is a double: 53 bits. */
const NEXT = 0
const VERSION = 8
const group = { serial: 16, life: 24, count: 28, keyHead: 32, key: 36 } as const
const entity = { stamp: 16, high: 24, low: 28, tree: 32, idHead: 36, length: 40, id: 44 } as const

const NONE: SlotRef = 0

export class SlabIndex implements EntityIndex {
  readonly #heap = new SlabHeap()
  readonly #groups = new SlotTable({ textOf: (ref) => this.#keyOf(ref), isText: (ref, key) => this.#isKey(ref, key) })
  /** Lives and trees are few, and named by their numbers here. */
  readonly #names: string[] = []
  readonly #numbers = new Map<string, number>()
  #entityCount = 0
  /** For bytes that are got: an array of its own for each would cost more than all else, and the collector as much again. */
  readonly #room = bytePool()
  /** The group that was looked for last: one commit asks for the same several times. Invariant: as `#groups` has it. */
  readonly #last: { key: GroupKey | null; ref: SlotRef } = { key: null, ref: NONE }

  get groupCount(): number {
    return this.#groups.size
  }

  get entityCount(): number {
    return this.#entityCount
  }

  /** Bytes of the slabs. */
  get bytes(): number {
    return this.#heap.bytes
  }

  group(key: GroupKey): GroupRecord | null {
    const ref = this.#ref(key)
    if (ref === NONE) return null
    const view = this.#heap.viewOf(ref)
    const at = this.#heap.offsetOf(ref)
    return {
      version: view.getFloat64(at + VERSION, true),
      serial: view.getFloat64(at + group.serial, true),
      by: this.#name(view.getUint32(at + group.life, true)) as Life,
    }
  }

  setGroup(key: GroupKey, { version, by, serial }: GroupRecord): void {
    let ref = this.#ref(key)
    if (ref === NONE) {
      const head = textHead(key)
      ref = this.#heap.allocate(group.key + textBytes(head))
      const at = this.#heap.offsetOf(ref)
      const view = this.#heap.viewOf(ref)
      view.setFloat64(at + NEXT, NONE, true)
      view.setUint32(at + group.count, 0, true)
      view.setUint32(at + group.keyHead, head, true)
      writeText(this.#heap.bytesOf(ref), at + group.key, head, key)
      this.#groups.add(key, ref)
      this.#last.ref = ref
    }
    const view = this.#heap.viewOf(ref)
    const at = this.#heap.offsetOf(ref)
    view.setFloat64(at + VERSION, version, true)
    view.setFloat64(at + group.serial, serial, true)
    view.setUint32(at + group.life, this.#number(by), true)
  }

  dropGroup(key: GroupKey): void {
    const ref = this.#groups.remove(key)
    this.#last.key = null
    if (ref !== NONE) this.#heap.release(ref)
  }

  groups(): Iterable<GroupKey> {
    return this.#groups.keys() as Iterable<GroupKey>
  }

  get parts(): number {
    return this.#groups.parts
  }

  partOf(key: GroupKey): number {
    return this.#groups.partOf(key)
  }

  groupsIn(part: number): readonly GroupKey[] {
    return this.#groups.textsIn(part) as readonly GroupKey[]
  }

  entity(key: GroupKey, ref: EntityRef): Entity | null {
    const found = this.#find(key, ref).at
    return found === NONE ? null : this.#kept(this.#read(found))
  }

  fact(key: GroupKey, ref: EntityRef): KeptFact | null {
    const found = this.#find(key, ref).at
    if (found === NONE) return null
    const view = this.#heap.viewOf(found)
    const at = this.#heap.offsetOf(found)
    return {
      version: view.getFloat64(at + VERSION, true),
      hash: { high: view.getUint32(at + entity.high, true), low: view.getUint32(at + entity.low, true) },
    }
  }

  put(key: GroupKey, kept: Entity, hash: Hash64): void {
    const { owner, before, at: old } = this.#find(key, kept)
    must(owner === NONE ? null : owner, 'an entity is put into a group that is set')
    const head = textHead(kept.id)
    const idBytes = textBytes(head)
    const size = entity.id + idBytes + kept.bytes.length
    const next = old === NONE ? NONE : this.#next(old)
    let ref = old
    if (old === NONE || this.#heap.sizeOf(old) < size || this.#heap.sizeOf(old) > 2 * size + 64) {
      if (old !== NONE) this.#heap.release(old)
      else this.#count(owner, 1)
      ref = this.#heap.allocate(size)
      this.#link(before, ref)
    }
    const view = this.#heap.viewOf(ref)
    const at = this.#heap.offsetOf(ref)
    view.setFloat64(at + NEXT, next, true)
    view.setFloat64(at + VERSION, kept.version, true)
    view.setFloat64(at + entity.stamp, kept.stamp, true)
    view.setUint32(at + entity.high, hash.high, true)
    view.setUint32(at + entity.low, hash.low, true)
    view.setUint32(at + entity.tree, this.#number(kept.tree), true)
    view.setUint32(at + entity.idHead, head, true)
    view.setUint32(at + entity.length, kept.bytes.length, true)
    const bytes = this.#heap.bytesOf(ref)
    writeText(bytes, at + entity.id, head, kept.id)
    bytes.set(kept.bytes, at + entity.id + idBytes)
  }

  delete(key: GroupKey, ref: EntityRef): boolean {
    const { owner, before, at } = this.#find(key, ref)
    if (at === NONE) return false
    this.#link(before, this.#next(at))
    this.#heap.release(at)
    this.#count(owner, -1)
    return true
  }

  entities(key: GroupKey): readonly Entity[] {
    return this.borrow(key).map((entity) => this.#kept(entity))
  }

  borrow(key: GroupKey): readonly Entity[] {
    const list: Entity[] = []
    const owner = this.#ref(key)
    if (owner === NONE) return list
    for (let at = this.#next(owner); at !== NONE; at = this.#next(at)) list.push(this.#read(at))
    return list.sort((a, b) => byText(a.tree, b.tree) || byText(a.id, b.id))
  }

  entitiesIn(key: GroupKey): number {
    const owner = this.#ref(key)
    return owner === NONE ? 0 : this.#heap.viewOf(owner).getUint32(this.#heap.offsetOf(owner) + group.count, true)
  }

  /** The group, the entity, and the record whose `next` names it (the group's own, for the first). */
  #find(key: GroupKey, { tree, id }: EntityRef): { owner: SlotRef; before: SlotRef; at: SlotRef } {
    const owner = this.#ref(key)
    let before = owner
    let at = owner === NONE ? NONE : this.#next(owner)
    const number = this.#numbers.get(tree)
    while (at !== NONE && !this.#is(at, number, id)) {
      before = at
      at = this.#next(at)
    }
    return { owner, before, at }
  }

  #is(ref: SlotRef, tree: number | undefined, id: string): boolean {
    const view = this.#heap.viewOf(ref)
    const at = this.#heap.offsetOf(ref)
    if (view.getUint32(at + entity.tree, true) !== tree) return false
    return isText(this.#heap.bytesOf(ref), at + entity.id, view.getUint32(at + entity.idHead, true), id)
  }

  /** Its bytes are the slab's. */
  #read(ref: SlotRef): Entity {
    const view = this.#heap.viewOf(ref)
    const at = this.#heap.offsetOf(ref)
    const bytes = this.#heap.bytesOf(ref)
    const head = view.getUint32(at + entity.idHead, true)
    const from = at + entity.id + textBytes(head)
    return {
      tree: this.#name(view.getUint32(at + entity.tree, true)) as Tree,
      id: readText(bytes, at + entity.id, head),
      version: view.getFloat64(at + VERSION, true),
      stamp: stamp(view.getFloat64(at + entity.stamp, true)),
      bytes: bytes.subarray(from, from + view.getUint32(at + entity.length, true)),
    }
  }

  #kept(entity: Entity): Entity {
    const bytes = this.#room(entity.bytes.length)
    bytes.set(entity.bytes)
    return { ...entity, bytes }
  }

  #ref(key: GroupKey): SlotRef {
    if (this.#last.key === key) return this.#last.ref
    this.#last.key = key
    return (this.#last.ref = this.#groups.find(key))
  }

  #keyOf(ref: SlotRef): string {
    const view = this.#heap.viewOf(ref)
    const at = this.#heap.offsetOf(ref)
    return readText(this.#heap.bytesOf(ref), at + group.key, view.getUint32(at + group.keyHead, true))
  }

  #isKey(ref: SlotRef, key: string): boolean {
    const at = this.#heap.offsetOf(ref)
    const head = this.#heap.viewOf(ref).getUint32(at + group.keyHead, true)
    return isText(this.#heap.bytesOf(ref), at + group.key, head, key)
  }

  #next(ref: SlotRef): SlotRef {
    return this.#heap.viewOf(ref).getFloat64(this.#heap.offsetOf(ref) + NEXT, true)
  }

  #link(before: SlotRef, next: SlotRef): void {
    this.#heap.viewOf(before).setFloat64(this.#heap.offsetOf(before) + NEXT, next, true)
  }

  #count(owner: SlotRef, change: 1 | -1): void {
    const view = this.#heap.viewOf(owner)
    const at = this.#heap.offsetOf(owner) + group.count
    view.setUint32(at, view.getUint32(at, true) + change, true)
    this.#entityCount += change
  }

  #number(name: string): number {
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    this.#numbers.set(name, this.#names.length)
    return this.#names.push(name) - 1
  }

  #name(number: number): string {
    return must(this.#names[number], 'a name that was numbered here')
  }
}
