// What `holdfast backup` copies: one replica's snapshot and log, read from its data folder while it runs. Both are only ever appended to or
// replaced whole, so what is read is what the disk held at one moment; what is being written at that moment is a torn end, and
// is left out as a start would cut it off.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { replicaId } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { decodeRecord } from '../wire/codec.ts'
import { isSegmentName, recoverLog } from '../wire/recovery.ts'
import type { FolderOwner, SegmentFile } from '../wire/recovery.ts'
import { chooseSnapshot } from '../wire/snapshot-file.ts'
import { readSnapshot } from './snapshot-files.ts'
import type { FoundSnapshot } from './snapshot-files.ts'

/** A replica's disk as it was at one moment. */
export interface DiskCopy {
  readonly replica: ReplicaId
  readonly voters: readonly ReplicaId[]
  readonly snapshot: Omit<FoundSnapshot, 'leftovers'> | null
  readonly records: readonly Uint8Array[]
  /** The last entry. */
  readonly last: number
  /** Its snapshot's file, which is open until its parts are read, is read no further. */
  close(): void
}

/** `changed`: a snapshot took the place of what was being read: look again. An error is a sentence for the user. */
export async function copyDisk(folder: string, owner: FolderOwner): Promise<Result<DiskCopy, 'changed' | string>> {
  try {
    const names = await readdir(folder)
    const { newest } = chooseSnapshot([...names].sort())
    const files: SegmentFile[] = []
    for (const name of names.filter(isSegmentName).sort()) {
      files.push({ name, bytes: await readFile(join(folder, name)) })
    }
    const snapshot = newest === null ? ok(null) : readSnapshot(folder, newest, owner)
    const held = hold(snapshot.ok ? (snapshot.value?.parts ?? []) : [])
    const log = recoverLog(folder, files, owner, crc32, newest?.segment)
    // Segments go after the snapshot that replaces them is there: with the same one as before, none was missing.
    const isSame = chooseSnapshot((await readdir(folder)).sort()).newest?.name === newest?.name
    const copied = isSame ? copyOf(folder, snapshot, log, held) : err('changed')
    if (!copied.ok) held.close()
    return copied
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && (await readdir(folder).catch(() => null)) !== null) return err('changed')
    // A snapshot that is damaged says so itself.
    if (code === undefined) return err(message)
    return err(`the data folder ${folder} can't be read: ${message}; run it as the user that the replica runs as`)
  }
}

function copyOf(
  folder: string,
  snapshot: ReturnType<typeof readSnapshot> | Result<null, never>,
  log: ReturnType<typeof recoverLog>,
  held: Held,
): Result<DiskCopy, string> {
  if (!snapshot.ok) return snapshot
  if (!log.ok) return log
  if (log.value === null) return err(`there is no log in ${folder}: has this replica ever run?`)
  const { records, end } = log.value
  const { replica, voters = [] } = end.identity
  const last = Math.max(snapshot.value?.metadata.index ?? 0, lastIndex(records))
  const whole = snapshot.value === null ? null : { ...snapshot.value, parts: held.parts }
  const close = (): void => held.close()
  return ok({ replica: replicaId(replica), voters: voters.map(replicaId), snapshot: whole, records, last, close })
}

interface Held {
  /** To be read once. */
  readonly parts: Iterable<Uint8Array>
  close(): void
}

/** Opens their file by reading the first one: whoever takes the snapshot's place then removes a name, not what is being read. */
function hold(parts: Iterable<Uint8Array>): Held {
  const reading = parts[Symbol.iterator]()
  const first = reading.next()
  const all = function* (): Generator<Uint8Array> {
    for (let next = first; next.done !== true; next = reading.next()) yield next.value
  }
  return { parts: all(), close: () => void reading.return?.() }
}

function lastIndex(records: readonly Uint8Array[]): number {
  for (let at = records.length - 1; at >= 0; at--) {
    const record = decodeRecord(records[at] as Uint8Array)
    if (record.ok && record.value.kind === 'entry') return record.value.entry.index
  }
  return 0
}
