// Who of a set is spoken with (decision 0018), by what a replica tells its host: one rule for links, hellos and what is remembered.

import { generationOf, placeOf } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import type { Peers } from './effect.ts'

/** Whether that incarnation is out of the set: gone for good, or one that another followed before it was ever a member. One that is
 * newer than all that the book has is not: this replica's book may be behind. */
export function isOut({ members, gone }: Omit<Peers, 'kind'>, id: ReplicaId): boolean {
  const row = gone.find(({ place }) => place === placeOf(id))
  if (row === undefined) return false
  const generation = generationOf(id)
  return generation <= row.generation || (generation < row.newest && !members.some((member) => member.id === id))
}
