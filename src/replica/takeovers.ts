// Groups that became this replica's own, and are to be taken over (design.md 4): when owners change, all groups are looked at for that,
// some in each turn, for there may be a million. A group that is asked for before is told at once.
//
//   owners change --> sweep: part 0, part 1, ... --found--> next() --> Owner takes it over
//                                '-- take(key) of a part that was not looked at yet ----^

import type { GroupKey, Life } from '../base/brand.ts'
import type { Store } from '../store/store.ts'
import type { Serving } from '../store/view.ts'
import { limits } from './limits.ts'

interface Sweep {
  /** Who owned before the change that it is for; null = nothing is known of that. */
  readonly before: Serving | null
  /** The next part of the store's index to look at. */
  part: number
}

export class Takeovers {
  readonly #store: Store
  readonly #life: Life
  /** Oldest first. */
  #sweeps: Sweep[] = []
  /** Found, and not taken over. Invariant: this replica's own. */
  readonly #found = new Set<GroupKey>()
  /** Taken over, or made anew, while sweeps go on that have not come to them. Invariant: this replica's own. */
  readonly #done = new Set<GroupKey>()

  readonly #looks: number

  /** Tests give the last one: groups looked at in one turn. */
  constructor(store: Store, life: Life, looks: number = limits.takeoverLooks) {
    this.#store = store
    this.#life = life
    this.#looks = looks
  }

  /** Owners were computed anew. `before` null: the store became another one. */
  changed(before: Serving | null): void {
    for (const keys of [this.#found, this.#done])
      for (const key of keys) if (before === null || !this.#isOwn(key)) keys.delete(key)
    if (before === null) this.#sweeps = []
    this.#sweeps.push({ before, part: 0 })
    // Owners go to and fro: one sweep more over all that is owned costs less than to remember each change.
    if (this.#sweeps.length > limits.sweeps) this.#sweeps = [{ before: null, part: 0 }]
  }

  get busy(): boolean {
    return this.#sweeps.length > 0 || this.#found.size > 0
  }

  /** Whether the group is still to be taken over. */
  has(key: GroupKey): boolean {
    if (this.#found.has(key)) return true
    if (this.#sweeps.length === 0 || this.#done.has(key)) return false
    if (this.#store.groupVersion(key) === 0 || !this.#isOwn(key)) return false
    const part = this.#store.partOf(key)
    return this.#sweeps.some((sweep) => part >= sweep.part && this.#isGained(key, sweep))
  }

  /** The group comes into its owner's memory: whether it is to be taken over now. */
  take(key: GroupKey): boolean {
    if (!this.busy) return false
    const isGained = this.has(key)
    this.#found.delete(key)
    if (this.#sweeps.length > 0) this.#done.add(key)
    return isGained
  }

  /** The next ones, at most so many; looks at a bounded number of groups for them. How many were found is added to `found`. */
  next(most: number): { readonly keys: readonly GroupKey[]; readonly found: number } {
    let found = 0
    if (this.#found.size < most) found = this.#look()
    const keys: GroupKey[] = []
    for (const key of this.#found) {
      if (keys.length === most) break
      keys.push(key)
    }
    return { keys, found }
  }

  #look(): number {
    const found: GroupKey[] = []
    for (let looks = 0; looks < this.#looks;) {
      const sweep = this.#sweeps[0]
      if (sweep === undefined) break
      for (const key of this.#store.groupsIn(sweep.part)) {
        looks++
        if (!this.#done.has(key) && this.#isOwn(key) && this.#isGained(key, sweep)) found.push(key)
      }
      if (++sweep.part === this.#store.parts) this.#sweeps.shift()
    }
    if (this.#sweeps.length === 0) this.#done.clear()
    const before = this.#found.size
    for (const key of found.sort()) this.#found.add(key)
    return this.#found.size - before
  }

  #isOwn(key: GroupKey): boolean {
    return this.#store.ownerOf(key) === this.#life
  }

  #isGained(key: GroupKey, { before }: Sweep): boolean {
    return before === null || this.#store.ownerUnder(before, key) !== this.#life
  }
}
