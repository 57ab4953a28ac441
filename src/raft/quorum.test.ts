import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ReplicaId } from '../base/brand.ts'
import { replicaId } from '../base/brand.ts'
import { agreed, allVoters, outcome, voterSet } from './quorum.ts'

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 9 }).map(replicaId), { minLength: 1, maxLength: 7 })
const halves = fc.tuple(ids, fc.oneof(fc.constant<ReplicaId[]>([]), ids))

/** By the definition: whether those for whom `says` holds are a majority of each half. */
function isQuorum(voters: readonly (readonly ReplicaId[])[], says: (id: ReplicaId) => boolean): boolean {
  return voters.every((half) => half.length === 0 || half.filter(says).length * 2 > half.length)
}

describe('quorum', () => {
  it('agrees on the largest value that a quorum has reached', () => {
    fc.assert(
      fc.property(
        halves,
        fc.array(fc.nat({ max: 5 }), { minLength: 10, maxLength: 10 }),
        ([incoming, outgoing], values) => {
          const valueOf = (id: ReplicaId): number => values[id] ?? 0
          const naive = [5, 4, 3, 2, 1, 0].find((value) => isQuorum([incoming, outgoing], (id) => valueOf(id) >= value))
          expect(agreed(voterSet(incoming, outgoing), valueOf)).toBe(naive)
        },
      ),
    )
  })

  it('a vote is won with a quorum, lost when no quorum is left, and else pending', () => {
    const votes = fc.array(fc.constantFrom(true, false, undefined), { minLength: 10, maxLength: 10 })
    fc.assert(
      fc.property(halves, votes, ([incoming, outgoing], given) => {
        const voteOf = (id: ReplicaId): boolean | undefined => given[id]
        const won = isQuorum([incoming, outgoing], (id) => voteOf(id) === true)
        const open = isQuorum([incoming, outgoing], (id) => voteOf(id) !== false)
        expect(outcome(voterSet(incoming, outgoing), voteOf)).toBe(won ? 'won' : open ? 'pending' : 'lost')
      }),
    )
  })

  it('any two quorums of a configuration share a voter', () => {
    fc.assert(
      fc.property(halves, fc.nat(), fc.nat(), ([incoming, outgoing], a, b) => {
        const voters = voterSet(incoming, outgoing)
        const picks = (bits: number) => (id: ReplicaId) => (bits >> id) % 2 === 1
        const isWon = (bits: number): boolean => outcome(voters, picks(bits)) === 'won'
        const shared = allVoters(voters).some((id) => picks(a)(id) && picks(b)(id))
        expect(shared || !isWon(a) || !isWon(b)).toBe(true)
      }),
    )
  })

  it('lists voters sorted, each once', () => {
    expect(allVoters(voterSet([3, 1, 2].map(replicaId), [2, 5].map(replicaId)))).toEqual([1, 2, 3, 5])
    expect(() => voterSet([])).toThrow('has voters')
  })
})
