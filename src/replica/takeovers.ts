// Groups that became this replica's own, and are to be taken over (design.md 4): when owners change, all groups are looked at for that,
// some in each turn, for there may be a million. A group that is asked for before is told at once. No change of owners itself walks
// through groups: what was taken over before it is told apart by the number of the sweep.
//
//   owners change --> sweep: part 0, part 1, ... --found--> next() --> Owner takes it over
//                                '-- take(key) of a part that was not looked at yet ----^

import { replicaOf } from '../base/brand.ts'
import type { GroupKey, Life } from '../base/brand.ts'
import type { Store } from '../store/store.ts'
import type { Serving } from '../store/view.ts'
import { limits } from './limits.ts'

interface Sweep {
  /** Rises from one to the next. */
  readonly number: number
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
  /** Taken over, or made anew, while sweeps go on that have not come to them; and the newest sweep then. If one of them was
   * lost since, only a later sweep's change can have brought it back. */
  readonly #done = new Map<GroupKey, number>()
  #begun = 0

  readonly #looks: number

  /** Tests give the last one: groups looked at in one turn. */
  constructor(store: Store, life: Life, looks: number = limits.takeoverLooks) {
    this.#store = store
    this.#life = life
    this.#looks = looks
  }

  /** Owners were computed anew. `before` null: the store became another one. */
  changed(before: Serving | null): void {
    for (const key of this.#found) if (before === null || !this.#isOwn(key)) this.#found.delete(key)
    if (before === null) this.#sweeps = []
    else if (this.#gainsNothing(before)) return
    const sweep = { number: ++this.#begun, before, part: 0 }
    this.#sweeps.push(sweep)
    // Owners go to and fro: one sweep more over all that is owned costs less than to remember each change.
    if (this.#sweeps.length > limits.sweeps) this.#sweeps = [{ ...sweep, before: null }]
  }

  /** Whoever served still does: of one more, a group's owner may only lose (rendezvous hashing takes the highest). */
  #gainsNothing({ members }: Serving): boolean {
    const after = this.#store.serving().members
    const stays = (id: number): boolean => after.some(({ life }) => replicaOf(life) === id)
    return members.some(({ life }) => life === this.#life) && members.every(({ life }) => stays(replicaOf(life)))
  }

  get busy(): boolean {
    return this.#sweeps.length > 0 || this.#found.size > 0
  }

  /** Whether the group is still to be taken over. */
  has(key: GroupKey): boolean {
    if (this.#found.has(key)) return true
    if (this.#sweeps.length === 0 || this.#store.groupVersion(key) === 0 || !this.#isOwn(key)) return false
    const part = this.#store.partOf(key)
    return this.#sweeps.some((sweep) => part >= sweep.part && !this.#isDone(key, sweep) && this.#isGained(key, sweep))
  }

  /** The group comes into its owner's memory: whether it is to be taken over now. */
  take(key: GroupKey): boolean {
    if (!this.busy) return false
    const isGained = this.has(key)
    this.#found.delete(key)
    const part = this.#store.partOf(key)
    if (this.#sweeps.some((sweep) => part >= sweep.part)) this.#done.set(key, this.#begun)
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
    const serving = this.#store.serving()
    for (let looks = 0; looks < this.#looks;) {
      const sweep = this.#sweeps[0]
      if (sweep === undefined) break
      for (const key of this.#store.groupsIn(sweep.part)) {
        looks++
        // Each is asked for once, which the store need not remember.
        const isOwn = !this.#isDone(key, sweep) && this.#store.ownerUnder(serving, key) === this.#life
        if (isOwn && this.#isGained(key, sweep)) found.push(key)
      }
      if (++sweep.part === this.#store.parts) this.#sweeps.shift()
    }
    if (this.#sweeps.length === 0) this.#done.clear()
    const before = this.#found.size
    for (const key of found.sort()) this.#found.add(key)
    return this.#found.size - before
  }

  #isDone(key: GroupKey, { number }: Sweep): boolean {
    return (this.#done.get(key) ?? 0) >= number
  }

  #isOwn(key: GroupKey): boolean {
    return this.#store.ownerOf(key) === this.#life
  }

  #isGained(key: GroupKey, { before }: Sweep): boolean {
    return before === null || this.#store.ownerUnder(before, key) !== this.#life
  }
}
