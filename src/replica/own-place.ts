// Whether this replica is to be in its set (decision 0018), as the member book has it. Who is to go takes its sockets and
// streams to rest (leaving.ts) as soon as the leader has taken it out of serving; but it votes on, and ends only on the word
// that the configuration without it is committed. Else a removal, and in the same moment another's death, would leave one
// voter of three.

import { generationOf, placeOf, replicaOf } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import type { Store } from '../store/store.ts'

export class OwnPlace {
  readonly #life: Life
  readonly #id: ReplicaId
  readonly #store: Store
  /** This life served when it was looked at last, and knew what is so. */
  #served = false

  constructor(life: Life, store: Store) {
    this.#life = life
    this.#id = replicaOf(life)
    this.#store = store
  }

  /** Whether the book has this incarnation in the set. An old log tells of what was wanted once. */
  get isWanted(): boolean {
    const row = this.#store.book.row(placeOf(this.#id))
    return row === null || (row.wanted && row.generation <= generationOf(this.#id))
  }

  /** Whether its sockets are to be closed now: it is to go, and the leader has taken it out of serving for that. To be asked once a
   * turn. A newer incarnation that only comes doesn't dismiss who was silent for a while: it is taken out, and is back. */
  isDismissed(isStale: boolean): boolean {
    const served = this.#served
    const serves = this.#store.sinceOf(this.#life) !== null
    this.#served = serves && !isStale
    if (isStale || serves || this.isWanted) return false
    return served || this.#store.book.row(placeOf(this.#id))?.wanted === false
  }
}
