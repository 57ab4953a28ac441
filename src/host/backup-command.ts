// `holdfast backup`: one replica's disk and the set's configuration in one file, while calls run (decision 0045).

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { placeOf } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { printAddress } from './address.ts'
import { fetchJson, useAdminToken } from './admin-client.ts'
import { copyDisk } from './backup.ts'
import type { DiskCopy } from './backup.ts'
import { readBackup, writeBackup } from './backup-file.ts'
import type { ReplicaConfig, SetConfig } from './config.ts'
import { hostLimits } from './limits.ts'
import { operationError, readReplica } from './operation.ts'
import { helpPage, readOptions, usageError } from './options.ts'
import type { Command } from './options.ts'
import { readConfigFile } from './up-config.ts'

const COMMAND: Command = {
  name: 'holdfast backup',
  summary:
    "a replica's snapshot and log and the set's configuration in one file, while calls run; on that replica's machine",
  options: {
    config: { takes: 'FILE', help: "the set's config file (of an up: what its --print-config prints)" },
    replica: { takes: 'ID', help: 'whose data folder is read; it may run, and need not' },
    to: { takes: 'FILE', help: "a new file; it has the set's secret, so only its owner may read it" },
    json: { takes: null, help: 'one JSON object on standard output' },
  },
}

export async function backupMain(args: readonly string[]): Promise<number> {
  const given = readOptions(COMMAND, args)
  if (!given.ok) return usageError(COMMAND, given.error)
  if (given.value.has('help')) {
    process.stdout.write(helpPage(COMMAND))
    return 0
  }
  const [path, to] = [given.value.get('config'), given.value.get('to')]
  if (path === undefined) return usageError(COMMAND, '--config FILE is missing: the config file of the set')
  if (to === undefined) return usageError(COMMAND, '--to FILE is missing: the file that is to be made')
  const config = readConfigFile(path)
  if (!config.ok) return usageError(COMMAND, config.error)
  const replica = readReplica(given.value)
  if (!replica.ok) return usageError(COMMAND, replica.error)
  const own = config.value.replicas.find(({ id }) => id === replica.value)
  if (own === undefined) {
    const ids = config.value.replicas.map(({ id }) => id).join(', ')
    return usageError(COMMAND, `--replica ID is missing or wrong: give one of ${ids}`)
  }
  if (own.data === null) {
    const fix = 'its calls live as long as a majority of its replicas'
    return operationError(COMMAND, `with durability "memory" there is no log on disk to back up: ${fix}`)
  }
  if (existsSync(to)) return operationError(COMMAND, `${to} is there already: give a new file`)
  useAdminToken(config.value.adminToken)
  const done = await backUp(config.value, { ...own, data: own.data }, path, to)
  if (!done.ok) return operationError(COMMAND, done.error)
  const { last, bytes, asked } = done.value
  const said = `replica ${placeOf(own.id)} up to entry ${last} (${asked}): ${bytes} bytes in ${to}`
  const fields = { event: 'backed-up', replica: placeOf(own.id), last, bytes, asked, file: to }
  process.stdout.write(`${given.value.has('json') ? JSON.stringify(fields) : said}\n`)
  return 0
}

interface Done {
  readonly last: number
  readonly bytes: number
  /** What is known of how new it is. */
  readonly asked: string
}

async function backUp(
  config: SetConfig,
  own: ReplicaConfig & { readonly data: string },
  path: string,
  to: string,
): Promise<Result<Done, string>> {
  const { least, asked } = await newest(own)
  const copied = await copyOf(config, own, least)
  if (!copied.ok) return copied
  const { replica, voters, snapshot, records, last } = copied.value
  const at = new Date().toISOString()
  const text = await readFile(path, 'utf8')
  const title = { set: config.set, replica, voters, at, last, snapshot: snapshot?.metadata ?? null, config: text }
  try {
    const bytes = await writeBackup(to, { title, parts: snapshot?.parts ?? [], records })
    const read = readBackup(to)
    return read.ok ? ok({ last, bytes, asked }) : read
  } catch (error) {
    return err(`${to} can't be written: ${(error as Error).message}`)
  } finally {
    copied.value.close()
  }
}

/** What the set had committed when the backup was asked for must be in it: a read that a quorum answers (as /calls does) brings this
 * replica so far. */
async function newest({ admin }: ReplicaConfig): Promise<{ readonly least: number; readonly asked: string }> {
  const url = `http://${printAddress(admin)}`
  const read = await fetchJson(`${url}/calls?from=0`, hostLimits.adminMs)
  const status = await fetchJson(`${url}/status`)
  if (!status.ok) return { least: 0, asked: 'it does not run: what its disk has' }
  const { appliedIndex } = status.value as { readonly appliedIndex: number }
  const asked = read.ok ? 'all that the set had committed' : 'no quorum answers: what its disk has'
  return { least: appliedIndex, asked }
}

/** A follower may know that an entry is committed before its own disk has it. */
async function copyOf(
  { set }: SetConfig,
  { id, data }: ReplicaConfig & { readonly data: string },
  least: number,
): Promise<Result<DiskCopy, string>> {
  const end = performance.now() + hostLimits.backupMs
  for (;;) {
    const copied = await copyDisk(data, { set, replica: id, hasRun: true })
    if (copied.ok ? copied.value.last >= least : copied.error !== 'changed') return copied
    if (copied.ok) copied.value.close()
    if (performance.now() > end) {
      const why = copied.ok ? `its disk has not got entry ${least}` : 'new snapshots come faster than they are read'
      return err(`no copy after ${hostLimits.backupMs / 1_000} s (${why}): try again, or take another replica`)
    }
    await sleep(hostLimits.lookMs)
  }
}
