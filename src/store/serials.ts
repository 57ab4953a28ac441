// Which commits of a life the log has had (design.md 3): a serial that was applied or rejected is consumed, and one below the
// life's highest `lowestOpen` was; a proposal that comes again must not revive a group that was deleted meanwhile.
//
// Invariant: each serial of a life has at most one outcome other than `duplicate` while that life's process can be alive.
//
// A life's table begins when it is admitted and lives on when it is removed: it may be suspected wrongly, propose on, and
// be admitted again, its serials continuing. It is dropped when another life of the same replica is admitted: then the
// process is gone, and whatever of its proposals still comes is `not-owner` for ever, for `since` can't match: it is the
// index of a later entry. So there is at most one table a replica. A life without a table never served.

import type { Life } from '../base/brand.ts'
import type { SnapshotSerials } from '../wire/snapshot.ts'
import type { Digest } from './digest.ts'
import { byText } from './order.ts'

/** Serials of one life between its lowest open and its newest: far more than an owner has open. Older ones count as
 * consumed. */
const WINDOW = 65_536

interface Table {
  /** All below are consumed. */
  lowest: number
  /** Those consumed from there on. */
  readonly consumed: Set<number>
}

export class Serials {
  readonly #tables = new Map<Life, Table>()
  readonly #digest: Digest

  constructor(digest: Digest) {
    this.#digest = digest
  }

  knows(life: Life): boolean {
    return this.#tables.has(life)
  }

  lives(): Iterable<Life> {
    return this.#tables.keys()
  }

  begin(life: Life): void {
    if (this.#tables.has(life)) return
    this.#tables.set(life, { lowest: 1, consumed: new Set() })
    this.#digest.add(['lowest', life, 1])
  }

  /** All tables, for a snapshot. */
  tables(): readonly SnapshotSerials[] {
    return [...this.#tables]
      .map(([life, { lowest, consumed }]) => ({ life, lowest, consumed: [...consumed].sort((a, b) => a - b) }))
      .sort((a, b) => byText(a.life, b.life))
  }

  /** As a snapshot has it. */
  restore(tables: readonly SnapshotSerials[]): void {
    for (const { life, lowest, consumed } of tables) {
      this.#tables.set(life, { lowest, consumed: new Set(consumed) })
      this.#digest.add(['lowest', life, lowest])
      for (const serial of this.#tables.get(life)?.consumed ?? []) this.#digest.add(['serial', life, serial])
    }
  }

  drop(life: Life): void {
    const table = this.#tables.get(life)
    if (table === undefined) return
    this.#digest.remove(['lowest', life, table.lowest])
    for (const serial of table.consumed) this.#digest.remove(['serial', life, serial])
    this.#tables.delete(life)
  }

  /** Takes a serial: false if it was consumed before. Then nothing changes. */
  consume(life: Life, serial: number, lowestOpen: number): boolean {
    const table = this.#tables.get(life)
    if (table === undefined || serial < table.lowest || table.consumed.has(serial)) return false
    table.consumed.add(serial)
    this.#digest.add(['serial', life, serial])
    this.#raise(life, table, Math.max(lowestOpen, serial - WINDOW))
    return true
  }

  #raise(life: Life, table: Table, lowest: number): void {
    if (lowest <= table.lowest) return
    this.#digest.remove(['lowest', life, table.lowest])
    this.#digest.add(['lowest', life, lowest])
    // Serials come nearly in order, so those to forget are the set's first.
    for (const serial of lowest - table.lowest > table.consumed.size
      ? [...table.consumed]
      : range(table.lowest, lowest)) {
      if (serial < lowest && table.consumed.delete(serial)) this.#digest.remove(['serial', life, serial])
    }
    table.lowest = lowest
  }
}

function* range(from: number, to: number): Generator<number> {
  for (let at = from; at < to; at++) yield at
}
