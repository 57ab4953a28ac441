// What must hold of the set's membership at each replica, after each of its steps; for tests and the simulator (L8: that
// configurations which can decide at the same time share a voter in every two quorums is raft/testing/usable.ts's, from all disks).

import { generationOf, placeOf, replicaOf } from '../../base/brand.ts'
import type { ReplicaId } from '../../base/brand.ts'
import { membersOf } from '../../raft/configuration.ts'
import type { Raft } from '../../raft/raft.ts'
import { allVoters } from '../../raft/quorum.ts'
import type { Store } from '../../store/store.ts'

/** What is wrong, or null. `isLossDeclared`: an operator gave up a majority, whose lives may serve for a moment still. */
export function memberFault(store: Store, raft: Raft, isLossDeclared = false): string | null {
  const { configuration, configurationIndex } = raft
  const { book } = store
  const members = membersOf(configuration)
  const gone = members.find((id) => book.isGone(id))
  if (gone !== undefined) return `${gone} is out for good by the book, and in the configuration that is in force`
  const serving = store.serving().members.map(({ life }) => replicaOf(life))
  const ghost = isLossDeclared ? undefined : serving.find((id) => book.isGone(id))
  if (ghost !== undefined) return `${ghost} is out for good by the book, and serves`
  const { incoming } = configuration.voters
  const twice = incoming.find((id, at) => incoming.slice(0, at).some((other) => placeOf(other) === placeOf(id)))
  if (twice !== undefined) return `two incarnations of place ${placeOf(twice)} are to vote`
  // What the configuration rests on may not be applied yet.
  if (store.appliedIndex < configurationIndex || members.length === 0) return null
  const isAllotted = (id: ReplicaId): boolean =>
    generationOf(id) === 0 || generationOf(id) <= (book.row(placeOf(id))?.generation ?? 0)
  const stranger = members.find((id) => !isAllotted(id))
  if (stranger !== undefined) return `${stranger} is in the configuration, and the book never allotted it`
  const voters = allVoters(configuration.voters)
  const left = isLossDeclared ? undefined : serving.find((id) => !voters.includes(id))
  return left === undefined ? null : `${left} serves, and is no voter`
}
