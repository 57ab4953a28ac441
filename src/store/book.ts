// The member book (decision 0018): for each place of the set that ever changed, who is to have it, and where. It says what is to
// be; Raft's configuration says what is, and the leader brings that after the book, step by step. As it is in the log, a leader
// that dies halfway leaves the rest to the next one.
//
// A place without a row is as the set was founded: its voter, if the configuration has one, is generation 0.

import { generationOf, memberId, placeOf, index } from '../base/brand.ts'
import type { Index, ReplicaId } from '../base/brand.ts'
import type { BookChange, BookRow } from '../wire/entry.ts'
import type { SnapshotBook } from '../wire/snapshot.ts'
import type { Digest, Fact } from './digest.ts'

export class Book {
  readonly #digest: Digest
  #version: Index = index(0)
  /** Invariant: in rising order of place. */
  #rows: readonly BookRow[] = []

  constructor(digest: Digest) {
    this.#digest = digest
  }

  /** Index of the newest entry; 0 = none. */
  get version(): Index {
    return this.#version
  }

  get rows(): readonly BookRow[] {
    return this.#rows
  }

  row(place: number): BookRow | null {
    return this.#rows.find((row) => row.place === place) ?? null
  }

  /** Whether that incarnation is out of the set for good. */
  isGone(id: ReplicaId): boolean {
    const row = this.row(placeOf(id))
    return row !== null && generationOf(id) <= row.gone
  }

  /** What the book has of a replica that is in the set, or is to be; null = nothing, or of another incarnation. */
  addressOf(id: ReplicaId): BookRow | null {
    const row = this.row(placeOf(id))
    return row !== null && currentId(row) === id ? row : null
  }

  /** Whole, or not at all: generations are never given twice, and what is gone doesn't come back. */
  change(at: Index, { replaces, rows }: BookChange): boolean {
    if (replaces !== this.#version || new Set(rows.map(({ place }) => place)).size !== rows.length) return false
    if (rows.some((row) => !this.#follows(row))) return false
    const others = this.#rows.filter(({ place }) => rows.every((row) => row.place !== place))
    for (const row of this.#rows) if (!others.includes(row)) this.#digest.remove(rowFact(row))
    for (const row of rows) this.#digest.add(rowFact(row))
    if (this.#version > 0) this.#digest.remove(['book', this.#version])
    this.#digest.add(['book', at])
    this.#version = at
    this.#rows = [...others, ...rows].sort((a, b) => a.place - b.place)
    return true
  }

  /** For a snapshot; nothing while there is no row. */
  parts(): readonly SnapshotBook[] {
    return this.#version === 0 ? [] : [{ kind: 'book', version: this.#version, rows: this.#rows }]
  }

  /** As a snapshot has it; what is wrong with that, or null. */
  restore({ version, rows }: SnapshotBook): string | null {
    if (this.#version !== 0) return 'it has a second member book'
    return this.change(version, { kind: 'book', replaces: this.#version, rows }) ? null : 'its member book is none'
  }

  #follows(row: BookRow): boolean {
    const before = this.row(row.place)
    if (row.gone > row.generation) return false
    return before === null || (row.generation >= before.generation && row.gone >= before.gone)
  }
}

/** Who has the place, or is to have it; null = nobody yet, or any more. */
export function currentId({ place, generation, gone }: BookRow): ReplicaId | null {
  return generation > gone ? memberId(place, generation) : null
}

/** The row of a place that is as it was founded. */
export function foundersRow(place: number): BookRow {
  return { place, generation: 0, incarnation: '', gone: -1, wanted: true, awaited: false, peer: '', admin: '' }
}

function rowFact(row: BookRow): Fact {
  const { place, generation, incarnation, gone, wanted, awaited, peer, admin } = row
  return ['row', place, generation, incarnation, gone, wanted ? 1 : 0, awaited ? 1 : 0, peer, admin]
}
