// What the newest entries of the log are told as, for those who follow what was committed (decision 0032). Whoever made the store
// makes texts of each accepted entry and of what was before it; the store keeps them and doesn't read them. They are a function of the
// log, so each replica has the same, but no part of the hash: two releases may tell one entry in different words. They go into
// snapshots, so that neither a restart nor a leader's snapshot loses any.
//
//   index:   0 ...... after | kept, kept, kept ... last | not applied yet
//            not here       | all that is told of these |

import { index as indexOf } from '../base/brand.ts'
import type { Index } from '../base/brand.ts'
import type { Stamp } from '../base/instant.ts'
import type { Commit, Tree } from '../wire/entry.ts'
import type { KeptEvents, SnapshotEvents } from '../wire/snapshot.ts'
import type { Entity, FiredTimer } from './view.ts'

/** An entity of the commit's group as it was; null = it was not there. */
export type Before = (tree: Tree, id: string) => Entity | null

/** Makes the texts. Neither function throws, whatever an entry holds. */
export interface Follow {
  /** A commit that puts and deletes no entity of this tree is told as nothing. */
  readonly tree: Tree
  committed(commit: Commit, at: Stamp, before: Before): readonly string[]
  fired(timers: readonly FiredTimer[], at: Stamp): readonly string[]
}

/** The n-th text of an entry. */
export interface TailPlace {
  readonly index: Index
  readonly n: number
}

const START: TailPlace = { index: indexOf(0), n: 0 }

function placeOf({ index, texts }: KeptEvents): TailPlace {
  return { index, n: texts.length }
}

/** Characters of texts in one part of a snapshot, about. */
const PART = 32_768

export class Tail {
  readonly #follow: Follow
  /** How many texts are kept. */
  readonly #keep: number
  /** Invariant: those from `#from` on are kept, their indexes rise, and each has a text. */
  #items: KeptEvents[] = []
  #from = 0
  #texts = 0
  #after: TailPlace = START

  constructor(follow: Follow, keep: number) {
    this.#follow = follow
    this.#keep = keep
  }

  /** All that is told after this is here. */
  get after(): TailPlace {
    return this.#after
  }

  /** The newest that is told; `after`, if that is not here. */
  get last(): TailPlace {
    const last = this.#items.at(-1)
    return last === undefined ? this.#after : placeOf(last)
  }

  /** What an accepted commit is to be told as; asked before it is applied. */
  ofCommit(commit: Commit, at: Stamp, before: Before): readonly string[] {
    const { tree } = this.#follow
    const { puts, deletes } = commit
    const isTold = puts.some((put) => put.tree === tree) || deletes.some((gone) => gone.tree === tree)
    return isTold ? this.#follow.committed(commit, at, before) : []
  }

  ofPulse(fired: readonly FiredTimer[], at: Stamp): readonly string[] {
    return fired.length === 0 ? [] : this.#follow.fired(fired, at)
  }

  add(index: Index, texts: readonly string[]): void {
    if (texts.length === 0) return
    this.#items.push({ index, texts })
    this.#texts += texts.length
    this.#trim()
  }

  /** Those kept of that entry and later ones: of as many entries as have so many texts, or more with the last one. */
  since(index: Index, most = Infinity): readonly KeptEvents[] {
    let [low, high] = [this.#from, this.#items.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#items[middle] as KeptEvents).index < index) low = middle + 1
      else high = middle
    }
    let end = low
    for (let texts = 0; end < this.#items.length && texts < most; end++) {
      texts += (this.#items[end] as KeptEvents).texts.length
    }
    return this.#items.slice(low, end)
  }

  /** For a snapshot: at least one, that says from where on they are all there. */
  parts(): readonly SnapshotEvents[] {
    const parts: SnapshotEvents[] = []
    let items: KeptEvents[] = []
    let size = 0
    for (const item of this.#items.slice(this.#from)) {
      items.push(item)
      for (const text of item.texts) size += text.length
      if (size < PART) continue
      parts.push({ kind: 'events', after: this.#after.index, told: this.#after.n, items })
      items = []
      size = 0
    }
    if (items.length > 0 || parts.length === 0)
      parts.push({ kind: 'events', after: this.#after.index, told: this.#after.n, items })
    return parts
  }

  /** A snapshot of that index begins: what it doesn't bring is not here. */
  begin(index: Index): void {
    this.#after = { index, n: Number.MAX_SAFE_INTEGER }
  }

  /** The next part of a snapshot at `head`; what is wrong with it, or null. */
  restore({ after, told, items }: SnapshotEvents, head: Index): string | null {
    const isFirst = this.#items.length === 0
    if (after > head || (!isFirst && after > this.last.index)) return 'its events are not of its entries'
    if (isFirst) this.#after = { index: after, n: told }
    for (const { index, texts } of items) {
      if (index <= this.last.index || index > head) return 'its events are out of order'
      this.add(index, texts)
    }
    return null
  }

  #trim(): void {
    while (this.#texts > this.#keep && this.#from < this.#items.length) {
      const oldest = this.#items[this.#from++] as KeptEvents
      this.#texts -= oldest.texts.length
      this.#after = placeOf(oldest)
    }
    if (this.#from * 2 < this.#items.length || this.#from < 64) return
    this.#items = this.#items.slice(this.#from)
    this.#from = 0
  }
}
