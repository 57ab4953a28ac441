// Open intents (design.md 4): requests that we originate, and callbacks of fired timers, until a commit says they are done.

import type { GroupKey, Index } from '../base/brand.ts'
import type { Digest, Fact } from './digest.ts'
import { byId } from './order.ts'
import { ShardedMap } from './sharded-map.ts'
import type { OpenIntent } from './view.ts'

export class Intents {
  readonly #digest: Digest
  readonly #byGroup = new ShardedMap<GroupKey, Map<string, OpenIntent>>()
  #open = 0

  constructor(digest: Digest) {
    this.#digest = digest
  }

  get size(): number {
    return this.#open
  }

  /** In id order. */
  of(group: GroupKey): readonly OpenIntent[] {
    return [...(this.#byGroup.get(group)?.values() ?? [])].sort(byId)
  }

  get(group: GroupKey, id: string): OpenIntent | null {
    return this.#byGroup.get(group)?.get(id) ?? null
  }

  /** Opens an intent; one of the same id that is open is replaced. */
  open(group: GroupKey, id: string, bytes: Uint8Array, at: Index): void {
    this.done(group, id)
    const intent: OpenIntent = { id, bytes: bytes.slice(), opened: at }
    const open = this.#byGroup.get(group)
    if (open === undefined) this.#byGroup.set(group, new Map([[id, intent]]))
    else open.set(id, intent)
    this.#open++
    this.#digest.add(intentFact(group, intent), intent.bytes)
  }

  /** Ends an intent; one that is not open is ignored. */
  done(group: GroupKey, id: string): void {
    const open = this.#byGroup.get(group)
    const intent = open?.get(id)
    if (open === undefined || intent === undefined) return
    this.#digest.remove(intentFact(group, intent), intent.bytes)
    this.#open--
    open.delete(id)
    if (open.size === 0) this.#byGroup.delete(group)
  }

  drop(group: GroupKey): void {
    for (const { id } of this.of(group)) this.done(group, id)
  }
}

function intentFact(group: GroupKey, { id, opened }: OpenIntent): Fact {
  return ['intent', group, id, opened]
}
