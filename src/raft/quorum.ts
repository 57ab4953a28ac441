// Who decides: quorums of voters, with nothing of Raft's state. A joint configuration (thesis 4.3) needs a majority of both
// halves; outside of one `outgoing` is empty.

import type { ReplicaId } from '../base/brand.ts'
import { assert } from '../base/assert.ts'

export interface VoterSet {
  /** Invariant: sorted, distinct; empty only where nothing is known of the set yet. */
  readonly incoming: readonly ReplicaId[]
  /** Invariant: sorted, distinct. */
  readonly outgoing: readonly ReplicaId[]
}

export type Outcome = 'won' | 'lost' | 'pending'

export function voterSet(incoming: readonly ReplicaId[], outgoing: readonly ReplicaId[] = []): VoterSet {
  assert(incoming.length > 0, 'a configuration has voters')
  return { incoming: sortedIds(incoming), outgoing: sortedIds(outgoing) }
}

/** Everyone with a vote, sorted. */
export function allVoters(voters: VoterSet): readonly ReplicaId[] {
  return voters.outgoing.length === 0 ? voters.incoming : sortedIds([...voters.incoming, ...voters.outgoing])
}

/** The largest value that a quorum has reached: the commit index of matches, the confirmed round of acknowledgements. */
export function agreed(voters: VoterSet, valueOf: (id: ReplicaId) => number): number {
  const incoming = majorityValue(voters.incoming, valueOf)
  return voters.outgoing.length === 0 ? incoming : Math.min(incoming, majorityValue(voters.outgoing, valueOf))
}

/** How a vote stands; undefined = not voted yet. */
export function outcome(voters: VoterSet, voteOf: (id: ReplicaId) => boolean | undefined): Outcome {
  const incoming = majorityOutcome(voters.incoming, voteOf)
  const outgoing = voters.outgoing.length === 0 ? 'won' : majorityOutcome(voters.outgoing, voteOf)
  if (incoming === 'lost' || outgoing === 'lost') return 'lost'
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending'
}

function majority(count: number): number {
  return Math.floor(count / 2) + 1
}

function majorityValue(ids: readonly ReplicaId[], valueOf: (id: ReplicaId) => number): number {
  // Few, and asked for several times a turn: sorted by insertion, highest first.
  const values: number[] = []
  for (const id of ids) {
    const value = valueOf(id)
    let at = values.length
    for (; at > 0 && (values[at - 1] as number) < value; at--) values[at] = values[at - 1] as number
    values[at] = value
  }
  return values[majority(ids.length) - 1] as number
}

function majorityOutcome(ids: readonly ReplicaId[], voteOf: (id: ReplicaId) => boolean | undefined): Outcome {
  const votes = ids.map(voteOf)
  const needed = majority(ids.length)
  if (votes.filter((vote) => vote === true).length >= needed) return 'won'
  return votes.filter((vote) => vote !== false).length < needed ? 'lost' : 'pending'
}

/** Each once, in order. */
export function sortedIds(ids: readonly ReplicaId[]): readonly ReplicaId[] {
  return [...new Set(ids)].sort((a, b) => a - b)
}
