// `holdfast restore`: the data folder of the first replica of a new set, from a backup (decision 0045).

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import { placeOf } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { restoredLog } from '../replica/restored-log.ts'
import type { RestoredLog } from '../replica/restored-log.ts'
import { beginSegment, segmentName } from '../wire/recovery.ts'
import { printSnapshotTitle, snapshotName } from '../wire/snapshot-file.ts'
import { readBackup, RecordWriter } from './backup-file.ts'
import type { Backup } from './backup-file.ts'
import { parseConfig } from './config.ts'
import type { SetConfig } from './config.ts'
import { makeFolder } from './make-folder.ts'
import { operationError } from './operation.ts'
import { helpPage, readOptions, usageError } from './options.ts'
import type { Command } from './options.ts'
import { newMembership } from './set-folder.ts'
import { readConfigFile, writeConfigFile } from './up-config.ts'
import { syncFolder } from './wal.ts'

const COMMAND: Command = {
  name: 'holdfast restore',
  summary: "a new set from a backup: its first replica's data folder, and the config file if there is none yet",
  options: {
    from: { takes: 'FILE', help: 'what holdfast backup wrote' },
    config: {
      takes: 'FILE',
      help: 'of the new set, with an id of its own; if it is not there it is made, from the one in the backup',
    },
    json: { takes: null, help: 'one JSON object on standard output' },
  },
}

export async function restoreMain(args: readonly string[]): Promise<number> {
  const given = readOptions(COMMAND, args)
  if (!given.ok) return usageError(COMMAND, given.error)
  if (given.value.has('help')) {
    process.stdout.write(helpPage(COMMAND))
    return 0
  }
  const [from, path] = [given.value.get('from'), given.value.get('config')]
  if (from === undefined) return usageError(COMMAND, '--from FILE is missing: what holdfast backup wrote')
  if (path === undefined) return usageError(COMMAND, '--config FILE is missing: the config file of the new set')
  const backup = readBackup(from)
  if (!backup.ok) return operationError(COMMAND, backup.error)
  const config = existsSync(path) ? readConfigFile(path) : newConfig(backup.value, path)
  if (!config.ok) return operationError(COMMAND, config.error)
  const restored = await restore(backup.value, config.value, path)
  if (!restored.ok) return operationError(COMMAND, restored.error)
  if (!existsSync(path)) await writeConfigFile(path, config.value)
  const { log, folder } = restored.value
  const place = placeOf(backup.value.title.replica)
  const others = config.value.replicas.map(({ id }) => placeOf(id)).filter((other) => other !== place)
  const { early, confirmed } = log.calls
  const first = `holdfast start --config ${path} --replica ${place}`
  const next = others.map((other) => `  holdfast start --config ${path} --replica ${other} --join`)
  const calls = confirmed === 1 ? '1 call' : `${confirmed} calls`
  const isOneMachine = new Set(config.value.replicas.map(({ peer }) => peer.host)).size === 1
  const said = [
    `set ${config.value.set}: ${calls} answered and ${early} not yet, as of ${backup.value.title.at}, in ${folder}`,
    'The old set must not run.',
    ...(isOneMachine ? ['Then start all of them:', `  holdfast up --config ${path}`, 'Or one by one:'] : []),
    'Start this replica, and when it serves the others, whose data folders are empty:',
    `  ${first}`,
    ...next,
  ]
  const fields = { event: 'restored', set: config.value.set, replica: place, last: log.last, ...log.calls, folder }
  process.stdout.write(`${given.value.has('json') ? JSON.stringify(fields) : said.join('\n')}\n`)
  return 0
}

/** The old set's, with another id and another secret: nobody of the old set is let in. */
function newConfig({ title }: Backup, path: string): Result<SetConfig, string> {
  const old = parseConfig(title.config, dirname(resolve(path)))
  return old.ok ? ok({ ...old.value, ...newMembership() }) : err(`the backup's configuration: ${old.error}`)
}

interface Restored {
  readonly log: RestoredLog
  readonly folder: string
}

async function restore(
  { title, parts, records }: Backup,
  config: SetConfig,
  path: string,
): Promise<Result<Restored, string>> {
  const place = placeOf(title.replica)
  if (config.set === title.set) {
    const fix = 'give it another "set", 16 hexadecimal digits as from openssl rand -hex 8'
    return err(`${path} has the id of the old set, whose replicas could mix with the new ones: ${fix}`)
  }
  const own = config.replicas.find(({ id }) => placeOf(id) === place)
  if (own === undefined) {
    return err(`the backup is of replica ${place}, and ${path} has none: give one of its replicas the id ${place}`)
  }
  const folder = own.data
  if (folder === null) return err(`${path} has durability "memory", and a backup is restored to a disk: make it "wal"`)
  const snapshot = title.snapshot === null ? null : { metadata: title.snapshot, parts }
  const places = config.replicas.map(({ id }) => placeOf(id))
  const { replica, voters } = title
  try {
    const log = restoredLog({ replica, voters, snapshot, records }, places)
    if (!log.ok) return err(`the backup can't be used: ${log.error}`)
    const names = await readdir(folder).catch(() => [])
    if (names.length > 0) {
      return err(
        `${folder} is not empty: move away what is there, or name another "data" for replica ${place} in ${path}`,
      )
    }
    await writeFolder(folder, { config, replica, snapshot, log: log.value })
    return ok({ log: log.value, folder })
  } catch (error) {
    return err(`${folder} can't be written: ${(error as Error).message}`)
  }
}

interface NewDisk {
  readonly config: SetConfig
  readonly replica: Backup['title']['replica']
  readonly snapshot: {
    readonly metadata: NonNullable<Backup['title']['snapshot']>
    readonly parts: Iterable<Uint8Array>
  } | null
  readonly log: RestoredLog
}

/** It has its name only once it is whole and synced. The disk is a new one: its lives are none of the old set's. */
async function writeFolder(folder: string, { config, replica, snapshot, log }: NewDisk): Promise<void> {
  const unfinished = `${folder}.restoring`
  await rm(unfinished, { recursive: true, force: true })
  await makeFolder(dirname(folder))
  await mkdir(unfinished, { mode: 0o700 })
  const identity = { set: config.set, replica, incarnation: randomBytes(4).toString('hex'), voters: [] }
  if (snapshot !== null) {
    const title = printSnapshotTitle({ ...identity, metadata: snapshot.metadata })
    const name = snapshotName(snapshot.metadata.index, 1)
    await writeFile(join(unfinished, name), [], 0, async (writer) => {
      await writer.append(title)
      for (const part of snapshot.parts) await writer.append(part)
    })
  }
  const begun = beginSegment(identity, 1, 0, crc32)
  await writeFile(join(unfinished, segmentName(1)), begun.bytes, begun.crc, async (writer) => {
    for (const record of log.records) await writer.append(record)
  })
  await syncFolder(unfinished)
  // An empty folder gives way.
  await rename(unfinished, folder)
  await syncFolder(dirname(folder))
}

async function writeFile(
  path: string,
  head: Uint8Array | readonly [],
  crc: number,
  fill: (writer: RecordWriter) => Promise<void>,
): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    if (head.length > 0) await file.write(head as Uint8Array, 0, null, 0)
    const writer = new RecordWriter(file, head.length, crc)
    await fill(writer)
    await writer.flush()
    await file.sync()
  } finally {
    await file.close()
  }
}
