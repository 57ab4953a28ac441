import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { index, replicaId, term } from '../base/brand.ts'
import { ok } from '../base/result.ts'
import { decodeRecord, encodeRecord } from '../wire/codec.ts'
import type { FolderOwner } from '../wire/recovery.ts'
import { openDataFolder } from './data-folder.ts'
import type { DataFolder } from './data-folder.ts'
import { openWalFile, segmentPath, Wal } from './wal.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-data-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const log = pino({ enabled: false })
const owner: FolderOwner = { set: '0123456789abcdef', replica: replicaId(2), hasRun: false }

const founds = () => Promise.resolve(ok({ id: replicaId(2), voters: [] }))
const open = (change: Partial<FolderOwner> = {}) => openDataFolder(folder, { ...owner, ...change }, log, founds)

async function opened(change: Partial<FolderOwner> = {}): Promise<DataFolder> {
  const result = await open(change)
  if (!result.ok) throw new Error(result.error)
  return result.value
}

async function complaint(change: Partial<FolderOwner> = {}): Promise<string> {
  const result = await open(change)
  if (!result.ok) return result.error
  result.value.guard.release()
  return 'none'
}

const entry = (at: number): Uint8Array =>
  encodeRecord({
    kind: 'entry',
    entry: { term: term(1), index: index(at), kind: 'normal', data: Buffer.alloc(50, at) },
  })

/** One life that writes these records, each under its own sync. */
async function live(records: readonly Uint8Array[], segmentBytes?: number): Promise<DataFolder> {
  const data = await opened()
  const done = Promise.withResolvers<void>()
  let left = records.length
  const events = {
    durable: () => {
      if (--left === 0) done.resolve()
      else next()
    },
    full: () => undefined,
    fatal: (reason: string) => done.reject(new Error(reason)),
  }
  const wal = new Wal(data.end, events, openWalFile, segmentBytes)
  const next = (): void => wal.append({ records: [records[records.length - left] as Uint8Array] })
  next()
  await done.promise
  await wal.close()
  data.guard.release()
  return data
}

test('each start is a new life of the same incarnation, durable before it is given', async () => {
  const first = await opened()
  first.guard.release()
  expect(first.life).toMatch(/^2\.[0-9a-f]{8}\.1$/)
  expect(first).toMatchObject({ fresh: true, records: [] })
  const second = await opened()
  second.guard.release()
  expect(second.life).toBe(first.life.replace(/1$/, '2'))
  expect(second).toMatchObject({ fresh: false, records: [expect.any(Uint8Array)] })
})

test('a later life has all records of the earlier ones, over segments, and goes on after them', async () => {
  await live([entry(1), entry(2), entry(3), entry(4)], 300)
  expect(existsSync(segmentPath(folder, 2))).toBe(true)
  await live([entry(5)], 300)
  const data = await opened()
  data.guard.release()
  const records = data.records.map((record) => decodeRecord(record))
  const entries = records.flatMap((record) =>
    record.ok && record.value.kind === 'entry' ? [record.value.entry.index] : [],
  )
  expect(entries).toEqual([1, 2, 3, 4, 5])
})

test('a torn end is cut off, and the next life goes on from there', async () => {
  await live([entry(1), entry(2)])
  const path = segmentPath(folder, 1)
  const whole = readFileSync(path)
  writeFileSync(path, whole.subarray(0, whole.length - 7))
  const data = await opened()
  data.guard.release()
  expect(data.records.length).toBe(2)
  const after = await opened()
  after.guard.release()
  expect(after.records.length).toBe(3)
})

test('a flipped bit is told with file and offset, and nothing is changed', async () => {
  await live([entry(1), entry(2), entry(3)])
  const path = segmentPath(folder, 1)
  const bytes = readFileSync(path)
  const place = bytes.indexOf(Buffer.alloc(50, 2))
  bytes[place + 10] = 0xff
  writeFileSync(path, bytes)
  const said = await complaint()
  expect(said).toMatch(/log-000001\.wal is damaged at offset \d+: .*checksum is wrong/)
  expect(Number(/offset (\d+)/.exec(said)?.[1])).toBeLessThan(place)
  expect(readFileSync(path)).toEqual(bytes)
})

test('a torn record in a segment that is not the last is damage', async () => {
  await live([entry(1), entry(2), entry(3), entry(4)], 300)
  const path = segmentPath(folder, 1)
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.subarray(0, bytes.length - 7))
  expect(await complaint()).toContain('log-000001.wal is damaged at offset')
})

test('a missing segment is named', async () => {
  await live([entry(1), entry(2), entry(3), entry(4), entry(5), entry(6), entry(7)], 300)
  expect(existsSync(segmentPath(folder, 3))).toBe(true)
  rmSync(segmentPath(folder, 2))
  expect(await complaint()).toContain('log-000002.wal is missing')
})

test('a segment from elsewhere in the log does not pass for the next one', async () => {
  await live([entry(1), entry(2), entry(3), entry(4), entry(5), entry(6), entry(7)], 300)
  rmSync(segmentPath(folder, 2))
  renameSync(segmentPath(folder, 3), segmentPath(folder, 2))
  expect(await complaint()).toContain('does not follow the segment before it')
})

test('a segment whose making was cut short is removed', async () => {
  await live([entry(1)])
  writeFileSync(segmentPath(folder, 2), '')
  const data = await opened()
  data.guard.release()
  expect(data.end.segment).toBe(1)
  expect(existsSync(segmentPath(folder, 2))).toBe(false)
})

test('a log that is there and empty is not called missing', async () => {
  await live([entry(1)])
  writeFileSync(segmentPath(folder, 1), '')
  expect(await complaint({ hasRun: true })).toContain('log-000001.wal has lost what was in it (0 bytes are left')
  expect(readFileSync(segmentPath(folder, 1))).toHaveLength(0)
})

test('a folder of another set or another replica is refused', async () => {
  await live([entry(1)])
  expect(await complaint({ set: 'f'.repeat(16) })).toContain(
    `belongs to set ${owner.set}, not to set ${'f'.repeat(16)}`,
  )
  expect(await complaint({ replica: replicaId(3) })).toContain('belongs to replica 2 of this set, not to replica 3')
})

test('two processes never share a folder', async () => {
  const data = await opened()
  expect(await complaint()).toBe(`the data folder ${folder} is in use by Holdfast set ${owner.set}, pid ${process.pid}`)
  data.guard.release()
})

test('a replica that has run and lost its log is refused: it could vote twice', async () => {
  expect(await complaint({ hasRun: true })).toContain('has run before, and its log is gone')
})

test('a folder that cannot be written says what to do', async () => {
  const said = await openDataFolder('/proc/holdfast', owner, log, founds)
  expect(said.ok ? '' : said.error).toMatch(
    /^the data folder \/proc\/holdfast can't be written: .*; give another data folder, or the right/,
  )
})

test('a file that is no log of ours is refused', async () => {
  writeFileSync(segmentPath(folder, 1), 'x'.repeat(600))
  expect(await complaint()).toContain('is damaged at offset 0')
})
