// Counters as sets of holds (design.md 4): a counter is the number of holds that living groups own. Deleting a group
// releases its holds, so nothing can leak a +1 whose -1 never came.

import type { GroupKey } from '../base/brand.ts'
import type { Hold } from '../wire/entry.ts'
import type { Digest, Fact } from './digest.ts'
import { byText } from './order.ts'
import { ShardedMap } from './sharded-map.ts'

export class Holds {
  readonly #digest: Digest
  /** In counter order. */
  readonly #byGroup = new ShardedMap<GroupKey, readonly Hold[]>()
  readonly #counters = new Map<string, number>()

  constructor(digest: Digest) {
    this.#digest = digest
  }

  counter(name: string): number {
    return this.#counters.get(name) ?? 0
  }

  /** In counter order. */
  of(group: GroupKey): readonly Hold[] {
    return this.#byGroup.get(group) ?? []
  }

  /** Whether the group may hold this instead of what it holds. A limit stands only in the way of a counter that would rise:
   * what is held already stays held, even under a limit that was lowered. */
  allows(group: GroupKey, holds: readonly Hold[]): boolean {
    const now = countsOf(this.of(group))
    const then = countsOf(holds)
    return holds.every(({ counter, limit }) => {
      if (limit === null) return true
      const more = (then.get(counter) ?? 0) - (now.get(counter) ?? 0)
      return more <= 0 || this.counter(counter) + more <= limit
    })
  }

  set(group: GroupKey, holds: readonly Hold[]): void {
    this.drop(group)
    if (holds.length === 0) return
    const sorted = holds
      .map(({ counter, limit }) => ({ counter, limit }))
      .sort((a, b) => byText(a.counter, b.counter) || (a.limit ?? -1) - (b.limit ?? -1))
    this.#byGroup.set(group, sorted)
    for (const hold of sorted) {
      this.#digest.add(holdFact(group, hold))
      this.#counters.set(hold.counter, this.counter(hold.counter) + 1)
    }
  }

  drop(group: GroupKey): void {
    for (const hold of this.of(group)) {
      this.#digest.remove(holdFact(group, hold))
      const left = this.counter(hold.counter) - 1
      if (left === 0) this.#counters.delete(hold.counter)
      else this.#counters.set(hold.counter, left)
    }
    this.#byGroup.delete(group)
  }
}

function countsOf(holds: readonly Hold[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { counter } of holds) counts.set(counter, (counts.get(counter) ?? 0) + 1)
  return counts
}

function holdFact(group: GroupKey, { counter, limit }: Hold): Fact {
  return ['hold', group, counter, limit ?? 'none']
}
