// A leader's window onto one follower (etcd's tracker.Inflights): appends with entries that are not acknowledged yet, bounded
// in number and in bytes.

import type { Index } from '../base/brand.ts'

interface Inflight {
  /** The last index of the append. */
  readonly last: Index
  /** `entryBytes` of its entries. */
  readonly bytes: number
}

export class Inflights {
  readonly #maxCount: number
  readonly #maxBytes: number
  /** Invariant: last indexes rise. */
  #appends: Inflight[] = []
  #bytes = 0

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount
    this.#maxBytes = maxBytes
  }

  get count(): number {
    return this.#appends.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** No other append may leave. What is in flight may pass the bound in bytes by one append, as etcd's does: else an append
   * larger than the bound could never leave. */
  get full(): boolean {
    return this.#appends.length >= this.#maxCount || this.#bytes >= this.#maxBytes
  }

  add(last: Index, bytes: number): void {
    this.#appends.push({ last, bytes })
    this.#bytes += bytes
  }

  /** All up to `at` arrived. */
  freeTo(at: Index): void {
    const open = this.#appends.findIndex(({ last }) => last > at)
    const done = this.#appends.splice(0, open === -1 ? this.#appends.length : open)
    for (const { bytes } of done) this.#bytes -= bytes
  }

  reset(): void {
    this.#appends = []
    this.#bytes = 0
  }
}
