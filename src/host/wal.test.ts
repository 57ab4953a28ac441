import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { must } from '../base/assert.ts'
import { createSegment, openWalFile, segmentPath, Wal } from './wal.ts'
import type { Appended, OpenFile, WalEnd, WalFile } from './wal.ts'
import { readRecords } from '../wire/segment.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-wal-'))
})
afterEach(() => {
  vi.useRealTimers()
  rmSync(folder, { recursive: true })
})

interface Item extends Appended {
  readonly name: string
}

const item = (name: string): Item => ({ name, records: [Buffer.from(name)] })

async function begin(): Promise<WalEnd> {
  const identity = { set: 'a'.repeat(16), replica: 1, incarnation: 'b0' }
  const made = must(await createSegment(folder, identity, 1, 0, openWalFile), 'room')
  await made.file.close()
  return { folder, identity, segment: 1, position: made.position, crc: made.crc, total: made.position }
}

interface Watched {
  readonly wal: Wal<Item>
  /** Names in the order they were reported, batch by batch. */
  readonly batches: string[][]
  readonly full: boolean[]
  readonly fatal: Promise<string>
  /** Resolves once that item is durable. */
  reported(name: string): Promise<void>
}

async function watched(openFile: OpenFile = openWalFile, segmentBytes?: number): Promise<Watched> {
  const batches: string[][] = []
  const full: boolean[] = []
  const fatal = Promise.withResolvers<string>()
  const hopes: { readonly name: string; readonly done: () => void }[] = []
  const events = {
    durable: (items: readonly Item[]) => {
      batches.push(items.map(({ name }) => name))
      for (const { name, done } of hopes) if (batches.flat().includes(name)) done()
    },
    full: (is: boolean) => void full.push(is),
    fatal: fatal.resolve,
  }
  const wal = new Wal<Item>(await begin(), events, openFile, segmentBytes)
  const reported = (name: string): Promise<void> => new Promise((done) => hopes.push({ name, done }))
  return { wal, batches, full, fatal: fatal.promise, reported }
}

/** The records of all segments, without titles. */
function onDisk(): string[] {
  const files = readdirSync(folder).sort()
  return files.flatMap((name) => {
    const reading = readRecords(readFileSync(join(folder, name)), crc32)
    expect(reading.fault).toBe(null)
    return reading.payloads.slice(1).map((bytes) => Buffer.from(bytes).toString())
  })
}

/** A real file with some calls replaced. */
function broken(change: (file: WalFile) => Partial<WalFile>): OpenFile {
  return async (path) => {
    const file = await openWalFile(path)
    return { ...file, ...change(file) }
  }
}

const noSpace = (): Error => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })

test('items are reported in order, each once, and are on the disk by then', async () => {
  const { wal, batches, reported } = await watched()
  const names = Array.from({ length: 50 }, (_, i) => `record ${i}`)
  for (const name of names) wal.append(item(name))
  await reported('record 49')
  expect(batches.flat()).toEqual(names)
  expect(onDisk()).toEqual(names)
  await wal.close()
})

test('group commit: what arrives during a write goes with the next one, as one write', async () => {
  let writes = 0
  const first = Promise.withResolvers<void>()
  const openFile = broken((file) => ({
    write: async (bytes, position) => {
      if (++writes === 1) await first.promise
      return file.write(bytes, position)
    },
  }))
  const { wal, batches, reported } = await watched(openFile)
  const started = vi.waitFor(() => expect(writes).toBe(1))
  wal.append(item('a'))
  await started
  for (const name of ['b', 'c', 'd']) wal.append(item(name))
  expect(batches).toEqual([])
  first.resolve()
  await reported('d')
  expect(batches).toEqual([['a'], ['b', 'c', 'd']])
  expect(writes).toBe(2)
  await wal.close()
})

test('an item without records waits its turn', async () => {
  const { wal, batches, reported } = await watched()
  wal.append(item('a'))
  wal.append({ name: 'nothing', records: [] })
  await reported('nothing')
  expect(batches.flat()).toEqual(['a', 'nothing'])
  await wal.close()
})

test('a write that does not become durable is fatal, is not repeated, and reports nothing durable', async () => {
  let writes = 0
  const openFile = broken(() => ({
    write: () => {
      writes++
      return Promise.reject(new Error('EIO: i/o error, write'))
    },
  }))
  const { wal, batches, fatal } = await watched(openFile)
  wal.append(item('a'))
  expect(await fatal).toBe(`${segmentPath(folder, 1)}: EIO: i/o error, write`)
  wal.append(item('b'))
  expect(writes).toBe(1)
  expect(batches).toEqual([])
})

test('a full disk: nothing is reported, the half-written record is cut off, and all of it goes on once there is room', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  let room = false
  const tight = broken((file) => ({
    // Full after five bytes, as a disk is.
    write: async (bytes, position) => {
      if (room) return file.write(bytes, position)
      if (bytes.length <= 12) throw noSpace()
      return file.write(bytes.subarray(0, 5), position)
    },
  }))
  const { wal, batches, full, reported } = await watched(tight)
  wal.append(item('a'))
  await vi.waitFor(() => expect(full).toEqual([true]))
  wal.append(item('b'))
  expect(batches).toEqual([])
  expect(onDisk()).toEqual([])
  room = true
  const done = reported('b')
  await vi.advanceTimersByTimeAsync(1_000)
  await done
  expect(full).toEqual([true, false])
  expect(onDisk()).toEqual(['a', 'b'])
  await wal.close()
})

test('what waits for a full disk is bounded: then the process ends and says so', async () => {
  const openFile = broken(() => ({ write: () => Promise.reject(noSpace()) }))
  const { wal, full, fatal } = await watched(openFile)
  wal.append(item('a'))
  await vi.waitFor(() => expect(full).toEqual([true]))
  const large = { name: 'large', records: [new Uint8Array(30 * 1_024 * 1_024)] }
  for (let i = 0; i < 3; i++) wal.append(large)
  expect(await fatal).toContain('wait for the full disk')
})

test('a full segment is followed by the next, which names the checksum it follows', async () => {
  const { wal, reported } = await watched(openWalFile, 400)
  const names = Array.from({ length: 20 }, (_, i) => `record ${i}`.padEnd(60, '.'))
  for (const name of names) {
    wal.append(item(name))
    await reported(name)
  }
  expect(readdirSync(folder).length).toBeGreaterThan(2)
  expect(onDisk()).toEqual(names)
  const total = readdirSync(folder).reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0)
  expect(wal.total).toBe(total)
  await wal.close()
})
