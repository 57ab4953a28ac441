import { expect, test } from 'vitest'
import { memberId } from '../base/brand.ts'
import { isOut } from './peers.ts'

test('out is who is gone, and who was followed before it became a member; not who is newer than the book', () => {
  const peers = {
    // Of place 4 the founder votes, 1 to 3 came and went, 4 is a learner; of place 5 all up to 2 are gone.
    members: [memberId(4, 0), memberId(4, 4), memberId(5, 3)].map((id) => ({ id, peer: null })),
    gone: [
      { place: 4, generation: -1, newest: 4 },
      { place: 5, generation: 2, newest: 3 },
    ],
  }
  const out = (place: number): readonly number[] =>
    [0, 1, 2, 3, 4, 5].filter((generation) => isOut(peers, memberId(place, generation)))
  expect([out(4), out(5), out(6)]).toEqual([[1, 2, 3], [0, 1, 2], []])
})
