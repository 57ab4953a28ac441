// A log that was backed up becomes the log of a new set with one voter (decision 0045): as after `rebootstrap`, its own log counts
// whole, the others are given up, and fresh ones are awaited in their places. Written before any replica runs, so that a
// fresh one can't be taken for a voter that the old log has.

import { index, placeOf, term } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { configuration, decodeConfiguration, encodeConfiguration, membersOf } from '../raft/configuration.ts'
import type { RaftEntry, SnapshotMetadata } from '../raft/message.ts'
import { CONFIRMED_CALLS, EARLY_CALLS } from '../session/holds.ts'
import type { Book } from '../store/book.ts'
import { foundersRow } from '../store/book.ts'
import { decodeEntry, encodeBody, encodeEntry, encodeRecord } from '../wire/codec.ts'
import type { BookRow } from '../wire/entry.ts'
import { KNOWN_FORMATS } from '../wire/formats.ts'
import type { FormatNumber } from '../wire/formats.ts'
import { nextEra } from './rebootstrap.ts'
import { makeStore, restoreLog, restoreStore } from './restore.ts'

/** What a disk of the old set said. */
export interface BackedUpLog {
  readonly replica: ReplicaId
  /** With whom it founded the set; none: it joined one. */
  readonly voters: readonly ReplicaId[]
  readonly snapshot: { readonly metadata: SnapshotMetadata; readonly parts: Iterable<Uint8Array> } | null
  readonly records: readonly Uint8Array[]
}

/** What the new disk is to say after that snapshot. */
export interface RestoredLog {
  readonly records: readonly Uint8Array[]
  /** The last entry of the old log. */
  readonly last: number
  readonly calls: { readonly early: number; readonly confirmed: number }
}

/** The format that has a member book. */
const BOOK_FORMAT: FormatNumber = 2

/** `places`: those of the new set's configuration file. An error is a sentence for the user. */
export function restoredLog(
  { replica, voters, snapshot, records }: BackedUpLog,
  places: readonly number[],
): Result<RestoredLog, string> {
  const restored = restoreLog(records, snapshot?.metadata ?? null, KNOWN_FORMATS)
  if (!restored.ok) return restored
  const { state, entries } = restored.value
  const store = makeStore(0)
  restoreStore(store, snapshot?.parts ?? null)
  for (const entry of entries) {
    const decoded = entry.kind === 'normal' ? decodeEntry(entry.data, { oldest: 1, newest: store.format }) : null
    // What can't be read of an entry is passed by all replicas alike.
    if (decoded?.ok === true) store.apply(entry.index, decoded.value)
    else store.applyNoOp(entry.index)
  }
  const last = store.appliedIndex
  if (store.keyGeneration === 0)
    return err('nobody has led that set yet, so there is nothing to restore: start a new set')
  if (store.book.isGone(replica)) {
    return err(`replica ${placeOf(replica)} was removed from its set: take the backup of one that is in it`)
  }
  const known = membersIn(entries) ?? (snapshot === null ? voters : membersOf(snapshot.metadata.configuration))
  const at = term(state.term + 1)
  const added: RaftEntry[] = []
  const add = (kind: RaftEntry['kind'], data: Uint8Array): void => {
    // encodeEntry's bytes are lent.
    added.push({ term: at, index: index(last + 1 + added.length), kind, data: data.slice() })
  }
  add('configuration', encodeConfiguration(configuration([replica])))
  const { lastStamp, book } = store
  if (store.format < BOOK_FORMAT) {
    add('normal', encodeEntry(lastStamp, encodeBody({ kind: 'raise', format: BOOK_FORMAT })))
  }
  const rows = restoredRows(replica, known, places, book)
  if (rows.length > 0) {
    const change = { kind: 'book', replaces: book.version, rows } as const
    add('normal', encodeEntry(lastStamp, encodeBody(change, BOOK_FORMAT)))
  }
  const { format } = store
  return ok({
    records: [
      encodeRecord({ kind: 'state', state: { ...state, term: at, vote: null } }, format),
      ...[...entries, ...added].map((entry) => encodeRecord({ kind: 'entry', entry }, format)),
    ],
    last,
    calls: { early: store.counter(EARLY_CALLS), confirmed: store.counter(CONFIRMED_CALLS) },
  })
}

/** Of the newest configuration there; null = there is none. */
function membersIn(entries: readonly RaftEntry[]): readonly ReplicaId[] | null {
  const newest = entries.findLast(({ kind }) => kind === 'configuration')
  const read = newest === undefined ? null : decodeConfiguration(newest.data)
  return read?.ok === true ? membersOf(read.value) : null
}

/** All others are gone for good; in the places that the new set has, fresh ones are awaited, where its configuration file says. */
function restoredRows(
  self: ReplicaId,
  known: readonly ReplicaId[],
  places: readonly number[],
  book: Book,
): readonly BookRow[] {
  const era = nextEra([self, ...known], book)
  const all = new Set([...known.map(placeOf), ...book.rows.map(({ place }) => place), ...places])
  all.delete(placeOf(self))
  const rows = [...all].map((place): BookRow => {
    const wanted = places.includes(place)
    return { ...foundersRow(place), generation: era, gone: era, wanted, awaited: wanted }
  })
  const own = book.row(placeOf(self))
  if (own !== null) rows.push({ ...own, wanted: true, awaited: false, peer: '', admin: '' })
  return rows.sort((a, b) => a.place - b.place)
}
