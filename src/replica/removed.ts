// What is said when a replica is not in its set any more, or is told so by one that may be wrong.

import { generationOf, placeOf } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import type { LogLine } from './effect.ts'

export function removedText(id: ReplicaId): string {
  const who = `replica ${placeOf(id)} (incarnation ${generationOf(id)} of its place)`
  return `${who} was removed from the set: to let it join anew, start it with an empty data folder, after holdfast members add`
}

export function contradiction(peer: ReplicaId): LogLine {
  const it = `replica ${placeOf(peer)}`
  const message =
    `${it} says that this replica was removed from the set, and its own log does not: if ${it} was told to go on alone ` +
    `(members rebootstrap) although this one lives, end ${it}, and start it with an empty data folder`
  return { kind: 'log', level: 'error', code: 'removed-unknown', message, fields: { peer: placeOf(peer) } }
}
