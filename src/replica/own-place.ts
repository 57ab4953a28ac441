// Whether this replica is to be in its set (decision 0018), as the member book has it. Who is to go takes its sockets and
// streams to rest (leaving.ts) as soon as the leader has taken it out of serving; but it votes on, and ends only on the word
// that the configuration without it is committed. Else a removal, and in the same moment another's death, would leave one
// voter of three.
//
// Not everybody who says that it is out is right: one that was cut off and told to go on alone (decisions/0019) has given up a
// majority that lives. So who knows nothing of its removal obeys only if it has long been alone.

import { generationOf, placeOf, replicaOf } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import { between } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { Store } from '../store/store.ts'
import { limits } from './limits.ts'

export class OwnPlace {
  readonly #life: Life
  readonly #id: ReplicaId
  readonly #store: Store
  /** This life served when it was looked at last, and knew what is so. */
  #served = false
  /** Another replica has said that this one is out. */
  #isTold = false
  /** Since when it is stale, and not linked with a quorum. */
  #alone: Instant | null = null

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

  /** Another replica doesn't listen to this one, for it is out of the set. True if that is news. */
  told(): boolean {
    const isNews = !this.#isTold
    this.#isTold = true
    return isNews
  }

  /** Whether it is to end, as it was told. To be asked once a turn. */
  isOut(now: Instant, isAlone: boolean): boolean {
    if (!isAlone) this.#alone = null
    else this.#alone ??= now
    if (!this.#isTold) return false
    return !this.isWanted || (this.#alone !== null && between(this.#alone, now) >= limits.removed)
  }
}
