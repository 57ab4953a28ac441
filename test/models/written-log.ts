// A short log as the shipping code writes it, in a real folder, and what of it was synced when: what crash images are made of.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { index, replicaId, term } from '../../src/base/brand.ts'
import { latin1Bytes } from '../../src/base/bytes.ts'
import { stamp } from '../../src/base/instant.ts'
import { ok } from '../../src/base/result.ts'
import { openDataFolder } from '../../src/host/data-folder.ts'
import { SnapshotFiles } from '../../src/host/snapshot-files.ts'
import { openWalFile, Wal } from '../../src/host/wal.ts'
import type { Appended } from '../../src/host/wal.ts'
import { configuration } from '../../src/raft/configuration.ts'
import type { SnapshotWrite } from '../../src/replica/effect.ts'
import type { Store } from '../../src/store/store.ts'
import { group, put, served } from '../../src/store/testing/log.ts'
import { encodeRecord, encodeSnapshotPart } from '../../src/wire/codec.ts'
import type { FolderOwner, SegmentFile } from '../../src/wire/recovery.ts'
import { isSegmentName } from '../../src/wire/recovery.ts'
import type { DiskRecord } from '../../src/wire/record.ts'
import { HEAD_BYTES } from '../../src/wire/segment.ts'

const founds = () => Promise.resolve(ok({ id: replicaId(2), voters: [] }))
export const owner: FolderOwner = { set: '0123456789abcdef', replica: replicaId(2), hasRun: true }

/** A record, where it lies, and which write it came with. */
export interface Laid {
  readonly bytes: Uint8Array
  readonly file: string
  readonly from: number
  readonly to: number
  readonly batch: number
}

export interface WrittenLog {
  readonly files: readonly SegmentFile[]
  /** Every record after titles, in order; all were synced, batch by batch. */
  readonly records: readonly Laid[]
  /** The segments that a start reads begin here. */
  readonly first: number
}

export interface WrittenSnapshot extends WrittenLog {
  readonly folder: string
  readonly name: string
  /** The store that it is of. */
  readonly store: Store
}

const logger = pino({ enabled: false })

/** A few segments of a few small writes; one write in each lies in several sectors. */
export async function writeLog(folder: string): Promise<WrittenLog> {
  const life = await begin(folder)
  for (const batch of [...batches(1), ...batches(8)]) await life.append(batch)
  await life.end()
  return life.written(1)
}

/** A log with a snapshot, and a segment after it. */
export async function writeSnapshot(folder: string): Promise<WrittenSnapshot> {
  const life = await begin(folder)
  const [before, after] = [batches(1), batches(4)]
  for (const batch of before.slice(0, 2)) await life.append(batch)
  await life.append(after[0] ?? [], true)
  const { store } = filled()
  const at = store.appliedIndex
  const cursor = store.snapshot(1 << 20)
  const metadata = { index: at, term: term(1), configuration: configuration([1, 2, 3].map(replicaId)) }
  await life.piece({ kind: 'begin', metadata })
  while (cursor.state === 'open')
    await life.piece({ kind: 'parts', parts: cursor.next(100, (part) => encodeSnapshotPart(part)) })
  await life.piece({ kind: 'finish' })
  await life.end()
  const name = readdirSync(folder).find((each) => each.endsWith('.snap')) ?? ''
  return { ...life.written(2), folder, name, store }
}

function filled(): { readonly store: Store } {
  const log = served()
  for (let i = 1; i <= 2; i++) {
    log.now = stamp(log.now + 7)
    log.commit(group(i), { puts: [put(0, 'a', [i, 255]), put(0, 'b', [7])] })
  }
  return log
}

/** Four writes: term and vote with an entry, one that fills sectors, a short one, and a last one that ends in zeros. */
function batches(at: number): readonly (readonly DiskRecord[])[] {
  const state: DiskRecord = { kind: 'state', state: { term: term(at), vote: replicaId(2), commit: index(0) } }
  const entry = (place: number, text: string): DiskRecord => ({
    kind: 'entry',
    entry: { term: term(at), index: index(at + place), kind: 'normal', data: latin1Bytes(text) },
  })
  return [
    [state, entry(0, 'INVITE sip:bob SIP/2.0')],
    [entry(1, 'x'.repeat(300)), entry(2, 'y'.repeat(300)), entry(3, 'z')],
    [entry(4, 'a'), entry(5, 'BYE'.repeat(30))],
    [entry(6, `an end ${'\0'.repeat(9)}`)],
  ]
}

interface Writer {
  append(records: readonly DiskRecord[], rotate?: boolean): Promise<void>
  piece(piece: SnapshotWrite['piece']): Promise<void>
  end(): Promise<void>
  written(first: number): WrittenLog
}

async function begin(folder: string): Promise<Writer> {
  const opened = await openDataFolder(folder, { ...owner, hasRun: false }, logger, founds)
  if (!opened.ok) throw new Error(opened.error)
  const { end, guard } = opened.value
  const records: Laid[] = []
  let batch = 0
  // The life's record was written and synced by the start.
  lay(records, folder, batch)
  let durable = Promise.withResolvers<void>()
  const events = {
    durable: () => durable.resolve(),
    full: () => undefined,
    fatal: (reason: string) => durable.reject(new Error(reason)),
  }
  const wal = new Wal<Appended>(end, events, openWalFile, 1_000)
  let answered = Promise.withResolvers<string>()
  const files = new SnapshotFiles(folder, end.identity, wal, ({ outcome, reason }) =>
    answered.resolve(outcome + reason),
  )
  let number = 0
  return {
    append: async (batchOf, rotate = false) => {
      durable = Promise.withResolvers<void>()
      const bytes = batchOf.map((record) => encodeRecord(record))
      wal.append({ records: bytes, rotate })
      await durable.promise
      lay(records, folder, ++batch)
    },
    piece: async (piece) => {
      answered = Promise.withResolvers<string>()
      files.write({ kind: 'snapshot', number: ++number, piece })
      const outcome = await answered.promise
      if (outcome.startsWith('failed')) throw new Error(outcome)
    },
    end: async () => {
      await wal.close()
      await files.close()
      guard.release()
    },
    written: (first) => {
      const all = segmentsIn(folder)
      const names = new Set(all.map(({ name }) => name))
      return { files: all, records: records.filter(({ file }) => names.has(file)), first }
    },
  }
}

function segmentsIn(folder: string): readonly SegmentFile[] {
  const names = readdirSync(folder).filter(isSegmentName).sort()
  return names.map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }))
}

/** What the newest segment has beyond what is known of it: the records of that write, by their lengths. */
function lay(records: Laid[], folder: string, batch: number): void {
  const { name, bytes } = segmentsIn(folder).at(-1) as SegmentFile
  const view = new DataView(bytes.buffer)
  const last = records.at(-1)
  let from = last?.file === name ? last.to : HEAD_BYTES + view.getUint32(0, true)
  while (from < bytes.length) {
    const to = from + HEAD_BYTES + view.getUint32(from, true)
    records.push({ bytes: bytes.slice(from + HEAD_BYTES, to), file: name, from, to, batch })
    from = to
  }
}
