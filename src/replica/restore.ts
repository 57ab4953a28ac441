// What a disk says: the last term and vote, and the log that its records leave when replayed in order.

import { must } from '../base/assert.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { index, term } from '../base/brand.ts'
import { random } from '../base/random.ts'
import { callEvents } from '../call/events.ts'
import { restoredFault } from '../raft/config.ts'
import type { Restored } from '../raft/config.ts'
import type { HardState, RaftEntry, SnapshotMetadata } from '../raft/message.ts'
import { Raft } from '../raft/raft.ts'
import { SlabIndex } from '../store/slab-index.ts'
import { Store } from '../store/store.ts'
import { decodeRecord, decodeSnapshotPart } from '../wire/codec.ts'
import { KNOWN_FORMATS, reads, unreadable } from '../wire/formats.ts'
import type { Formats } from '../wire/formats.ts'
import type { LifeRecord } from '../wire/record.ts'
import { limits } from './limits.ts'
import type { Compaction, ReplicaOptions } from './options.ts'

const contradiction = 'the log on disk contradicts itself'

/** Replays records after a snapshot. An entry of another term than that of its index replaces it and drops all after; the same
 * one comes again when a rotation wrote it again: a crash may have kept only some of those, and what follows stays. A gap is
 * damage, told with the record. */
export function restoreLog(
  records: readonly Uint8Array[],
  snapshot: SnapshotMetadata | null,
  formats: Formats,
): Result<Restored, string> {
  const start = snapshot?.index ?? 0
  let state: HardState = { term: term(0), vote: null, commit: index(0) }
  const entries: RaftEntry[] = []
  for (let number = 0; number < records.length; number++) {
    const bytes = records[number] as Uint8Array
    const format = must(bytes[0], 'a record is not empty')
    if (!reads(formats, format)) return err(`its log has records of ${unreadable(format, formats)}`)
    const record = decodeRecord(bytes, formats)
    if (!record.ok) return err(`${contradiction}: record ${number + 1}: ${record.error}`)
    switch (record.value.kind) {
      case 'life':
        break
      case 'state':
        state = record.value.state
        break
      case 'entry': {
        const { entry } = record.value
        if (entry.index > start + entries.length + 1) {
          return err(
            `${contradiction}: record ${number + 1}: entry ${entry.index} follows entry ${start + entries.length}`,
          )
        }
        // What the snapshot has was written again only so that the segment stands alone.
        if (entry.index <= start || entries[entry.index - start - 1]?.term === entry.term) break
        entries.length = entry.index - start - 1
        entries.push(entry)
      }
    }
  }
  const restored = { state, entries, snapshot }
  const fault = restoredFault(restored)
  return fault === null ? ok(restored) : err(`${contradiction}: ${fault}`)
}

/** The consensus as its disk left it. Throws only if the disk's records contradict themselves. */
export function restoreRaft(options: ReplicaOptions): Raft {
  const { id, voters, seed, raft, records, snapshot } = options
  const restored = restoreLog(records, snapshot?.metadata ?? null, formatsOf(options))
  if (!restored.ok) throw new Error(restored.error)
  const config = {
    id,
    voters,
    random: random(seed),
    electionTimeout: limits.silence,
    electionSpread: limits.electionSpread,
    heartbeat: limits.heartbeat,
    prompt: limits.prompt,
    maxAppendEntries: raft?.appendEntries ?? limits.appendEntries,
    maxAppendBytes: limits.appendBytes,
    maxInflight: raft?.inflight ?? limits.inflight,
    maxInflightBytes: limits.inflightBytes,
    maxUncommittedBytes: limits.uncommittedBytes,
    maxCommittedBytes: limits.appliedBytes,
    lazyCommit: true,
  }
  return new Raft(config, restored.value, options.now)
}

/** Fills an empty store with a snapshot's parts. Throws if they are not what a disk of ours holds. */
export function restoreStore(
  store: Store,
  parts: Iterable<Uint8Array> | null,
  formats: Formats = KNOWN_FORMATS,
): Store {
  if (parts === null) return store
  let isWhole = false
  for (const bytes of parts) {
    const part = decodeSnapshotPart(bytes, formats)
    const fault = part.ok ? store.restore(part.value) : part.error
    if (fault !== null) throw new Error(`the snapshot can't be used: ${fault}`)
    if (part.ok && part.value.kind === 'end') isWhole = true
  }
  if (!isWhole) throw new Error('the snapshot has no end')
  return store
}

/** `keptEvents`: how many events it keeps (decision 0032); 0 = none are made. */
export function makeStore(keptEvents: number = limits.keptEvents): Store {
  const follow = keptEvents === 0 ? undefined : { by: callEvents, keep: keptEvents }
  return new Store(new SlabIndex(), { deleteSlack: limits.deleteSlack, history: limits.servingHistory, follow })
}

/** The record that this start's disk has had since before it (host/data-folder.ts). */
export function lifeRecordOf({ set, id, life }: Pick<ReplicaOptions, 'set' | 'id' | 'life'>): LifeRecord {
  const [, incarnation, start] = /^\d+\.(.+)\.(\d+)$/.exec(life) ?? []
  return { kind: 'life', set, replica: id, incarnation: must(incarnation, 'a life has one'), start: Number(start) }
}

/** What this replica reads. */
export function formatsOf({ formats }: ReplicaOptions): Formats {
  return formats ?? KNOWN_FORMATS
}

export function isInMemory({ durability }: ReplicaOptions): boolean {
  return durability === 'memory'
}

export function compactionOf({ compaction }: ReplicaOptions): { readonly compaction: Compaction } {
  return {
    compaction: { every: limits.snapshotBytes, kept: limits.keptEntries, piece: limits.snapshotPiece, ...compaction },
  }
}
