// What a replica's log on disk holds, one record a value. Records are only ever appended: an entry with an index that was
// written before replaces that one and all after it.

import type { RaftEntry } from '../raft/message.ts'
import type { HardState } from '../raft/message.ts'

/** Written and synced by the host at each start, before anything leaves: the next life of this identity. */
export interface LifeRecord {
  readonly kind: 'life'
  /** The set's id: a folder of another set is refused. */
  readonly set: string
  readonly replica: number
  readonly incarnation: string
  readonly start: number
}

export interface StateRecord {
  readonly kind: 'state'
  readonly state: HardState
}

export interface EntryRecord {
  readonly kind: 'entry'
  readonly entry: RaftEntry
}

export type DiskRecord = LifeRecord | StateRecord | EntryRecord
