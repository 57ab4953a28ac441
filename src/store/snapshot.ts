// A snapshot that is cut while the store goes on (Raft paper, section 7; design.md 2): a cursor walks through the parts of the
// index, and what changes ahead of it is set aside first, as it was. So the whole is as of one index, no step of it takes long,
// and it costs what it has to say plus what changes meanwhile.
//
//   parts:   0 .. at-1 told  |  at .. told as they are now, but for the groups in `aside`
//
// Invariant: a group ahead of the cursor is in `aside` exactly if it has changed since the cursor began.

import type { GroupKey } from '../base/brand.ts'
import type { SnapshotBook, SnapshotGroup, SnapshotHead, SnapshotPart } from '../wire/snapshot.ts'
import { byText } from './order.ts'

/** Where the cursor walks. */
export interface SnapshotSource {
  readonly parts: number
  partOf(key: GroupKey): number
  groupsIn(part: number): readonly GroupKey[]
  /** The group as it is; null = there is none. */
  take(key: GroupKey): SnapshotGroup | null
}

/** What is told before the groups. */
export type SnapshotFront = readonly [SnapshotHead, ...SnapshotBook[]]

export class SnapshotCursor {
  readonly #source: SnapshotSource
  readonly #front: SnapshotFront
  readonly #hash: string
  readonly #done: () => void
  readonly #mostAside: number
  /** -1 = the head has not been told. */
  #at = -1
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
    if (part < this.#at) return
    const aside = this.#aside.get(part) ?? new Map<GroupKey, SnapshotGroup | null>()
    if (aside.has(key)) return
    this.#aside.set(part, aside)
    const group = this.#source.take(key)
    aside.set(key, group)
    this.#asideBytes += bytesOf(group)
    if (this.#asideBytes > this.#mostAside) this.#finish('overrun')
  }

  /** The next parts: at least one, and no more once their values have `bytes` together; none once it is not open. */
  next(bytes: number): readonly SnapshotPart[] {
    const parts: SnapshotPart[] = []
    if (this.#state !== 'open') return parts
    if (this.#at < 0) {
      this.#at = 0
      parts.push(...this.#front)
    }
    for (let size = 0; size < bytes && this.#at < this.#source.parts; this.#at++) {
      for (const group of this.#part(this.#at)) {
        parts.push(group)
        size += bytesOf(group)
        this.#told++
      }
    }
    if (this.#at < this.#source.parts) return parts
    parts.push({ kind: 'end', groups: this.#told, hash: this.#hash })
    this.#finish('complete')
    return parts
  }

  /** Nobody wants the rest. */
  cancel(): void {
    if (this.#state === 'open') this.#finish('overrun')
  }

  /** One part's groups as of the head's index, in the order of their keys. */
  #part(at: number): readonly SnapshotGroup[] {
    const aside = this.#aside.get(at)
    const groups: SnapshotGroup[] = []
    for (const key of this.#source.groupsIn(at)) {
      const group = aside?.has(key) === true ? null : this.#source.take(key)
      if (group !== null) groups.push(group)
    }
    for (const group of aside?.values() ?? []) {
      if (group !== null) groups.push(group)
      this.#asideBytes -= bytesOf(group)
    }
    this.#aside.delete(at)
    return groups.sort((a, b) => byText(a.key, b.key))
  }

  #finish(state: 'complete' | 'overrun'): void {
    this.#state = state
    this.#aside = new Map()
    this.#asideBytes = 0
    this.#done()
  }
}

/** Of a group's values, and some for itself. */
function bytesOf(group: SnapshotGroup | null): number {
  if (group === null) return 64
  let bytes = 256
  for (const entity of group.entities) bytes += 128 + entity.bytes.length
  return bytes
}
