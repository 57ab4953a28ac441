// One replica's data folder: whose it is, what it remembers, and that nobody else writes there. Opening it begins a new
// life (design.md, words): the record of that is synced before anything leaves.

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { life as makeLife } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import { must } from '../base/assert.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { decodeRecord, encodeRecord } from '../wire/codec.ts'
import { takeGuard, printHolder } from './guard.ts'
import type { Guard } from './guard.ts'
import type { Logger } from './log.ts'
import { makeFolder } from './make-folder.ts'
import { createSegment, openWalFile, segmentPath, syncFolder } from './wal.ts'
import type { Identity, SegmentTitle, WalEnd } from './wal.ts'
import { frameRecords, readRecords } from './wal-format.ts'
import type { Reading } from './wal-format.ts'

export interface DataFolder {
  readonly life: Life
  /** This is the first life on this disk. */
  readonly fresh: boolean
  /** What was on the disk before this life. */
  readonly records: readonly Uint8Array[]
  readonly end: WalEnd
  readonly guard: Guard
}

export interface FolderOwner {
  readonly set: string
  readonly replica: ReplicaId
  /** This replica has run before: a folder without its log is refused, for it could vote twice (design.md 10). */
  readonly hasRun: boolean
}

/** Opens, checks and repairs `folder`, and writes the record of a new life. An error is a sentence for the user. */
export async function openDataFolder(
  folder: string,
  owner: FolderOwner,
  log: Logger,
): Promise<Result<DataFolder, string>> {
  const guard = await claim(folder, owner.set)
  if (!guard.ok) return guard
  try {
    const opened = await openLog(folder, owner, log)
    if (opened.ok) return ok({ ...opened.value, guard: guard.value })
    guard.value.release()
    return opened
  } catch (error) {
    guard.value.release()
    return err(`the data folder ${folder} can't be used: ${(error as Error).message}`)
  }
}

/** Makes the folder if need be, and takes it for this process. */
async function claim(folder: string, set: string): Promise<Result<Guard, string>> {
  try {
    await makeFolder(folder)
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    const { dev, ino } = await stat(folder)
    const guard = await takeGuard(`holdfast data ${dev}:${ino}`, { set, pid: process.pid })
    if (guard.ok) return guard
    return err(`the data folder ${folder} is in use by ${printHolder(guard.error)}`)
  } catch (error) {
    return err(
      `the data folder ${folder} can't be written: ${(error as Error).message}; ` +
        'give another one with --data, or the right to write to this one',
    )
  }
}

async function openLog(
  folder: string,
  owner: FolderOwner,
  log: Logger,
): Promise<Result<Omit<DataFolder, 'guard'>, string>> {
  const read = await readLog(folder, owner, log)
  if (!read.ok) return read
  if (read.value === null && owner.hasRun) {
    return err(
      `replica ${owner.replica} has run before, and its log is gone from ${folder}: without it, it could vote twice. ` +
        'Put the folder back, or start a new set in another data folder',
    )
  }
  const old = read.value ?? (await createLog(folder, owner))
  if (old === null) return err(`the disk of ${folder} is full`)
  const { set, replica, incarnation } = old.end.identity
  const start = lastStart(old.records) + 1
  const record = encodeRecord({ kind: 'life', set, replica, incarnation, start })
  const end = await appendLife(old.end, record)
  if (end === null) return err(`the disk of ${folder} is full`)
  return ok({ life: makeLife(owner.replica, incarnation, start), fresh: start === 1, records: old.records, end })
}

interface OldLog {
  readonly records: readonly Uint8Array[]
  readonly end: WalEnd
}

async function createLog(folder: string, owner: FolderOwner): Promise<OldLog | null> {
  const identity = { set: owner.set, replica: owner.replica, incarnation: randomBytes(4).toString('hex') }
  const made = await createSegment(folder, identity, 1, 0, openWalFile)
  if (made === null) return null
  await made.file.close()
  await syncFolder(dirname(folder))
  const { position, crc } = made
  return { records: [], end: { folder, identity, segment: 1, position, crc, total: position } }
}

