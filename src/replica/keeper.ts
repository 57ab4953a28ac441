// Passing on (design.md 3): what arrived here is kept here until its group's owner says *handled*, and goes out again on
// a change of owner or link. At least once: so whatever handles it must bear a repetition.
//
//   arrives --> waiting --(owner known, reachable)--> given (to this replica's owner room, or passed to another's)
//                 ^                                      |            |
//                 '---- owner or link changed, circled --'         handled --> forgotten
//
// The owner may say that it is another group's (decision 0035): then it waits for that one's owner, and goes to whoever that is.

import type { GroupKey, Life } from '../base/brand.ts'
import { between } from '../base/instant.ts'
import type { Duration, Instant } from '../base/instant.ts'
import type { Destination, Flow } from '../wire/entry.ts'

export interface Kept {
  readonly number: number
  readonly flow: Flow
  readonly data: string
  readonly since: Instant
  /** Null until the message was read (the set key must be known for that). */
  group: GroupKey | null
  /** The group that it is for, as the owner of the one that it names has said; null = that one, as far as is known. */
  to: Destination | null
  /** The life it was given to; null = it waits. */
  givenTo: Life | null
  /** It was given to somebody once. */
  wasGiven: boolean
  /** It was relayed while there was no quorum. */
  wasRelayed: boolean
}

export class Keeper {
  readonly #kept = new Map<number, Kept>()
  readonly #byGroup = new Map<GroupKey, Set<Kept>>()
  readonly #most: number
  readonly #keptFor: Duration
  #waiting = 0

  constructor(most: number, keptFor: Duration) {
    this.#most = most
    this.#keptFor = keptFor
  }

  get size(): number {
    return this.#kept.size
  }

  /** How many have not been given to anybody. */
  get waiting(): number {
    return this.#waiting
  }

  /** Null if there is no room: the documented answer of passing on's bound. `spare`: that much more than the bound. */
  keep(number: number, flow: Flow, data: string, now: Instant, spare = 0): Kept | null {
    if (this.#kept.size >= this.#most + spare) return null
    const kept: Kept = {
      number,
      flow,
      data,
      since: now,
      group: null,
      to: null,
      givenTo: null,
      wasGiven: false,
      wasRelayed: false,
    }
    this.#kept.set(number, kept)
    this.#waiting++
    return kept
  }

  /** Its group is known, or isn't any more. */
  name(kept: Kept, group: GroupKey | null): void {
    this.#unname(kept)
    kept.group = group
    if (group === null) return
    const own = this.#byGroup.get(group)
    if (own === undefined) this.#byGroup.set(group, new Set([kept]))
    else own.add(kept)
  }

  #unname(kept: Kept): void {
    if (kept.group === null) return
    const own = this.#byGroup.get(kept.group)
    if (own?.delete(kept) === true && own.size === 0) this.#byGroup.delete(kept.group)
  }

  /** What is kept of a group that was read. */
  of(group: GroupKey): ReadonlySet<Kept> | null {
    return this.#byGroup.get(group) ?? null
  }

  has(number: number): boolean {
    return this.#kept.has(number)
  }

  get(number: number): Kept | undefined {
    return this.#kept.get(number)
  }

  give(kept: Kept, to: Life): void {
    if (kept.givenTo === null) this.#waiting--
    kept.givenTo = to
    kept.wasGiven = true
  }

  takeBack(kept: Kept): void {
    if (kept.givenTo !== null) this.#waiting++
    kept.givenTo = null
  }

  handled(number: number): void {
    const kept = this.#kept.get(number)
    if (kept === undefined) return
    if (kept.givenTo === null) this.#waiting--
    this.#unname(kept)
    this.#kept.delete(number)
  }

  /** All that is kept, in the order of arrival. */
  all(): readonly Kept[] {
    return [...this.#kept.values()]
  }

  /** When the oldest gets too old; null if nothing is kept. */
  expiry(): Instant | null {
    const oldest = this.#kept.values().next()
    return oldest.done === true ? null : ((oldest.value.since + this.#keptFor) as Instant)
  }

  /** Forgets what is too old, and tells what that was. */
  expire(now: Instant): readonly Kept[] {
    const expired: Kept[] = []
    for (const kept of this.#kept.values()) {
      if (between(kept.since, now) < this.#keptFor) break
      this.handled(kept.number)
      expired.push(kept)
    }
    return expired
  }
}
