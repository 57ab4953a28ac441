// A binary heap of ids by (priority, id), each id at most once: deadlines that are set, moved and cancelled.
// Equal priorities leave in id order, so nothing depends on the order of arrival.

/** An id in the heap. */
interface Node<Id> {
  readonly id: Id
  priority: number
  place: number
}

export class Heap<Id extends string | number> {
  readonly #heap: Node<Id>[] = []
  readonly #nodes = new Map<Id, Node<Id>>()

  get size(): number {
    return this.#heap.length
  }

  /** The id that leaves next, or undefined. */
  peek(): Id | undefined {
    return this.#heap[0]?.id
  }

  /** Its priority, or undefined. */
  peekPriority(): number | undefined {
    return this.#heap[0]?.priority
  }

  priorityOf(id: Id): number | undefined {
    return this.#nodes.get(id)?.priority
  }

  /** Inserts `id`, or moves it to another priority. */
  set(id: Id, priority: number): void {
    const known = this.#nodes.get(id)
    if (known !== undefined) {
      known.priority = priority
      this.#settle(known, known.place)
      return
    }
    const node = { id, priority, place: this.#heap.length }
    this.#nodes.set(id, node)
    this.#heap.push(node)
    this.#up(node, node.place)
  }

  /** The ids that would leave next, in that order, at most so many. */
  first(most: number): readonly Id[] {
    const found: Id[] = []
    // Those whose parents are found; the least of them is next.
    const open = this.#heap.slice(0, 1)
    while (found.length < most && open.length > 0) {
      const next = open.reduce((least, node) => (isBefore(node, least) ? node : least))
      found.push(next.id)
      open.splice(open.indexOf(next), 1)
      open.push(...this.#heap.slice(2 * next.place + 1, 2 * next.place + 3))
    }
    return found
  }

  pop(): Id | undefined {
    const id = this.peek()
    if (id !== undefined) this.delete(id)
    return id
  }

  delete(id: Id): boolean {
    const node = this.#nodes.get(id)
    if (node === undefined) return false
    this.#nodes.delete(id)
    const last = this.#heap.pop() as Node<Id>
    if (last !== node) this.#settle(last, node.place)
    return true
  }

  /** Puts a node where it belongs, above that place or below it. */
  #settle(node: Node<Id>, place: number): void {
    this.#down(node, this.#up(node, place))
  }

  /** Puts it there, or above; where it is then. */
  #up(node: Node<Id>, place: number): number {
    let at = place
    while (at > 0) {
      const parent = this.#heap[(at - 1) >> 1] as Node<Id>
      if (!isBefore(node, parent)) break
      const above = parent.place
      this.#put(parent, at)
      at = above
    }
    this.#put(node, at)
    return at
  }

  #down(node: Node<Id>, place: number): void {
    let at = place
    for (;;) {
      const left = this.#heap[2 * at + 1]
      const right = this.#heap[2 * at + 2]
      const least = left !== undefined && right !== undefined && isBefore(right, left) ? right : left
      if (least === undefined || !isBefore(least, node)) break
      const below = least.place
      this.#put(least, at)
      at = below
    }
    this.#put(node, at)
  }

  #put(node: Node<Id>, place: number): void {
    this.#heap[place] = node
    node.place = place
  }
}

function isBefore<Id extends string | number>(a: Node<Id>, b: Node<Id>): boolean {
  return a.priority < b.priority || (a.priority === b.priority && a.id < b.id)
}
