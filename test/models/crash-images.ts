// What a disk may hold after a crash, or after it went bad, made from a short log of the shipping code: every prefix, every torn
// write, every flipped bit, of segments and of a snapshot. A start reads what was synced, and of the write that was under way a
// prefix of its records; or it refuses, and says which file is wrong, and where. It is never silently wrong.

import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { must } from '../../src/base/assert.ts'
import { findSnapshot } from '../../src/host/snapshot-files.ts'
import { makeStore, restoreStore } from '../../src/replica/restore.ts'
import { recoverLog } from '../../src/wire/recovery.ts'
import type { FolderOwner, RecoveredLog, SegmentFile } from '../../src/wire/recovery.ts'
import { frameRecords, SECTOR } from '../../src/wire/segment.ts'
import { Difference, holds, same } from './model.ts'
import type { Model } from './model.ts'
import { owner, writeLog, writeSnapshot } from './written-log.ts'
import type { Laid, WrittenLog, WrittenSnapshot } from './written-log.ts'

export const crashImageModel: Model = {
  key: 'crash images',
  name: 'a start reads what was synced, or refuses and says where: any prefix, torn write or flipped bit of log and snapshot',
  find: async () => {
    const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'holdfast-images-'))) as [string, string]
    try {
      const [log, snapshot] = [await writeLog(folders[0]), await writeSnapshot(folders[1])]
      for (const written of [log, snapshot]) checkLog(written)
      await checkSnapshot(snapshot)
      return null
    } catch (error) {
      if (error instanceof Error) return error.message
      throw error
    } finally {
      for (const folder of folders) rmSync(folder, { recursive: true })
    }
  },
}

/** What a start makes of a log. */
type Reading =
  | { readonly kind: 'read'; readonly log: RecoveredLog }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refused'; readonly reason: string }

function read(files: readonly SegmentFile[], first: number, as: FolderOwner = owner): Reading {
  const result = recoverLog('data', files, as, crc32, first)
  if (!result.ok) return { kind: 'refused', reason: result.error }
  return result.value === null ? { kind: 'nothing' } : { kind: 'read', log: result.value }
}

function checkLog(written: WrittenLog): void {
  const { files, first, records } = written
  const whole = read(files, first)
  same('the log', names(records), whole.kind === 'read' ? namesOf(whole.log) : whole)
  for (const [at, file] of files.entries()) {
    checkPrefixes(written, at, file)
    checkTears(written, at, file)
    checkFlips(written, at, file)
  }
}

/** Segment `at` was the newest one, and this much of it is there; or later ones are, and it is damaged. */
function checkPrefixes({ files, records, first }: WrittenLog, at: number, { name, bytes }: SegmentFile): void {
  for (let length = 0; length < bytes.length; length++) {
    const what = `${name}, ${length} bytes of it`
    const older = files.slice(0, at)
    const cut = { name, bytes: bytes.slice(0, length) }
    const left = records.filter(({ file, to }) => file < name || (file === name && to <= length))
    goesOn(what, [...older, cut], first, left)
    const later = files.slice(at + 1)
    if (later.length === 0) continue
    const refused = read([...older, cut, ...later], first)
    // A cut between two records shows in the segment after it, which names the checksum that it follows.
    const places = [
      `data/${name} is damaged at offset `,
      `data/${later[0]?.name} does not follow`,
      `data/${name} is not a log`,
    ]
    isRefused(`${what}, and later ones`, refused, places, length)
  }
}

/** The last write of the newest segment, of which any of its sectors may be missing, reading as zeros. In one before it, they had
 * been synced: that is damage. */
function checkTears({ files, records, first }: WrittenLog, at: number, { name, bytes }: SegmentFile): void {
  const own = records.filter(({ file }) => file === name)
  for (const batch of new Set(own.map((record) => record.batch))) {
    const under = own.filter((record) => record.batch === batch)
    const from = must(under[0], 'a record of that write').from
    const to = must(under.at(-1), 'a record of that write').to
    const before = records.filter(({ file, to: end }) => file < name || (file === name && end <= from))
    const edges = sectorsOf(from, to)
    for (let missing = 1; missing < 1 << edges.length; missing++) {
      const torn = bytes.slice(0, to)
      for (const [sector, [start, end]] of edges.entries()) if ((missing >> sector) & 1) torn.fill(0, start, end)
      const what = `${name}, sectors ${missing.toString(2)} of its write at ${from} missing`
      const left = under.filter((record) => sameBytes(torn, bytes, record.from, record.to))
      const kept = left.slice(0, left.findIndex((record, i) => record !== under[i]) >>> 0)
      goesOn(what, [...files.slice(0, at), { name, bytes: torn }], first, [...before, ...kept])
      if (to === bytes.length) continue
      const holed = new Uint8Array([...torn, ...bytes.subarray(to)])
      const reading = read([...files.slice(0, at), { name, bytes: holed }], first)
      isRefused(`${what}, and later ones`, reading, [`data/${name} is damaged at offset `], to)
    }
  }
}

