// The majority is gone for good, and an operator says so (decisions/0019): one survivor goes on alone. Nobody can check that word,
// but what speaks against it is looked for; and no number that the lost ones may have given out is given again.

import { generationOf, placeOf } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { between } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { outcome } from '../raft/quorum.ts'
import type { Raft } from '../raft/raft.ts'
import type { Book } from '../store/book.ts'
import type { BookRow } from '../wire/entry.ts'
import type { Rebootstrap } from '../wire/member-request.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'

/** What the lost ones gave out and the survivor never heard of is far less. */
const ERA = 1_000

export interface Survivor {
  readonly self: ReplicaId
  readonly raft: Raft
  readonly links: Links
  now(): Instant
  /** When the leader was heard last, or this replica started. */
  contact(): Instant
}

/** Whether a quorum of the voters that this replica knows is linked with it, itself counted: then it isn't the majority that is
 * gone, even if nobody leads just now. */
export function isQuorumLinked({ self, raft, links }: Pick<Survivor, 'self' | 'raft' | 'links'>): boolean {
  const { voters } = raft.configuration
  return voters.incoming.length > 0 && outcome(voters, (id) => id === self || links.isUp(id)) === 'won'
}

/** The other voters, whom it gives up; or why not, as HTTP has it. */
export function lostVoters(
  { place, lose }: Rebootstrap,
  survivor: Survivor,
): readonly ReplicaId[] | { readonly status: number; readonly error: string } {
  const { self, raft, now, contact } = survivor
  const no = (error: string, status = 409) => ({ status, error })
  if (placeOf(self) !== place) {
    return no(`this is replica ${placeOf(self)}: ask replica ${place} itself, at its own admin address`)
  }
  if (raft.leader !== null) return no(`replica ${placeOf(raft.leader)} leads: the set has its quorum`)
  const { voters } = raft.configuration
  const others = [...new Set([...voters.incoming, ...voters.outgoing])].filter((id) => id !== self)
  if (isQuorumLinked(survivor)) {
    const up = others.filter((id) => survivor.links.isUp(id)).map(placeOf)
    return no(`replicas ${up.join(', ')} run, and with them there is a quorum: end those that are to be given up first`)
  }
  // Links to living ones may not be up yet.
  if (between(contact(), now()) < limits.detached)
    return no('a leader was heard, or this replica began, just now: ask again', 503)
  const places = [...new Set(others.map(placeOf))].sort((a, b) => a - b)
  if (places.join() === [...lose].sort((a, b) => a - b).join()) return others
  const list = places.join(',')
  return no(`this gives up replicas ${list} for good, with what only they have: say so, --i-lose ${list}`)
}

/** Those that were given up are gone, and fresh ones are awaited in their places, in a new era of generations. */
export function lostRows(lost: readonly ReplicaId[], book: Book): readonly BookRow[] {
  const era = nextEra(lost, book)
  const rows = new Map<number, BookRow>()
  for (const id of lost) {
    const place = placeOf(id)
    const blank = { incarnation: '', peer: '', admin: '' }
    const known = { ...blank, ...book.row(place) }
    rows.set(place, { ...known, place, generation: era, gone: era, wanted: true, awaited: true })
  }
  return [...rows.values()].sort((a, b) => a.place - b.place)
}

export function nextEra(lost: readonly ReplicaId[], book: Book): number {
  const newest = Math.max(...lost.map(generationOf), ...book.rows.map(({ generation }) => generation))
  return (Math.floor(newest / ERA) + 1) * ERA
}

/** The generation of the next disk of that place: never one that was given out, nor one of an era that is over. */
export function nextGeneration({ generation }: BookRow, rows: readonly BookRow[]): number {
  const newest = Math.max(...rows.map((row) => row.generation))
  return Math.max(generation, Math.floor(newest / ERA) * ERA) + 1
}
