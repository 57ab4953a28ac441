// Quorums, counted apart from the code that is checked: a majority of the voters, in a joint configuration of both halves.

import type { ReplicaId } from '../src/base/brand.ts'
import type { VoterSet } from '../src/raft/quorum.ts'

export function isQuorum({ incoming, outgoing }: VoterSet, has: (id: ReplicaId) => boolean): boolean {
  const most = (ids: readonly ReplicaId[]): boolean => 2 * ids.filter(has).length > ids.length
  return most(incoming) && (outgoing.length === 0 || most(outgoing))
}

/** Whether any quorum of one shares a voter with any quorum of the other. */
export function alwaysMeet(a: VoterSet, b: VoterSet): boolean {
  const ids = [...new Set([...a.incoming, ...a.outgoing, ...b.incoming, ...b.outgoing])]
  for (let chosen = 0; chosen < 1 << ids.length; chosen++) {
    const isChosen = (id: ReplicaId): boolean => ((chosen >> ids.indexOf(id)) & 1) === 1
    if (isQuorum(a, isChosen) && isQuorum(b, (id) => !isChosen(id))) return false
  }
  return true
}
