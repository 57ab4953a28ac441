// The generations of the set key (design.md 4): made at bootstrap, kept in the log, so that every replica makes the same
// branches and group keys, also after all of them were restarted.

import { type HashKey, hashKey } from '../base/hash.ts'
import type { SetKey } from '../wire/entry.ts'
import type { Digest } from './digest.ts'

const KEY_BYTES = 16

export class SetKeyring {
  readonly #digest: Digest
  /** Generation n is at n - 1. */
  readonly #keys: HashKey[] = []
  readonly #bytes: Uint8Array[] = []

  constructor(digest: Digest) {
    this.#digest = digest
  }

  /** The newest; 0 = none yet. */
  get generation(): number {
    return this.#keys.length
  }

  /** All generations, for a snapshot. */
  get bytes(): readonly Uint8Array[] {
    return [...this.#bytes]
  }

  key(generation: number): HashKey | null {
    return this.#keys[generation - 1] ?? null
  }

  /** Takes exactly the next generation: two leaders that each make the first key agree on the one the log has first. */
  add({ generation, key }: SetKey): boolean {
    if (generation !== this.#keys.length + 1 || key.length !== KEY_BYTES) return false
    this.#keys.push(hashKey(key))
    this.#bytes.push(key.slice())
    this.#digest.add(['key', generation], key)
    return true
  }
}
