import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { index, replicaId, term } from '../base/brand.ts'
import { ok } from '../base/result.ts'
import { configuration } from '../raft/configuration.ts'
import type { SnapshotInput } from '../replica/input.ts'
import type { SnapshotWrite } from '../replica/effect.ts'
import { encodeSnapshotPart } from '../wire/codec.ts'
import { copyDisk } from './backup.ts'
import { openDataFolder } from './data-folder.ts'
import type { DataFolder } from './data-folder.ts'
import { SnapshotFiles } from './snapshot-files.ts'
import { segmentPath, Wal } from './wal.ts'
import type { Appended } from './wal.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-snapshot-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const owner = { set: '0123456789abcdef', replica: replicaId(2), hasRun: false }
const log = pino({ level: 'silent' })
const founds = () => Promise.resolve(ok({ id: replicaId(2), voters: [] }))
const metadata = (at: number) => ({
  index: index(at),
  term: term(3),
  configuration: configuration([1, 2, 3].map(replicaId)),
})
const bytes = (text: string): Uint8Array => Buffer.from(text)
/** The last part of every snapshot. */
const lastPart = encodeSnapshotPart({ kind: 'end', groups: 0, hash: '0123456789abcdef' })
const text = (records: Iterable<Uint8Array>): string[] => [...records].map((record) => Buffer.from(record).toString())
const partsOf = ({ snapshot }: DataFolder): string[] => text(snapshot?.parts ?? []).slice(0, -1)

interface Life {
  readonly data: DataFolder
  readonly wal: Wal<Appended>
  readonly files: SnapshotFiles
  /** Writes a record, beginning a new segment if asked, and waits for it. */
  append(record: string, rotate?: boolean): Promise<void>
  /** Gives a piece and waits for its answer. */
  piece(piece: SnapshotWrite['piece']): Promise<SnapshotInput['outcome']>
  end(): Promise<void>
}

async function begin(change: Partial<typeof owner> = {}): Promise<Life> {
  const opened = await openDataFolder(folder, { ...owner, ...change }, log, founds)
  if (!opened.ok) throw new Error(opened.error)
  const data = opened.value
  let durable = 0
  const wal = new Wal<Appended>(data.end, {
    durable: (items) => void (durable += items.length),
    full: () => undefined,
    fatal: (reason) => {
      throw new Error(reason)
    },
  })
  const answers: SnapshotInput[] = []
  const files = new SnapshotFiles(folder, data.end.identity, wal, (input) => void answers.push(input))
  let number = 0
  return {
    data,
    wal,
    files,
    append: async (record, rotate = false) => {
      const before = durable
      wal.append({ records: [bytes(record)], rotate })
      await vi.waitFor(() => expect(durable).toBe(before + 1))
    },
    piece: async (piece) => {
      files.write({ kind: 'snapshot', number: ++number, piece })
      await vi.waitFor(() => expect(answers.length).toBe(number))
      return answers[number - 1]?.outcome ?? 'failed'
    },
    end: async () => {
      await wal.close()
      await files.close()
      data.guard.release()
    },
  }
}

/** A life that writes `a`, rotates with `b`, and has a snapshot of what was before. */
async function compacted(finish = true): Promise<void> {
  const life = await begin()
  await life.append('a')
  await life.append('b', true)
  expect(await life.piece({ kind: 'begin', metadata: metadata(7) })).toBe('written')
  expect(await life.piece({ kind: 'parts', parts: [bytes('one'), bytes('two')] })).toBe('written')
  expect(await life.piece({ kind: 'parts', parts: [bytes('x'.repeat(3_000_000)), lastPart] })).toBe('written')
  if (finish) expect(await life.piece({ kind: 'finish' })).toBe('finished')
  await life.append('c')
  await life.end()
}

/** Its records after the snapshot, without those of lives. */
const rest = (data: DataFolder): string[] => text(data.records).filter((record) => /^[a-z]$/.test(record))

