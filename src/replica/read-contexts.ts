// The numbers of a replica's questions for read barriers (Raft thesis 6.4). The leader knows no lives: a question of an earlier one may be
// answered to a later one, with an index that was good when it was asked. So no life may use a number that another has used.
//
//     2^32 a start, of which freshness has the lower half, lookups and orders a quarter each; after 2^20 starts they come again

import type { Life } from '../base/brand.ts'
import { startOf } from '../base/brand.ts'

const ofLife = 2 ** 32
const starts = 2 ** 20

/** The numbers before the first ones. */
export function contextsOf(life: Life): {
  readonly freshness: number
  readonly lookups: number
  readonly orders: number
} {
  const freshness = (startOf(life) % starts) * ofLife
  return { freshness, lookups: freshness + ofLife / 2, orders: freshness + (ofLife / 4) * 3 }
}
