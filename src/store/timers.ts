// Pending timers of all groups (design.md 5). They fire only when a pulse takes them, in (deadline, group, id) order.
// Nothing here knows what time it is.

import { must } from '../base/assert.ts'
import type { GroupKey } from '../base/brand.ts'
import { Heap } from '../base/heap.ts'
import { type Duration, type Stamp, plus, stamp } from '../base/instant.ts'
import type { TimerAction } from '../wire/entry.ts'
import type { Digest, Fact } from './digest.ts'
import { byId, byText } from './order.ts'
import { ShardedMap } from './sharded-map.ts'
import type { FiredTimer, PendingTimer } from './view.ts'

/** A timer's place in the heaps, which sorts by group, then by id: group keys have no NUL. */
type Place = `${string}\0${string}`

function placeOf(group: GroupKey, id: string): Place {
  return `${group}\0${id}`
}

export class Timers {
  readonly #digest: Digest
  readonly #deleteSlack: Duration
  readonly #byGroup = new ShardedMap<GroupKey, Map<string, PendingTimer>>()
  // Apart, because only `delete` timers may be late.
  readonly #callbacks = new Heap<Place>()
  readonly #deletes = new Heap<Place>()

  constructor(digest: Digest, deleteSlack: Duration) {
    this.#digest = digest
    this.#deleteSlack = deleteSlack
  }

  get size(): number {
    return this.#callbacks.size + this.#deletes.size
  }

  /** In id order. */
  of(group: GroupKey): readonly PendingTimer[] {
    return [...(this.#byGroup.get(group)?.values() ?? [])].sort(byId)
  }

  /** When a pulse is wanted: callbacks to the microsecond, deletions a little late so that many leave together. */
  nextDeadline(): Stamp | null {
    const callback = this.#callbacks.peekPriority()
    const deletion = this.#deletes.peekPriority()
    const late = deletion === undefined ? Infinity : plus(stamp(deletion), this.#deleteSlack)
    const next = Math.min(callback ?? Infinity, late)
    return next === Infinity ? null : stamp(next)
  }

  /** Sets a timer; a pending one of the same id is replaced. */
  set(group: GroupKey, timer: PendingTimer): void {
    this.cancel(group, timer.id)
    const pending = this.#byGroup.get(group)
    if (pending === undefined) this.#byGroup.set(group, new Map([[timer.id, timer]]))
    else pending.set(timer.id, timer)
    this.#heap(timer.action).set(placeOf(group, timer.id), timer.deadline)
    this.#digest.add(timerFact(group, timer))
  }

  /** Cancels a timer; one that isn't pending is ignored: whoever has the smaller index wins (design.md 5). */
  cancel(group: GroupKey, id: string): void {
    const pending = this.#byGroup.get(group)
    const timer = pending?.get(id)
    if (pending === undefined || timer === undefined) return
    this.#digest.remove(timerFact(group, timer))
    this.#heap(timer.action).delete(placeOf(group, id))
    pending.delete(id)
    if (pending.size === 0) this.#byGroup.delete(group)
  }

  drop(group: GroupKey): void {
    for (const { id } of this.of(group)) this.cancel(group, id)
  }

  /** The timers that fire next, in (deadline, group, id) order, at most so many. */
  upcoming(most: number): readonly FiredTimer[] {
    const places = [...this.#callbacks.first(most), ...this.#deletes.first(most)]
    const timers = places.map((place) => ({ place, timer: this.#at(place) }))
    timers.sort((a, b) => a.timer.deadline - b.timer.deadline || byText(a.place, b.place))
    return timers.slice(0, most).map(({ timer }) => timer)
  }

  /** Whether a timer is due at this stamp. */
  due(now: Stamp): boolean {
    const first = this.#first()
    return first !== null && (first.peekPriority() ?? Infinity) <= now
  }

  /** The group of the timer that `takeDue` would take; null if none is due. */
  dueGroup(now: Stamp): GroupKey | null {
    const place = this.due(now) ? this.#first()?.peek() : undefined
    return place === undefined ? null : (place.slice(0, place.indexOf('\0')) as GroupKey)
  }

  /** Takes out the first timer that is due at this stamp; null if none is. */
  takeDue(now: Stamp): FiredTimer | null {
    if (!this.due(now)) return null
    const timer = this.#at(must(this.#first()?.peek(), 'a timer that is due'))
    this.cancel(timer.group, timer.id)
    return timer
  }

  #at(place: Place): FiredTimer {
    const cut = place.indexOf('\0')
    const group = place.slice(0, cut) as GroupKey
    const id = place.slice(cut + 1)
    const { deadline, action } = must(this.#byGroup.get(group)?.get(id), "a timer in a heap is its group's")
    return { group, id, deadline, action }
  }

  #heap(action: TimerAction): Heap<Place> {
    return action.kind === 'callback' ? this.#callbacks : this.#deletes
  }

  /** The heap whose first timer is first of all. */
  #first(): Heap<Place> | null {
    const callback = this.#callbacks.peek()
    const deletion = this.#deletes.peek()
    if (callback === undefined) return deletion === undefined ? null : this.#deletes
    if (deletion === undefined) return this.#callbacks
    const later = (this.#callbacks.peekPriority() ?? 0) - (this.#deletes.peekPriority() ?? 0)
    return (later || byText(callback, deletion)) < 0 ? this.#callbacks : this.#deletes
  }
}

function timerFact(group: GroupKey, { id, deadline, action }: PendingTimer): Fact {
  const targets = action.kind === 'delete' ? action.targets.flatMap((target) => [target.tree, target.id]) : []
  return ['timer', group, id, deadline, action.kind, ...targets]
}