/** Syncs the last segment whole, so that what the last life wrote and didn't sync is now as durable as it looks. */
async function appendLife(end: WalEnd, record: Uint8Array): Promise<WalEnd | null> {
  const file = await openWalFile(segmentPath(end.folder, end.segment))
  try {
    const framed = frameRecords([record], end.position, end.crc)
    let written = 0
    while (written < framed.bytes.length) {
      written += await file.write(framed.bytes.subarray(written), end.position + written)
    }
    await file.sync()
    const size = framed.bytes.length
    return { ...end, position: end.position + size, crc: framed.crc, total: end.total + size }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    await file.cut(end.position)
    return null
  } finally {
    await file.close()
  }
}

function lastStart(records: readonly Uint8Array[]): number {
  for (let i = records.length - 1; i >= 0; i--) {
    const record = decodeRecord(must(records[i], 'a record'))
    if (record.ok && record.value.kind === 'life') return record.value.start
  }
  return 0
}

/** All segments in order; null if there is no log. */
async function readLog(folder: string, owner: FolderOwner, log: Logger): Promise<Result<OldLog | null, string>> {
  const names = (await readdir(folder)).filter((name) => /^log-\d{6,}\.wal$/.test(name)).sort()
  const records: Uint8Array[] = []
  let end: WalEnd | null = null
  for (let number = 1; number <= names.length; number++) {
    const path = segmentPath(folder, number)
    const isLast = number === names.length
    if (names[number - 1] !== basename(path)) {
      return err(`${path} is missing: the log can't be read without it. Put it back`)
    }
    const reading = readRecords(await readFile(path))
    const trouble = damageOf(path, reading, isLast)
    if (trouble !== null) return err(trouble)
    const title = parseTitle(reading.payloads[0])
    if (title === null) {
      // The process died while it made this segment: it holds nothing yet.
      if (!isLast || reading.payloads.length > 0) return err(`${path} is not a log of Holdfast`)
      log.warn(
        { code: 'segment-cut', file: path },
        'a segment that was being made when the last process died is removed',
      )
      await rm(path)
      continue
    }
    const wrong = strangerOf(path, title, owner, number, end)
    if (wrong !== null) return err(wrong)
    if (reading.fault !== null) await cut(path, reading, log)
    for (let i = 1; i < reading.payloads.length; i++) records.push(must(reading.payloads[i], 'a payload'))
    const total: number = (end?.total ?? 0) + reading.end
    end = { folder, identity: title, segment: number, position: reading.end, crc: reading.crc, total }
  }
  return ok(end === null ? null : { records, end })
}

function damageOf(path: string, reading: Reading, isLast: boolean): string | null {
  if (reading.fault === null || (reading.fault.torn && isLast)) return null
  return (
    `${path} is damaged at offset ${reading.end}: a record was written whole, but ${reading.fault.reason}. ` +
    'Nothing was changed. Restore the file from a copy of this disk; a replica that forgets what it promised would ' +
    'break the set, so it does not start'
  )
}

async function cut(path: string, reading: Reading, log: Logger): Promise<void> {
  const reason = reading.fault?.reason
  log.warn({ code: 'torn-tail', file: path, offset: reading.end, reason }, 'the torn end of the log is cut off')
  await truncate(path, reading.end)
}

function parseTitle(payload: Uint8Array | undefined): SegmentTitle | null {
  if (payload === undefined) return null
  try {
    const title = JSON.parse(Buffer.from(payload).toString('utf8')) as SegmentTitle
    return title.holdfast === 'log' ? title : null
  } catch {
    return null
  }
}

/** Why this segment isn't the next one of this replica's log; null if it is. */
function strangerOf(
  path: string,
  title: SegmentTitle,
  owner: FolderOwner,
  number: number,
  before: WalEnd | null,
): string | null {
  if (title.format !== 1) return `${path} has format ${String(title.format)}; this Holdfast reads format 1`
  if (title.set !== owner.set) {
    return `${path} belongs to set ${title.set}, not to set ${owner.set}: give another data folder`
  }
  if (title.replica !== owner.replica) {
    return `${path} belongs to replica ${title.replica} of this set, not to replica ${owner.replica}: give another data folder`
  }
  const identity: Identity | undefined = before?.identity
  if (identity !== undefined && identity.incarnation !== title.incarnation) {
    return `${path} belongs to another incarnation of this replica (${title.incarnation}, not ${identity.incarnation})`
  }
  if (title.segment !== number || title.previous !== (before?.crc ?? 0)) {
    return `${path} does not follow the segment before it: a file is missing or in the wrong place`
  }
  return null
}
