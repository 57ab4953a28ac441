// Whether this replica's store is still the set's. Each pulse carries the hash that the leader's store came to with the pulse
// before (format 2); a store that came to another one there has gone its own way: a bug, or memory that lies. Which of the two is
// right nobody here can say, so it is told and nothing is stopped.

import type { Store } from '../store/store.ts'
import type { Audit as AuditMark } from '../wire/entry.ts'
import type { Outbox } from './outbox.ts'

export class Audit {
  readonly #store: Store
  readonly #outbox: Outbox
  #mark: AuditMark | null = null

  constructor(store: Store, outbox: Outbox) {
    this.#store = store
    this.#outbox = outbox
  }

  /** What a leader's next pulse carries. */
  get mark(): AuditMark | null {
    return this.#mark
  }

  /** A pulse was applied. */
  pulsed(leaders: AuditMark | null): void {
    const own = this.#mark
    this.#mark = { index: this.#store.appliedIndex, hash: this.#store.hash() }
    if (leaders === null || own === null || leaders.index !== own.index || leaders.hash === own.hash) return
    const { index, hash } = own
    this.#outbox.count('stores_differ')
    this.#outbox.log(
      'error',
      'store-differs',
      `this replica's store has hash ${hash} at index ${index}, the leader's ${leaders.hash}: one of them is wrong. ` +
        'Compare storeHash of all replicas (GET /status), and give the odd one an empty data folder',
      { index, own: hash, leader: leaders.hash },
    )
  }
}
