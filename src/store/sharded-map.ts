// A map by text whose growth never stalls. One Map of a million keys pauses for 266 ms when it doubles (design.md 2); here
// each of many small Maps doubles by itself. Keys go to a shard by a fixed hash; iteration order means nothing.

/** A power of two: a million keys are 256 a shard. */
const SHARDS = 4_096

export class ShardedMap<Key extends string, Value> {
  readonly #shards: (Map<Key, Value> | undefined)[] = Array<undefined>(SHARDS).fill(undefined)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: Key): Value | undefined {
    return this.#shards[shardOf(key)]?.get(key)
  }

  set(key: Key, value: Value): void {
    const at = shardOf(key)
    const shard = (this.#shards[at] ??= new Map<Key, Value>())
    const before = shard.size
    shard.set(key, value)
    this.#size += shard.size - before
  }

  delete(key: Key): boolean {
    const at = shardOf(key)
    const shard = this.#shards[at]
    if (shard === undefined || !shard.delete(key)) return false
    this.#size--
    if (shard.size === 0) this.#shards[at] = undefined
    return true
  }

  /** All keys, in no particular order. */
  *keys(): Generator<Key> {
    if (this.#size === 0) return
    for (const shard of this.#shards) if (shard !== undefined) yield* shard.keys()
  }
}

function shardOf(key: string): number {
  let hash = 0
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0
  return (hash ^ (hash >>> 12) ^ (hash >>> 24)) & (SHARDS - 1)
}
