// `holdfast up`: see interface.md in the project's documents, and `--help`.

import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import type { ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { printAddress } from './address.ts'
import { useAdminToken } from './admin-client.ts'
import { applicationTrouble } from './application-check.ts'
import { printConfig } from './config.ts'
import type { SetConfig } from './config.ts'
import { onEndSignals } from './end-signals.ts'
import { certificateTrouble } from './certificates.ts'
import { printHolder, sipGuard, takeGuards } from './guard.ts'
import { addressesOf } from './sip-addresses.ts'
import { Failovers } from './failovers.ts'
import { Live } from './live.ts'
import { makeLog } from './log.ts'
import { helpPage, readOptions, startError, usageError } from './options.ts'
import type { Command, Given } from './options.ts'
import { platformTrouble } from './platform.ts'
import { portTrouble } from './ports.ts'
import { rereadConfig, rereadToReload } from './reread.ts'
import { SetAdmin } from './set-admin.ts'
import type { SetAdminParts } from './set-admin.ts'
import { newMembership, openSetFolder, peekSet, putAside, replicaFolder } from './set-folder.ts'
import type { SetFolder } from './set-folder.ts'
import { SetMembers } from './set-members.ts'
import { SetProcess } from './set-process.ts'
import { readLogLevel, UP_OPTIONS } from './settings.ts'
import { configOf, planUp, writeConfigFile } from './up-config.ts'
import type { UpPlan } from './up-config.ts'
import { jsonOutput, plainOutput } from './up-output.ts'

const COMMAND: Command = {
  name: 'holdfast up',
  summary: 'a replica set on this machine, one process per replica, all on one SIP address',
  options: UP_OPTIONS,
}

/** `program` is the path of main.ts, which the replicas run too. */
export async function upMain(args: readonly string[], program: string): Promise<number> {
  const given = readOptions(COMMAND, args)
  if (!given.ok) return usageError(COMMAND, given.error)
  if (given.value.has('help')) {
    process.stdout.write(helpPage(COMMAND))
    return 0
  }
  const plan = planUp(given.value)
  if (!plan.ok) return usageError(COMMAND, plan.error)
  const level = readLogLevel(given.value.get('log-level') ?? (given.value.has('json') ? 'info' : 'warn'))
  if (!level.ok) return usageError(COMMAND, level.error)
  if (given.value.has('print-config')) {
    process.stdout.write(`${await plannedConfig(plan.value)}\n`)
    return 0
  }
  const trouble = platformTrouble()
  if (trouble !== null) return startError(COMMAND, trouble)
  return run(plan.value, given.value, level.value, program)
}

/** As a file, for a set that is there or for a new one. */
async function plannedConfig(plan: UpPlan): Promise<string> {
  const folder = plan.data ?? 'holdfast-data'
  return printConfig(configOf(plan, (await peekSet(folder)) ?? newMembership(), folder))
}

async function run(plan: UpPlan, given: Given, level: string, program: string): Promise<number> {
  const folder = await folderOf(plan)
  if (!folder.ok) return startError(COMMAND, folder.error)
  const { value: own } = folder
  const known = own === null ? newMembership() : { ...own.membership, replicas: own.replicas }
  const config = configOf(plan, known, own?.path ?? '')
  const tidy = async (): Promise<void> => folder.value?.removeIfTemporary()

  const addresses = addressesOf(config).map(printAddress)
  const guard = await takeGuards(addresses.map(sipGuard), { set: config.set, pid: process.pid })
  if (!guard.ok) {
    await tidy()
    const { name, holder } = guard.error
    const held = addresses.find((address) => sipGuard(address) === name) ?? name
    return startError(COMMAND, `${held} is in use by ${printHolder(holder)}; give another --sip`)
  }
  const taken = certificateTrouble(config) ?? (await applicationTrouble(config)) ?? (await portTrouble(config))
  if (taken !== null) {
    await tidy()
    return startError(COMMAND, taken)
  }
  process.stdout.on('error', () => undefined)
  const write = (line: string): void => void process.stdout.write(`${line}\n`)
  const where = folder.value?.path ?? (config.durability === 'memory' ? 'memory' : 'the folders of its config file')
  const output = given.has('json') ? jsonOutput(write) : plainOutput(config, where, write)
  const log = makeLog('up', level)
  log.info({ code: 'up', set: config.set, data: where }, 'the set starts')
  /** What no folder remembers: which replicas have run. */
  const started = new Set<ReplicaId>()
  const token = given.has('lab') ? randomBytes(16).toString('hex') : null
  const live = new Live({
    ...{ name: 'up', set: config.set, sip: printAddress(config.sip), token, isTold: true },
    failovers: new Failovers(),
    replicas: () => set.config.replicas,
    pids: () => set.pids,
  })
  const set = new SetProcess({
    config,
    command: [process.execPath, ...process.execArgv, program, 'replica'],
    logLevel: level,
    log,
    hasRun: (replica) =>
      folder.value?.hasRun(replica) ?? (started.has(replica) || (config.durability === 'memory' ? false : null)),
    started: (replica) => {
      started.add(replica)
      folder.value?.markStarted(replica).catch((error: Error) => log.error(error.message))
    },
    say: (event) => output.say(event),
    befell: (fact) => live.befell(fact, Date.now()),
  })
  const members = new SetMembers({
    set,
    log,
    folderOf: (replica) =>
      config.durability === 'memory' ? null : replicaFolder(own?.path ?? beside(config), replica),
    remember: async (now) => {
      await own?.setReplicas(now.replicas.map(({ id }) => id))
      const file = given.get('config')
      if (file !== undefined) await writeConfigFile(file, now)
    },
    putAside,
    joins: async (replica) => {
      started.add(replica)
      await own?.markStarted(replica)
    },
  })
  useAdminToken(set.config.adminToken)
  const admin = new SetAdmin(set, members, {
    live,
    token,
    ...readers(given, set),
  })
  await admin.open()
  const end = (): void => {
    output.end()
    set.end()
  }
  onEndSignals(['SIGINT', 'SIGTERM', 'SIGHUP'], end, end)
  const failure = await set.run()
  admin.close()
  guard.value.release()
  await tidy()
  return failure === null ? 0 : startError(COMMAND, failure)
}

/** Of the config file, while the set runs. */
function readers(given: Given, set: SetProcess): Pick<SetAdminParts, 'reread' | 'reload'> {
  return {
    reread: async () => {
      const read = await rereadConfig(given, set.config)
      if (!read.ok) return read
      set.reconfigure(read.value)
      return ok(null)
    },
    reload: () => {
      const read = rereadToReload(given, set.config)
      if (!read.ok) return read
      const { config, changed } = read.value
      if (changed.length > 0) set.reload(config)
      return ok(changed)
    },
  }
}

/** Where the first replica's data folder lies. */
function beside({ replicas }: SetConfig): string {
  return dirname(replicas[0]?.data ?? '.')
}

/** The set's folder; null if it has none, or a config file names the replicas' folders. */
async function folderOf(plan: UpPlan): Promise<Result<SetFolder | null, string>> {
  if (plan.file !== null || plan.durability === 'memory') return ok(null)
  const folder = await openSetFolder(plan.data, plan.replicas)
  return folder.ok ? folder : err(folder.error)
}
