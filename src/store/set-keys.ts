// The generations of the set key (design.md 4, decision 0050): the first is made at bootstrap, later ones as it ages; all are in the log, so
// that every replica makes the same branches and group keys, also after all of them were restarted.

import { type HashKey, hashKey } from '../base/hash.ts'
import { seconds, stamp } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import type { SetKey } from '../wire/entry.ts'
import type { Digest } from './digest.ts'

const KEY_BYTES = 16
/** After its entry, until anything is made under a generation: by then every replica that serves knows it. */
const LEAD = seconds(10)

export class SetKeyring {
  readonly #digest: Digest
  /** Generation n is at n - 1. */
  readonly #keys: HashKey[] = []
  readonly #bytes: Uint8Array[] = []
  readonly #since: Stamp[] = []

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

  /** Cluster time of the entry of each. */
  get since(): readonly Stamp[] {
    return [...this.#since]
  }

  key(generation: number): HashKey | null {
    return this.#keys[generation - 1] ?? null
  }

  /** The generation under which things are made at that time; of what says when it was made it is the one that made it, for ever. */
  at(time: Stamp): number {
    let generation = this.#keys.length
    while (generation > 1 && time < (this.#since[generation - 1] as number) + LEAD) generation--
    return generation
  }

  /** Takes exactly the next generation: two leaders that each make one agree on the one the log has first. Since when they are there
   * isn't of the hash: a snapshot of format 1 doesn't say it of the first one. */
  add({ generation, key }: SetKey, since: Stamp): boolean {
    if (generation !== this.#keys.length + 1 || key.length !== KEY_BYTES) return false
    this.#keys.push(hashKey(key))
    this.#bytes.push(key.slice())
    this.#since.push(since)
    this.#digest.add(['key', generation], key)
    return true
  }

  /** As a snapshot has them. */
  restore(keys: readonly Uint8Array[], since: readonly Stamp[]): void {
    for (const [i, key] of keys.entries()) this.add({ kind: 'key', generation: i + 1, key }, since[i] ?? stamp(0))
  }
}
