// The log of a replica that runs or not, with what is kept of its history, read for `holdfast trace`: nothing is changed or locked.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { latin1Text } from '../base/bytes.ts'
import { replicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { Era } from '../replica/trace.ts'
import { isSegmentName, recoverLog } from '../wire/recovery.ts'
import type { FolderOwner, SegmentFile } from '../wire/recovery.ts'
import { readRecords } from '../wire/segment.ts'
import { parseSnapshotName } from '../wire/snapshot-file.ts'
import { erasOf, HISTORY } from './history.ts'
import type { EraFiles } from './history.ts'
import { readSnapshot } from './snapshot-files.ts'

export interface LogFiles {
  /** The oldest first. */
  readonly eras: readonly Era[]
  readonly replica: number
  /** Why older eras were left out; null = none was. */
  readonly left: string | null
}

/** How often what a snapshot replaces meanwhile is looked for anew. */
const LOOKS = 5

/** An error is a sentence for the user. */
export async function readLogFiles(data: string): Promise<Result<LogFiles, string>> {
  for (let look = 1; ; look++) {
    try {
      const read = await readOnce(data)
      if (read.ok || look === LOOKS) return read
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      // A file was moved to the history, or out of it, while this looked.
      if (code !== 'ENOENT' || look === LOOKS) return err(`${data} can't be read: ${message}`)
    }
  }
}

async function readOnce(data: string): Promise<Result<LogFiles, string>> {
  const places = new Map<string, string>()
  const kept = join(data, HISTORY)
  for (const name of await readdir(kept).catch((): string[] => [])) places.set(name, join(kept, name))
  for (const name of await readdir(data)) places.set(name, join(data, name))
  const files = erasOf([...places.keys()])
  const newest = files.at(-1)
  if (newest === undefined) return err(`there is no log in ${data}: give a replica's data folder, or an up's`)
  const owner = await ownerOf(newest, places)
  if (!owner.ok) return owner
  const eras: Era[] = []
  for (const [i, era] of [...files].reverse().entries()) {
    const read = await readEra(data, era, places, owner.value)
    if (read.ok) eras.unshift(read.value)
    else if (i === 0) return read
    else return ok({ eras, replica: owner.value.replica, left: read.error })
  }
  return ok({ eras, replica: owner.value.replica, left: null })
}

/** As its first segment says. */
async function ownerOf({ files }: EraFiles, places: ReadonlyMap<string, string>): Promise<Result<FolderOwner, string>> {
  const path = places.get(files.find(isSegmentName) ?? '')
  if (path === undefined) return err('the snapshot there is followed by no log: put its segment back')
  const [title] = readRecords(await readFile(path), crc32).payloads
  try {
    const { set, replica } = JSON.parse(latin1Text(title ?? new Uint8Array())) as { set: string; replica: number }
    return ok({ set, replica: replicaId(replica), hasRun: false })
  } catch {
    return err(`${path} is not a log of Holdfast`)
  }
}

async function readEra(
  data: string,
  { snapshot: name, segment, files }: EraFiles,
  places: ReadonlyMap<string, string>,
  owner: FolderOwner,
): Promise<Result<Era, string>> {
  const segments: SegmentFile[] = []
  for (const file of files.filter(isSegmentName)) {
    segments.push({ name: file, bytes: await readFile(places.get(file) ?? '') })
  }
  const log = recoverLog(data, segments, owner, crc32, segment)
  if (!log.ok) return log
  const records = log.value?.records ?? []
  const named = name === null ? null : parseSnapshotName(name)
  if (named === null) return ok({ snapshot: null, records })
  const path = places.get(named.name) ?? ''
  const snapshot = readSnapshot(path.slice(0, -named.name.length - 1), named, owner)
  return snapshot.ok ? ok({ snapshot: snapshot.value, records }) : snapshot
}
