// What is said when a replica is not in its set any more, or is told so by one that may be wrong.

import { generationOf, placeOf } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import type { LogLine, Stop } from './effect.ts'

/** It may still vote by its own log, which would trouble nobody, and would never be heard. */
export function removed(id: ReplicaId): Stop {
  const who = `replica ${placeOf(id)} (incarnation ${generationOf(id)} of its place)`
  const reason = `${who} was removed from the set: to let it join anew, start it with an empty data folder, after holdfast members add`
  return { kind: 'stop', cause: 'removed', reason }
}

export function contradiction(peer: ReplicaId): LogLine {
  const it = `replica ${placeOf(peer)}`
  const message =
    `${it} says that this replica was removed from the set, and its own log does not: if ${it} was told to go on alone ` +
    `(members rebootstrap) although this one lives, end ${it}, and start it with an empty data folder`
  return { kind: 'log', level: 'error', code: 'removed-unknown', message, fields: { peer: placeOf(peer) } }
}
