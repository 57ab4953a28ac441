// Data folders of a set that has run: a snapshot of a full store and the log after it, as the shipping code writes them. So the
// benchmark need not bring a million entities through the log first.

import { once } from 'node:events'
import { pino } from 'pino'
import { index, life, replicaId, term } from '../../src/base/brand.ts'
import { ok } from '../../src/base/result.ts'
import { stamp } from '../../src/base/instant.ts'
import type { SetConfig } from '../../src/host/config.ts'
import { openDataFolder } from '../../src/host/data-folder.ts'
import { SnapshotFiles } from '../../src/host/snapshot-files.ts'
import { Wal } from '../../src/host/wal.ts'
import type { Appended } from '../../src/host/wal.ts'
import { configuration } from '../../src/raft/configuration.ts'
import type { SnapshotWrite } from '../../src/replica/effect.ts'
import { limits } from '../../src/replica/limits.ts'
import { makeStore } from '../../src/replica/restore.ts'
import type { Store } from '../../src/store/store.ts'
import { encodeRecord, encodeSnapshotPart } from '../../src/wire/codec.ts'
import type { EntryBody } from '../../src/wire/entry.ts'
import { commitOf } from './load-door.ts'
import type { Shape } from './load-door.ts'

/** Fills the folders of these replicas, all with the same. */
export async function fillFolders(config: SetConfig, replicas: readonly number[], shape: Shape): Promise<void> {
  const store = fullStore(shape)
  for (const id of replicas) {
    const folder = config.replicas.find((replica) => replica.id === id)?.data ?? ''
    await writeFolder(folder, config.set, id, store)
  }
}

function fullStore(shape: Shape): Store {
  const store = makeStore()
  const apply = (body: EntryBody): void => void store.apply(index(store.appliedIndex + 1), { stamp: stamp(1), body })
  const lives = [1, 2, 3].map((id) => life(replicaId(id), 'before', 1))
  apply({ kind: 'serving', replaces: store.serving().version, admit: lives, remove: [] })
  for (let n = 0; n < shape.groups; n++) {
    const commit = commitOf(store, shape, n, n + 1)
    if (commit !== null) apply(commit)
  }
  return store
}

async function writeFolder(folder: string, set: string, id: number, store: Store): Promise<void> {
  const owner = { set, replica: replicaId(id), hasRun: false }
  const founder = ok({ id: replicaId(id), voters: [1, 2, 3].map(replicaId) })
  const opened = await openDataFolder(folder, owner, pino({ enabled: false }), () => Promise.resolve(founder))
  if (!opened.ok) throw new Error(opened.error)
  const { end, guard } = opened.value
  const durable = Promise.withResolvers<void>()
  const wal = new Wal<Appended>(end, {
    durable: () => durable.resolve(),
    full: () => durable.reject(new Error(`the disk of ${folder} is full`)),
    fatal: (reason) => durable.reject(new Error(reason)),
  })
  const at = store.appliedIndex
  const state = { term: term(1), vote: null, commit: at }
  wal.append({ records: [encodeRecord({ kind: 'state', state })], rotate: true })
  await durable.promise

  const answers = new EventTarget()
  let refused: string | null = null
  const files = new SnapshotFiles(folder, end.identity, wal, ({ outcome, reason }) => {
    if (outcome === 'failed') refused = reason
    answers.dispatchEvent(new Event('answer'))
  })
  let number = 0
  const write = async (piece: SnapshotWrite['piece']): Promise<void> => {
    const answered = once(answers, 'answer')
    files.write({ kind: 'snapshot', number: ++number, piece })
    await answered
    if (refused !== null) throw new Error(refused)
  }
  const metadata = { index: at, term: term(1), configuration: configuration([1, 2, 3].map(replicaId)) }
  await write({ kind: 'begin', metadata })
  const cursor = store.snapshot(limits.snapshotAside)
  while (cursor.state === 'open') {
    await write({ kind: 'parts', parts: cursor.next(1 << 20, (part) => encodeSnapshotPart(part)) })
  }
  await write({ kind: 'finish' })
  await wal.close()
  await files.close()
  guard.release()
}
