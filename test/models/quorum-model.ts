// Quorums against all of them, listed: of a joint configuration, too (thesis 4.3).

import fc from 'fast-check'
import type { ReplicaId } from '../../src/base/brand.ts'
import { replicaId } from '../../src/base/brand.ts'
import type { VoterSet } from '../../src/raft/quorum.ts'
import { agreed, allVoters, outcome, voterSet } from '../../src/raft/quorum.ts'
import { findIn, holds, same } from './model.ts'
import type { Model } from './model.ts'

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 7 }).map(replicaId), { minLength: 1, maxLength: 5 })
const voters = fc.tuple(ids, fc.oneof(fc.constant<ReplicaId[]>([]), ids)).map(([a, b]) => voterSet(a, b))
/** What comes in, one after the other: somebody's vote, and how far it has got. */
const news = fc.array(
  fc.record({ id: fc.integer({ min: 1, max: 7 }), vote: fc.boolean(), value: fc.nat({ max: 9 }) }),
  { maxLength: 12 },
)

export const quorumModel: Model = {
  key: 'quorum',
  name: 'votes and matches are counted as by all quorums, listed one by one; any two of those share a voter',
  find: (search) =>
    findIn(
      fc.property(voters, news, (set, all) => {
        const quorums = allQuorums(set)
        holds(
          'any two quorums share a voter',
          quorums.every((a) => quorums.every((b) => a.some((id) => b.includes(id)))),
        )
        const votes = new Map<number, boolean>()
        const values = new Map<number, number>()
        compare(set, quorums, votes, values)
        for (const { id, vote, value } of all) {
          // The first vote counts; a match rises.
          if (!votes.has(id)) votes.set(id, vote)
          values.set(id, Math.max(value, values.get(id) ?? 0))
          compare(set, quorums, votes, values)
        }
      }),
      search,
    ),
}

/** Every group of voters that is a majority of each half. */
export function allQuorums(set: VoterSet): readonly (readonly ReplicaId[])[] {
  const all = allVoters(set)
  const halves = [set.incoming, set.outgoing].filter((half) => half.length > 0)
  const groups = Array.from({ length: 1 << all.length }, (_, bits) => all.filter((_id, at) => ((bits >> at) & 1) === 1))
  return groups.filter((group) =>
    halves.every((half) => 2 * half.filter((id) => group.includes(id)).length > half.length),
  )
}

function compare(
  set: VoterSet,
  quorums: readonly (readonly ReplicaId[])[],
  votes: ReadonlyMap<number, boolean>,
  values: ReadonlyMap<number, number>,
): void {
  const won = quorums.some((quorum) => quorum.every((id) => votes.get(id) === true))
  const open = quorums.some((quorum) => quorum.every((id) => votes.get(id) !== false))
  same(
    'the vote',
    won ? 'won' : open ? 'pending' : 'lost',
    outcome(set, (id) => votes.get(id)),
  )
  const reached = quorums.map((quorum) => Math.min(...quorum.map((id) => values.get(id) ?? 0)))
  same(
    'what a quorum has reached',
    Math.max(...reached),
    agreed(set, (id) => values.get(id) ?? 0),
  )
}
