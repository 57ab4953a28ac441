// Where a replica keeps what must outlive it: a data folder, or nothing at all (design.md 10).

import { randomBytes } from 'node:crypto'
import { statfs } from 'node:fs/promises'
import { unreachable } from '../base/assert.ts'
import { life as makeLife } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import { ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { Persist, SnapshotWrite } from '../replica/effect.ts'
import type { InputBody } from '../replica/input.ts'
import type { FolderOwner } from '../wire/recovery.ts'
import { openDataFolder } from './data-folder.ts'
import type { DataFolder, Identify } from './data-folder.ts'
import { DiskWatch } from './disk-watch.ts'
import { History } from './history.ts'
import { KnownPeers } from './known-peers.ts'
import { hostLimits } from './limits.ts'
import type { Logger } from './log.ts'
import { SnapshotFiles } from './snapshot-files.ts'
import { Wal } from './wal.ts'

export interface Storage {
  readonly life: Life
  readonly id: ReplicaId
  /** With whom it founded the set; none: it joined one; null: its log is too old to say. */
  readonly voters: readonly ReplicaId[] | null
  readonly known: KnownPeers
  /** What was there before this life. */
  readonly snapshot: DataFolder['snapshot']
  readonly records: readonly Uint8Array[]
  /** For complaints. */
  readonly place: string
  start(): void
  persist(persist: Persist): void
  write(write: SnapshotWrite): void
  close(): void
}

export interface StorageEvents {
  readonly log: Logger
  give(input: InputBody): void
  durable(persists: readonly Persist[]): void
  /** The process must end. */
  fatal(reason: string): void
}

/** Opens the data folder and begins a new life there. `keptHistory`: bytes of what snapshots replace (history.ts). */
export async function openDisk(
  folder: string,
  owner: FolderOwner,
  identify: Identify,
  events: StorageEvents,
  keptHistory: number = hostLimits.historyBytes,
): Promise<Result<Storage, string>> {
  const opened = await openDataFolder(folder, owner, events.log, identify)
  if (!opened.ok) return opened
  const { id, voters, life, snapshot, records, end, guard } = opened.value
  const known = KnownPeers.load(folder)
  if (!known.ok) {
    guard.release()
    return known
  }
  const history = new History(folder, keptHistory)
  const disk: DiskWatch = new DiskWatch({
    folder,
    log: events.log,
    total: () => wal.total,
    free: async () => {
      const { bavail, bsize } = await statfs(folder)
      return bavail * bsize
    },
    change: (reason, isFull) => {
      // Calls come before what was.
      if (isFull) void history.clear()
      events.give({ kind: 'disk', reason, full: isFull })
    },
  })
  const wal = new Wal<Persist>(end, {
    durable: (persists) => events.durable(persists),
    full: (full) => disk.write(full),
    fatal: (reason) => events.fatal(`the log can't be written: ${reason}`),
  })
  const snapshots = new SnapshotFiles(end.folder, end.identity, wal, (input) => events.give(input), history)
  return ok({
    life,
    id,
    voters,
    known: known.value,
    snapshot,
    records,
    place: folder,
    start: () => disk.start(),
    persist: (persist) => wal.append(persist),
    write: (write) => snapshots.write(write),
    close: () => {
      disk.close()
      void snapshots.close()
      guard.release()
    },
  })
}

/** No disk: this start is an incarnation of its own. The replica is told so and asks for nothing to be kept. */
export async function openMemory(identify: Identify): Promise<Result<Storage, string>> {
  const incarnation = randomBytes(4).toString('hex')
  const newcomer = await identify(incarnation)
  if (!newcomer.ok) return newcomer
  const { id, voters } = newcomer.value
  return ok({
    life: makeLife(id, incarnation, 1),
    id,
    voters,
    known: KnownPeers.none(),
    snapshot: null,
    records: [],
    place: 'memory',
    start: () => undefined,
    persist: asked,
    write: asked,
    close: () => undefined,
  })
}

function asked(effect: Persist | SnapshotWrite): never {
  return unreachable(effect as never)
}
