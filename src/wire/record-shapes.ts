// The shapes of what a replica's log on disk holds (record.ts). The host adds length and checksum.

import { hardStateShape, raftEntryShape } from './raft-shapes.ts'
import type { DiskRecord, EntryRecord, LifeRecord, StateRecord } from './record.ts'
import { coder, integer, oneOf, record, text, variants } from './shape.ts'
import { versioned } from './versioned.ts'

const life = record<LifeRecord>({
  kind: oneOf(['life']),
  set: text(1, 255),
  replica: integer(1, 999_999),
  incarnation: text(1, 64),
  start: integer(0),
})
const state = record<StateRecord>({ kind: oneOf(['state']), state: hardStateShape })
const entry = record<EntryRecord>({ kind: oneOf(['entry']), entry: raftEntryShape })

const diskRecord = coder('record', variants<DiskRecord>({ life, state, entry }), [
  life,
  state,
  hardStateShape,
  entry,
  raftEntryShape,
])

export const diskFormat = versioned<DiskRecord>('record', { 1: diskRecord, 2: diskRecord })
