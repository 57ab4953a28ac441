// How many connections there are, in all and from each address, those among them that still make their handshakes.

export class Admission {
  readonly #most: number
  readonly #mostOfOne: number
  readonly #bySource = new Map<string, number>()
  #total = 0

  constructor(most: number, mostOfOne: number) {
    this.#most = most
    this.#mostOfOne = mostOfOne
  }

  get isFull(): boolean {
    return this.#total >= this.#most
  }

  /** Whether nobody from there may come before somebody from there has left. */
  isFullFor(host: string): boolean {
    return (this.#bySource.get(host) ?? 0) >= this.#mostOfOne
  }

  came(host: string): void {
    this.#total++
    this.#bySource.set(host, (this.#bySource.get(host) ?? 0) + 1)
  }

  left(host: string): void {
    this.#total--
    const own = (this.#bySource.get(host) ?? 1) - 1
    if (own === 0) this.#bySource.delete(host)
    else this.#bySource.set(host, own)
  }

  /** One that we made. */
  made(): void {
    this.#total++
  }

  ended(): void {
    this.#total--
  }
}
