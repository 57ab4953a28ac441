// A binary heap of ids by (priority, id), each id at most once: deadlines that are set, moved and cancelled.
// Equal priorities leave in id order, so nothing depends on the order of arrival.

export class Heap<Id extends string | number> {
  readonly #ids: Id[] = []
  readonly #priorities: number[] = []
  readonly #places = new Map<Id, number>()

  get size(): number {
    return this.#ids.length
  }

  /** The id that leaves next, or undefined. */
  peek(): Id | undefined {
    return this.#ids[0]
  }

  /** Its priority, or undefined. */
  peekPriority(): number | undefined {
    return this.#priorities[0]
  }

  priorityOf(id: Id): number | undefined {
    const place = this.#places.get(id)
    return place === undefined ? undefined : this.#priorities[place]
  }

  /** Inserts `id`, or moves it to another priority. */
  set(id: Id, priority: number): void {
    const place = this.#places.get(id)
    if (place === undefined) {
      this.#ids.push(id)
      this.#priorities.push(priority)
      this.#places.set(id, this.#ids.length - 1)
      this.#up(this.#ids.length - 1)
      return
    }
    this.#priorities[place] = priority
    this.#up(place)
    this.#down(this.#places.get(id) as number)
  }

  /** The ids that would leave next, in that order, at most so many. */
  first(most: number): readonly Id[] {
    const found: Id[] = []
    // Places whose parents are found; the least of them is next.
    const open = this.size > 0 ? [0] : []
    while (found.length < most && open.length > 0) {
      const next = open.reduce((least, place) => (this.#before(place, least) ? place : least))
      found.push(this.#ids[next] as Id)
      open.splice(open.indexOf(next), 1)
      for (const child of [2 * next + 1, 2 * next + 2]) if (child < this.size) open.push(child)
    }
    return found
  }

  pop(): Id | undefined {
    const id = this.#ids[0]
    if (id !== undefined) this.delete(id)
    return id
  }

  delete(id: Id): boolean {
    const place = this.#places.get(id)
    if (place === undefined) return false
    const last = this.#ids.length - 1
    this.#swap(place, last)
    this.#ids.pop()
    this.#priorities.pop()
    this.#places.delete(id)
    if (place < last) {
      const moved = this.#ids[place] as Id
      this.#up(place)
      this.#down(this.#places.get(moved) as number)
    }
    return true
  }

  #before(a: number, b: number): boolean {
    const pa = this.#priorities[a] as number
    const pb = this.#priorities[b] as number
    return pa < pb || (pa === pb && (this.#ids[a] as Id) < (this.#ids[b] as Id))
  }

  #swap(a: number, b: number): void {
    if (a === b) return
    const id = this.#ids[a] as Id
    const priority = this.#priorities[a] as number
    this.#ids[a] = this.#ids[b] as Id
    this.#priorities[a] = this.#priorities[b] as number
    this.#ids[b] = id
    this.#priorities[b] = priority
    this.#places.set(this.#ids[a] as Id, a)
    this.#places.set(id, b)
  }

  #up(place: number): void {
    let at = place
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #down(place: number): void {
    let at = place
    for (;;) {
      const left = at * 2 + 1
      const right = left + 1
      let least = at
      if (left < this.#ids.length && this.#before(left, least)) least = left
      if (right < this.#ids.length && this.#before(right, least)) least = right
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }
}
