// What a disk says: the last term and vote, and the log that its records leave when replayed in order.

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { index, term } from '../base/brand.ts'
import { restoredFault } from '../raft/config.ts'
import type { Restored } from '../raft/config.ts'
import type { HardState, RaftEntry } from '../raft/message.ts'
import { decodeRecord } from '../wire/codec.ts'

/** Replays records. An entry replaces that of its index and drops all after; a gap is damage, told with the record. */
export function restoreLog(records: readonly Uint8Array[]): Result<Restored, string> {
  let state: HardState = { term: term(0), vote: null, commit: index(0) }
  const entries: RaftEntry[] = []
  for (let number = 0; number < records.length; number++) {
    const record = decodeRecord(records[number] as Uint8Array)
    if (!record.ok) return err(`record ${number + 1}: ${record.error}`)
    switch (record.value.kind) {
      case 'life':
        break
      case 'state':
        state = record.value.state
        break
      case 'entry': {
        const { entry } = record.value
        if (entry.index > entries.length + 1) {
          return err(`record ${number + 1}: entry ${entry.index} follows entry ${entries.length}`)
        }
        entries.length = entry.index - 1
        entries.push(entry)
      }
    }
  }
  const fault = restoredFault({ state, entries })
  return fault === null ? ok({ state, entries }) : err(fault)
}
