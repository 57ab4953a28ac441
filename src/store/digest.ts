// The store's hash: a sum over all facts that it holds, each hashed by itself. A sum doesn't depend on order, so stores that
// came to the same facts on different ways are equal; a change costs what changed, and reading costs nothing.

import { type Hash64, hashHex, mixFact } from '../base/hash.ts'

/** What is so: a few words and numbers, the first of which says what kind of fact it is. */
export type Fact = readonly (string | number)[]

export class Digest {
  #high = 0
  #low = 0

  add(fact: Fact, bytes?: Uint8Array): void {
    this.addHash(hashOf(fact, bytes))
  }

  /** Takes out a fact that was added. */
  remove(fact: Fact, bytes?: Uint8Array): void {
    this.removeHash(hashOf(fact, bytes))
  }

  /** The same with the hash of the fact (`hashOf`), where it is kept. */
  addHash({ high, low }: Hash64): void {
    this.#high = (this.#high + high) >>> 0
    this.#low = (this.#low + low) >>> 0
  }

  removeHash({ high, low }: Hash64): void {
    this.#high = (this.#high - high) >>> 0
    this.#low = (this.#low - low) >>> 0
  }

  /** Sixteen lower-case hexadecimal digits of all facts, and of those given, which change too often to be added. */
  hex(...more: readonly Fact[]): string {
    let { high, low } = { high: this.#high, low: this.#low }
    for (const fact of more) {
      const hash = hashOf(fact)
      high = (high + hash.high) >>> 0
      low = (low + hash.low) >>> 0
    }
    return hashHex({ high, low })
  }
}

export function hashOf(fact: Fact, bytes?: Uint8Array): Hash64 {
  return mixFact(fact, bytes)
}
