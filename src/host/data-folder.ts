// One replica's data folder: whose it is, what it remembers, and that nobody else writes there. Opening it begins a new
// life (design.md, words): the record of that is synced before anything leaves.

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { replicaId } from '../base/brand.ts'
import type { Life, ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { isSegmentName, nextLife, recoverLog } from '../wire/recovery.ts'
import type { FolderOwner, RecoveredLog, Repair, SegmentFile } from '../wire/recovery.ts'
import { frameRecords } from '../wire/segment.ts'
import { takeGuard, printHolder } from './guard.ts'
import type { Guard } from './guard.ts'
import type { Logger } from './log.ts'
import { makeFolder } from './make-folder.ts'
import { findSnapshot } from './snapshot-files.ts'
import type { FoundSnapshot } from './snapshot-files.ts'
import { createSegment, openWalFile, segmentPath, syncFolder } from './wal.ts'
import type { WalEnd } from './wal.ts'

export interface DataFolder {
  readonly life: Life
  readonly id: ReplicaId
  /** With whom it founded the set; none: it joined one; null: its log is too old to say. */
  readonly voters: readonly ReplicaId[] | null
  /** This is the first life on this disk. */
  readonly fresh: boolean
  /** What the log goes on from; null = its beginning. */
  readonly snapshot: FoundSnapshot | null
  /** What was on the disk before this life, after the snapshot. */
  readonly records: readonly Uint8Array[]
  readonly end: WalEnd
  readonly guard: Guard
}

/** Who a replica without a log is: it founds the set with these voters, or (none) joins it. */
export interface Newcomer {
  readonly id: ReplicaId
  readonly voters: readonly ReplicaId[]
}

/** Asked once the folder is ours and has no log, with the incarnation of its new one. */
export type Identify = (incarnation: string) => Promise<Result<Newcomer, string>>

/** Opens, checks and repairs `folder`, and writes the record of a new life. An error is a sentence for the user. */
export async function openDataFolder(
  folder: string,
  owner: FolderOwner,
  log: Logger,
  identify: Identify,
): Promise<Result<DataFolder, string>> {
  const guard = await claim(folder, owner.set)
  if (!guard.ok) return guard
  try {
    const opened = await openLog(folder, owner, log, identify)
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
        'give another data folder, or the right to write to this one',
    )
  }
}

async function openLog(
  folder: string,
  owner: FolderOwner,
  log: Logger,
  identify: Identify,
): Promise<Result<Omit<DataFolder, 'guard'>, string>> {
  const snapshot = await findSnapshot(folder, owner)
  if (!snapshot.ok) return snapshot
  const read = recoverLog(folder, await readSegments(folder), owner, crc32, snapshot.value?.segment)
  if (!read.ok) return read
  for (const name of snapshot.value?.leftovers ?? []) await rm(join(folder, name))
  for (const repair of read.value?.repairs ?? []) await mend(folder, repair, log)
  const made = read.value === null ? await createLog(folder, owner.set, identify) : ok(read.value)
  if (!made.ok) return made
  const old = made.value
  const { identity } = old.end
  const { life, start, record } = nextLife(identity, old.records)
  const end = await appendLife({ ...old.end, folder }, record)
  if (end === null) return err(`the disk of ${folder} is full`)
  const id = replicaId(identity.replica)
  const voters = identity.voters?.map(replicaId) ?? null
  return ok({ life, id, voters, fresh: start === 1, snapshot: snapshot.value, records: old.records, end })
}

async function readSegments(folder: string): Promise<readonly SegmentFile[]> {
  const names = (await readdir(folder)).filter(isSegmentName).sort()
  const files: SegmentFile[] = []
  for (const name of names) files.push({ name, bytes: await readFile(join(folder, name)) })
  return files
}

async function mend(folder: string, repair: Repair, log: Logger): Promise<void> {
  const file = join(folder, repair.name)
  if (repair.kind === 'cut') {
    const { at: offset, reason } = repair
    log.warn({ code: 'torn-tail', file, offset, reason }, 'the torn end of the log is cut off')
    await truncate(file, offset)
  } else {
    const said = 'a segment that was being made when the last process died, or that is in the snapshot, is removed'
    log.warn({ code: 'segment-cut', file }, said)
    await rm(file)
  }
}

async function createLog(
  folder: string,
  set: string,
  identify: Identify,
): Promise<Result<Omit<RecoveredLog, 'repairs'>, string>> {
  const incarnation = randomBytes(4).toString('hex')
  const newcomer = await identify(incarnation)
  if (!newcomer.ok) return newcomer
  const { id, voters } = newcomer.value
  const identity = { set, replica: id, incarnation, voters }
  const made = await createSegment(folder, identity, 1, 0, openWalFile)
  if (made === null) return err(`the disk of ${folder} is full`)
  await made.file.close()
  await syncFolder(dirname(folder))
  const { position, crc } = made
  return ok({ records: [], end: { identity, segment: 1, position, crc, total: position } })
}

/** Syncs the last segment whole, so that what the last life wrote and didn't sync is now as durable as it looks. */
async function appendLife(end: WalEnd, record: Uint8Array): Promise<WalEnd | null> {
  const file = await openWalFile(segmentPath(end.folder, end.segment))
  try {
    const framed = frameRecords([record], end.position, end.crc, crc32)
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