/** Every bit of what was synced, the last write too: whoever reads can't know that this one was torn. */
function checkFlips({ files, first }: WrittenLog, at: number, { name, bytes }: SegmentFile): void {
  const flipped = bytes.slice()
  const image = files.map((file, i) => (i === at ? { name, bytes: flipped } : file))
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    flip(flipped, bit)
    const reading = read(image, first)
    isRefused(
      `${name}, bit ${bit % 8} of byte ${bit >> 3} flipped`,
      reading,
      [`data/${name} is damaged at offset `],
      bit >> 3,
    )
    flip(flipped, bit)
  }
}

async function checkSnapshot({ folder, name, store }: WrittenSnapshot): Promise<void> {
  const path = join(folder, name)
  const bytes = new Uint8Array(readFileSync(path))
  same('the snapshot', store.hash(), await readSnapshot(folder))
  const file = openSync(path, 'r+')
  const refused = async (what: string, at: number): Promise<void> => {
    const reading: Reading = { kind: 'refused', reason: await readSnapshot(folder) }
    isRefused(`${name}, ${what}`, reading, [`${path} is damaged at offset `], at)
  }
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const at = bit >> 3
    flip(bytes, bit)
    writeSync(file, bytes, at, 1, at)
    await refused(`bit ${bit & 7} of byte ${at} flipped`, at)
    flip(bytes, bit)
    writeSync(file, bytes, at, 1, at)
  }
  for (let length = bytes.length - 1; length >= 0; length--) {
    ftruncateSync(file, length)
    await refused(`${length} bytes of it`, length)
  }
  writeSync(file, bytes, 0, bytes.length, 0)
  closeSync(file)
  same('the snapshot, mended', store.hash(), await readSnapshot(folder))
  // Without the segment that follows it, it would be as if nothing had happened since.
  isRefused('the snapshot without its log', read([], 2), ['data/log-000002.wal is missing'], Infinity)
}

/** As a replica starts: the hash of its store, or why it doesn't start. */
async function readSnapshot(folder: string): Promise<string> {
  const found = await findSnapshot(folder, owner)
  if (!found.ok) return found.error
  const store = makeStore()
  try {
    restoreStore(store, found.value?.parts ?? null)
    return store.hash()
  } catch (error) {
    return (error as Error).message
  }
}

/** It is read as exactly these records, repaired, written to, and read again. */
function goesOn(what: string, files: readonly SegmentFile[], first: number, left: readonly Laid[]): void {
  // Until its first segment is synced, a replica hasn't run.
  const isNew = left.length === 0 && first === 1
  const reading = read(files, first, { ...owner, hasRun: !isNew })
  if (reading.kind === 'nothing') return holds(`${what}: nothing is read, where ${left.length} records are`, isNew)
  if (reading.kind === 'refused') {
    // The segment that follows a snapshot is synced before the snapshot has its name.
    const isLost = files.length === 1 && left.length === 0
    return holds(`${what}: ${reading.reason}`, isLost)
  }
  same(what, names(left), namesOf(reading.log))
  const { end, repairs } = reading.log
  const more = new Uint8Array(40).fill(9)
  const mended: SegmentFile[] = []
  for (const file of files) {
    const repair = repairs.find(({ name }) => name === file.name)
    if (repair?.kind !== 'remove') mended.push({ name: file.name, bytes: file.bytes.slice(0, repair?.at) })
  }
  const last = must(mended.pop(), 'a segment')
  const framed = frameRecords([more], end.position, end.crc, crc32)
  const grown = { name: last.name, bytes: new Uint8Array([...last.bytes.subarray(0, end.position), ...framed.bytes]) }
  const again = read([...mended, grown], first)
  const all = [...names(left), nameOf(more)]
  same(`${what}, and a record more`, all, again.kind === 'read' ? namesOf(again.log) : again)
}

/** With the file's path, and where: not behind what was changed. */
function isRefused(what: string, reading: Reading, places: readonly string[], most: number): void {
  const reason = reading.kind === 'refused' ? reading.reason : null
  if (reason === null || !places.some((place) => reason.startsWith(place)))
    throw new Difference(`${what} is not refused: ${reason ?? JSON.stringify(reading.kind)}`)
  const offset = Number(/ at offset (\d+):/.exec(reason)?.[1] ?? 0)
  holds(`${what} is refused at offset ${offset}`, offset <= most)
}

function sectorsOf(from: number, to: number): readonly (readonly [number, number])[] {
  const edges: [number, number][] = []
  for (let at = from; at < to;) {
    const end = Math.min(to, (Math.floor(at / SECTOR) + 1) * SECTOR)
    edges.push([at, end])
    at = end
  }
  return edges
}

function sameBytes(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  return a.subarray(from, to).every((byte, i) => byte === b[from + i])
}

function flip(bytes: Uint8Array, bit: number): void {
  bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
}

function namesOf(log: RecoveredLog): readonly string[] {
  return log.records.map(nameOf)
}

function names(records: readonly Laid[]): readonly string[] {
  return records.map(({ bytes }) => nameOf(bytes))
}

function nameOf(bytes: Uint8Array): string {
  return `${bytes.length}:${crc32(bytes)}`
}