test('a finished snapshot takes the place of the segments before the rotation; the log goes on after it', async () => {
  await compacted()
  expect(readdirSync(folder).filter((name) => /wal|snap/.test(name))).toEqual([
    'log-000002.wal',
    'snapshot-000000000007-000002.snap',
  ])
  const { data, end } = await begin()
  expect(data.snapshot?.metadata).toEqual(metadata(7))
  expect(partsOf(data)).toEqual(['one', 'two', 'x'.repeat(3_000_000)])
  expect(rest(data)).toEqual(['b', 'c'])
  await end()
})

test('one that was not finished does not count, and goes', async () => {
  await compacted(false)
  expect(existsSync(join(folder, 'snapshot.new'))).toBe(true)
  const { data, end } = await begin()
  expect(data.snapshot).toBe(null)
  expect(rest(data)).toEqual(['a', 'b', 'c'])
  expect(existsSync(join(folder, 'snapshot.new'))).toBe(false)
  await end()
})

test('what a crash left before the newest snapshot goes at the next start', async () => {
  const first = await begin()
  await first.append('a')
  const old = readFileSync(segmentPath(folder, 1))
  await first.end()
  await compacted()
  writeFileSync(segmentPath(folder, 1), old)
  writeFileSync(join(folder, 'snapshot-000000000003-000001.snap'), 'an older one')
  const { data, end } = await begin()
  expect(data.snapshot?.metadata.index).toBe(7)
  expect(rest(data)).toEqual(['b', 'c'])
  expect(readdirSync(folder).filter((name) => /wal|snap/.test(name))).toHaveLength(2)
  await end()
})

test('a second snapshot takes the place of the first; an abandoned one leaves it', async () => {
  await compacted()
  const life = await begin()
  await life.append('d', true)
  await life.piece({ kind: 'begin', metadata: metadata(9) })
  await life.piece({ kind: 'abandon' })
  expect(await life.piece({ kind: 'parts', parts: [bytes('late')] })).toBe('failed')
  await life.append('e', true)
  await life.piece({ kind: 'begin', metadata: metadata(12) })
  await life.piece({ kind: 'parts', parts: [bytes('three'), lastPart] })
  await life.piece({ kind: 'finish' })
  await life.end()
  const { data, end } = await begin()
  expect(data.snapshot?.metadata.index).toBe(12)
  expect(partsOf(data)).toEqual(['three'])
  expect(rest(data)).toEqual(['e'])
  await end()
})

const name = 'snapshot-000000000007-000002.snap'

test.each([
  [
    'a flipped bit',
    (file: Buffer) => Buffer.from(file.map((byte, at) => (at === 2_000_000 ? byte ^ 1 : byte))),
    /\.snap is damaged at offset \d+: its checksum is wrong/,
  ],
  ['a torn end', (file: Buffer) => file.subarray(0, -5), /\.snap is damaged at offset \d+: it is incomplete/],
])('%s in a snapshot is told with file and offset when it is read', async (_what, spoil, said) => {
  await compacted()
  writeFileSync(join(folder, name), spoil(readFileSync(join(folder, name))))
  const { data, end } = await begin()
  expect(() => partsOf(data)).toThrow(said)
  await end()
})

test.each([
  ['of another set', { set: 'f'.repeat(16) }, 'belongs to set 0123456789abcdef, not to set ffffffffffffffff'],
  ['of another replica', { replica: replicaId(3) }, 'belongs to replica 2 of this set, not to replica 3'],
])('a snapshot %s is refused', async (_what, change, said) => {
  await compacted()
  await expect(begin(change)).rejects.toThrow(said)
})

test('without the segment that follows it a snapshot is not enough', async () => {
  await compacted()
  rmSync(segmentPath(folder, 2))
  await expect(begin()).rejects.toThrow('log-000002.wal is missing: the snapshot is followed by it')
})

test('a copy of the disk has a snapshot whole whose place another one takes before it is read', async () => {
  await compacted()
  const copied = await copyDisk(folder, { ...owner, hasRun: true })
  if (!copied.ok) throw new Error(copied.error)
  rmSync(join(folder, 'snapshot-000000000007-000002.snap'))
  const parts = text(copied.value.snapshot?.parts ?? []).slice(0, -1)
  expect(parts.map((part) => part.slice(0, 3))).toEqual(['one', 'two', 'xxx'])
  copied.value.close()
  expect(await copyDisk(folder, { ...owner, hasRun: true })).toMatchObject({ ok: false })
})
