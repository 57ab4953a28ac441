// First in, first out, each in constant time. (An array's `shift` moves all that is left once the array is large: 100,000 intents of one
// second's timers took 5 s and more to take out.)

export class Queue<T> {
  #items: T[] = []
  /** Those before it are gone. */
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head++]
    // No more is kept of the past than is to come: each item is moved once, on average.
    if (this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Only these stay, in their order. */
  keep(isKept: (item: T) => boolean): void {
    this.#items = this.#items.slice(this.#head).filter(isKept)
    this.#head = 0
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}
