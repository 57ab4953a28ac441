// Resources are an oracle too: with compaction, what a replica keeps of its log is bounded, on disk and in memory, however long
// it ran. Looked at when all is quiet, for a snapshot may fail, and then the log is kept until the next one.

import type { Machine } from '../machine.ts'
import type { Plan } from '../plan.ts'
import type { Checker, Report } from './checker.ts'

/** What may be written while one snapshot is on its way, and the next one is not due yet. */
const spare = 50_000
/** Bytes of the smallest record of an entry. */
const leastRecord = 40

export class Compacted implements Checker {
  readonly #compaction: NonNullable<Plan['compaction']>
  readonly #report: Report

  constructor(compaction: NonNullable<Plan['compaction']>, report: Report) {
    this.#compaction = compaction
    this.#report = report
  }

  quiet(machines: readonly Machine[]): void {
    const { every, kept } = this.#compaction
    for (const { id, disk, replica } of machines) {
      const bytes = disk.records.reduce((sum, { length }) => sum + length, 0)
      if (bytes > 2 * every + spare) {
        this.#report('bounded', `replica ${id} has ${bytes} bytes of log; it is to be compacted behind each ${every}`)
      }
      if (replica === null) continue
      const { log } = replica.raft.inspect()
      const entries = log.last - log.first + 1
      // Each has a record, but for those kept behind the snapshot; one more snapshot may be about to finish. One that gave way to
      // a leader's is on disk and not in memory, until the next one.
      if (entries > 2 * (kept + disk.records.length) + every / leastRecord) {
        this.#report('bounded', `replica ${id} has ${entries} entries in memory; ${kept} are to be kept`)
      }
    }
  }
}
