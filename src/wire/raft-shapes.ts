// The shapes of what Raft says and stores (raft/message.ts). Entry data stays bytes: nobody decodes it before it applies.

import { must } from '../base/assert.ts'
import { index } from '../base/brand.ts'
import type { Index } from '../base/brand.ts'
import type { Configuration } from '../raft/configuration.ts'
import type {
  AppendRequest,
  AppendResponse,
  HardState,
  Heartbeat,
  HeartbeatResponse,
  InstallSnapshot,
  RaftEntry,
  RaftMessage,
  ReadIndexRequest,
  ReadIndexResponse,
  SnapshotMetadata,
  TimeoutNow,
  VoteRequest,
  VoteResponse,
} from '../raft/message.ts'
import type { VoterSet } from '../raft/quorum.ts'
import { flag, integer, list, oneOf, orNull, record, variants } from './shape.ts'
import type { RecordShape } from './shape.ts'
import { bytesShape, countShape, indexShape, replicaShape, termShape } from './shapes.ts'

/** Entries of one append: above what a batch of proposals makes. */
const MOST_ENTRIES = 65_536

export const raftEntryShape = record<RaftEntry>({
  term: termShape,
  index: integer<Index>(1),
  kind: oneOf(['normal', 'no-op', 'configuration']),
  data: bytesShape,
})

export const hardStateShape = record<HardState>({ term: termShape, vote: orNull(replicaShape), commit: indexShape })

const head = { from: replicaShape, to: replicaShape, term: termShape }

const voteRequest = record<VoteRequest>({
  kind: oneOf(['pre-vote', 'vote', 'transfer-vote']),
  ...head,
  lastIndex: indexShape,
  lastTerm: termShape,
})
const voteResponse = record<VoteResponse>({
  kind: oneOf(['pre-vote-response', 'vote-response']),
  ...head,
  granted: flag,
})
const append = record<AppendRequest>({
  kind: oneOf(['append']),
  ...head,
  prevIndex: indexShape,
  prevTerm: termShape,
  entries: list(raftEntryShape, MOST_ENTRIES),
  commit: indexShape,
})
/** An entry of an append, format 2: the append's previous index tells its own, and its kind is a number. */
type PackedEntry = Pick<RaftEntry, 'term' | 'data'> & { readonly kind: number }
type PackedAppend = Omit<AppendRequest, 'entries'> & { readonly entries: readonly PackedEntry[] }

const ENTRY_KINDS = ['normal', 'no-op', 'configuration'] as const
const kindNumbers: Readonly<Record<RaftEntry['kind'], number>> = { normal: 0, 'no-op': 1, configuration: 2 }
const packedFields = record<PackedEntry>({
  term: termShape,
  kind: integer(0, ENTRY_KINDS.length - 1),
  data: bytesShape,
})
const packedEntry: RecordShape<RaftEntry> = {
  ...packedFields,
  tidy: ({ term, kind, data }) => ({ term, kind: kindNumbers[kind], data }),
}
const packedAppend = record<AppendRequest>({
  kind: oneOf(['append']),
  ...head,
  prevIndex: integer(0, Number.MAX_SAFE_INTEGER - MOST_ENTRIES),
  prevTerm: termShape,
  entries: list(packedEntry, MOST_ENTRIES),
  commit: indexShape,
})

/** A message as format 2 packed it, as it was. */
export function unpackedMessage(message: RaftMessage): RaftMessage {
  if (message.kind !== 'append') return message
  const { entries, prevIndex } = message as unknown as PackedAppend
  return {
    ...message,
    entries: entries.map(({ term, kind, data }, i) => ({
      term,
      index: index(prevIndex + 1 + i),
      kind: must(ENTRY_KINDS[kind], 'a kind in its bounds'),
      data,
    })),
  }
}

const appendResponse = record<AppendResponse>({
  kind: oneOf(['append-response']),
  ...head,
  index: indexShape,
  rejected: flag,
  hintIndex: indexShape,
  hintTerm: termShape,
})
const heartbeat = record<Heartbeat>({ kind: oneOf(['heartbeat']), ...head, commit: indexShape, context: countShape })
const heartbeatResponse = record<HeartbeatResponse>({
  kind: oneOf(['heartbeat-response']),
  ...head,
  context: countShape,
})
/** Packed as a heartbeat's response is: the same fields, told apart by `kind`. */
const readIndex = record<ReadIndexRequest>({ kind: oneOf(['read-index']), ...head, context: countShape })
const readIndexResponse = record<ReadIndexResponse>({
  kind: oneOf(['read-index-response']),
  ...head,
  context: countShape,
  index: indexShape,
})

const timeoutNow = record<TimeoutNow>({ kind: oneOf(['timeout-now']), ...head })
/** What a configuration in an entry can hold. */
const ids = list(replicaShape, 255)
const voterSet = record<VoterSet>({ incoming: ids, outgoing: ids })
const configuration = record<Configuration>({ voters: voterSet, learners: ids, learnersNext: ids, autoLeave: flag })
export const snapshotMetadataShape = record<SnapshotMetadata>({ index: indexShape, term: termShape, configuration })
const installSnapshot = record<InstallSnapshot>({ kind: oneOf(['snapshot']), ...head, snapshot: snapshotMetadataShape })

const messages = {
  'pre-vote': voteRequest,
  vote: voteRequest,
  'transfer-vote': voteRequest,
  'pre-vote-response': voteResponse,
  'vote-response': voteResponse,
  append,
  'append-response': appendResponse,
  heartbeat,
  'heartbeat-response': heartbeatResponse,
  'read-index': readIndex,
  'read-index-response': readIndexResponse,
  'timeout-now': timeoutNow,
  snapshot: installSnapshot,
}
export const raftMessageShape = variants<RaftMessage>(messages)
/** Format 2. */
export const packedMessageShape = variants<RaftMessage>({ ...messages, append: packedAppend })

export const raftRecords = [
  voteRequest,
  voteResponse,
  append,
  raftEntryShape,
  appendResponse,
  heartbeat,
  heartbeatResponse,
  readIndexResponse,
  timeoutNow,
  installSnapshot,
  snapshotMetadataShape,
  configuration,
  voterSet,
]
/** Those of format 2, which packs an entry of an append otherwise. */
export const packedRecords = raftRecords.map((one) => (one === raftEntryShape ? packedFields : one))
