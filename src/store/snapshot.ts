// A snapshot that is cut while the store goes on (Raft paper, section 7; design.md 2): a cursor walks through the parts of the
// index, and what changes ahead of it is set aside first, as it was. So the whole is as of one index, no step of it takes long,
// and it costs what it has to say plus what changes meanwhile. Within a part of the index, groups are told in the order of their keys.
//
//   parts:   0 .. at-1 told  |  at, up to `last` told, and the rest  |  as they are now, but for the groups in `aside`
//
// Invariant: a group ahead of the cursor is in `aside` exactly if it has changed since the cursor began.

import type { GroupKey } from '../base/brand.ts'
import type { SnapshotBook, SnapshotEvents, SnapshotGroup, SnapshotHead, SnapshotPart } from '../wire/snapshot.ts'
import { byText } from './order.ts'

/** Where the cursor walks. */
export interface SnapshotSource {
  readonly parts: number
  partOf(key: GroupKey): number
  groupsIn(part: number): readonly GroupKey[]
  /** The group as it is, its bytes valid until the store changes; null = there is none. */
  take(key: GroupKey): SnapshotGroup | null
}

/** What is told before the groups. */
export type SnapshotFront = readonly [SnapshotHead, ...(SnapshotBook | SnapshotEvents)[]]

export class SnapshotCursor {
  readonly #source: SnapshotSource
  readonly #front: SnapshotFront
  readonly #hash: string
  readonly #done: () => void
  readonly #mostAside: number
  /** Of what is told before the groups. */
  #toldFirst = 0
  /** -1 = not all of that has been told. */
  #at = -1
  /** Of that part, the keys that are to be told, the first one last; null = none was looked at. */
  #left: GroupKey[] | null = null
  /** ...and the last one that was. */
  #last: GroupKey | null = null
  #told = 0
  /** By part: null = the group was not there. */
  #aside = new Map<number, Map<GroupKey, SnapshotGroup | null>>()
  #asideBytes = 0
  #state: 'open' | 'complete' | 'overrun' = 'open'

  /** `mostAside`: bytes of values that may be set aside. */
  constructor(source: SnapshotSource, front: SnapshotFront, hash: string, mostAside: number, done: () => void) {
    this.#source = source
    this.#front = front
    this.#hash = hash
    this.#mostAside = mostAside
    this.#done = done
  }

  /** `overrun`: more changed than could be set aside, since nobody asked for so long; it has no more to say. */
  get state(): 'open' | 'complete' | 'overrun' {
    return this.#state
  }

  get index(): SnapshotHead['index'] {
    return this.#front[0].index
  }

  /** A group is about to change. */
  before(key: GroupKey): void {
    const part = this.#source.partOf(key)
    if (part < this.#at || (part === this.#at && this.#last !== null && byText(key, this.#last) <= 0)) return
    const aside = this.#aside.get(part) ?? new Map<GroupKey, SnapshotGroup | null>()
    if (aside.has(key)) return
    this.#aside.set(part, aside)
    const group = ownGroup(this.#source.take(key))
    aside.set(key, group)
    this.#asideBytes += bytesOf(group)
    if (this.#asideBytes > this.#mostAside) this.#finish('overrun')
  }

  /** What `told` makes of the next parts: of at least one, and of no more once their values have `bytes` together; of none once it
   * is not open. A part's bytes are the store's own, and valid no longer than that: a snapshot copies nothing twice. */
  next<T>(bytes: number, told: (part: SnapshotPart) => T): readonly T[] {
    const parts: T[] = []
    if (this.#state !== 'open') return parts
    let size = 0
    for (; this.#toldFirst < this.#front.length && size < bytes; this.#toldFirst++) {
      const part = this.#front[this.#toldFirst] as SnapshotFront[number]
      parts.push(told(part))
      if (part.kind === 'events') size += lengthOf(part)
    }
    if (this.#toldFirst < this.#front.length) return parts
    if (this.#at < 0) this.#at = 0
    while (size < bytes && this.#at < this.#source.parts) {
      const group = this.#nextGroup()
      if (group === null) this.#leavePart()
      else {
        parts.push(told(group))
        size += bytesOf(group)
        this.#told++
      }
    }
    if (this.#at < this.#source.parts) return parts
    parts.push(told({ kind: 'end', groups: this.#told, hash: this.#hash }))
    this.#finish('complete')
    return parts
  }

  /** Nobody wants the rest. */
  cancel(): void {
    if (this.#state === 'open') this.#finish('overrun')
  }

  /** The part's next group as of the head's index; null = it has no more. */
  #nextGroup(): SnapshotGroup | null {
    const aside = this.#aside.get(this.#at)
    this.#left ??= this.#keys(aside)
    for (let key = this.#left.pop(); key !== undefined; key = this.#left.pop()) {
      this.#last = key
      const group = aside?.get(key)
      const found = group === undefined ? this.#source.take(key) : group
      if (found !== null) return found
    }
    return null
  }

  /** The part's groups, those that went meanwhile too, in falling order of their keys. */
  #keys(aside: ReadonlyMap<GroupKey, SnapshotGroup | null> | undefined): GroupKey[] {
    const keys = this.#source.groupsIn(this.#at)
    const all = aside === undefined ? [...keys] : [...new Set([...keys, ...aside.keys()])]
    return all.sort((a, b) => byText(b, a))
  }

  #leavePart(): void {
    for (const group of this.#aside.get(this.#at)?.values() ?? []) this.#asideBytes -= bytesOf(group)
    this.#aside.delete(this.#at)
    this.#left = null
    this.#last = null
    this.#at++
  }

  #finish(state: 'complete' | 'overrun'): void {
    this.#state = state
    this.#aside = new Map()
    this.#asideBytes = 0
    this.#done()
  }
}

/** With bytes of its own. */
function ownGroup(group: SnapshotGroup | null): SnapshotGroup | null {
  if (group === null) return null
  return { ...group, entities: group.entities.map((entity) => ({ ...entity, bytes: entity.bytes.slice() })) }
}

function lengthOf({ items }: SnapshotEvents): number {
  let length = 0
  for (const { texts } of items) for (const text of texts) length += text.length
  return length
}

/** Of a group's values, and some for itself. */
function bytesOf(group: SnapshotGroup | null): number {
  if (group === null) return 64
  let bytes = 256
  for (const entity of group.entities) bytes += 128 + entity.bytes.length
  return bytes
}
