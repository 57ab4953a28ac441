// `holdfast start`: one replica of a set whose other replicas are started elsewhere.

import { replicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { Replica } from '../replica/replica.ts'
import { printAddress } from './address.ts'
import { applicationTrouble } from './application-check.ts'
import { readAppOption } from './application-config.ts'
import type { ApplicationConfig } from './application-config.ts'
import { reloadOf } from './reread.ts'
import type { Reloaded } from './reread.ts'
import { readRouterOption } from './router-config.ts'
import type { RouterConfig } from './router-config.ts'
import { reachTrouble } from './config.ts'
import type { SetConfig } from './config.ts'
import { printHolder, sipGuard, takeGuard } from './guard.ts'
import { certificateTrouble } from './certificates.ts'
import { addressesOf } from './sip-addresses.ts'
import { onEndSignals } from './end-signals.ts'
import { hostLimits } from './limits.ts'
import { makeLog } from './log.ts'
import { EXIT_BUG, EXIT_CANNOT_START, helpPage, readOptions, startError, usageError } from './options.ts'
import type { Command } from './options.ts'
import { serviceManager } from './service-manager.ts'
import { platformTrouble } from './platform.ts'
import { ReplicaProcess } from './replica-process.ts'
import { readLogLevel, UP_OPTIONS } from './settings.ts'
import { readConfigFile } from './up-config.ts'

const COMMAND: Command = {
  name: 'holdfast start',
  summary: 'one replica of a set',
  options: {
    config: { takes: 'FILE', help: 'the set, as holdfast up --print-config prints it' },
    replica: { takes: 'ID', help: 'which of its replicas' },
    join: { takes: null, help: 'without a log it founds no set, but joins: safe where the set has run before' },
    app: UP_OPTIONS.app,
    router: UP_OPTIONS.router,
    'log-level': UP_OPTIONS['log-level'],
  },
}

export async function startMain(args: readonly string[]): Promise<number> {
  const given = readOptions(COMMAND, args)
  if (!given.ok) return usageError(COMMAND, given.error)
  if (given.value.has('help')) {
    process.stdout.write(helpPage(COMMAND))
    return 0
  }
  const path = given.value.get('config')
  if (path === undefined) return usageError(COMMAND, '--config FILE is missing; holdfast up --print-config prints one')
  const config = readConfigFile(path)
  if (!config.ok) return usageError(COMMAND, config.error)
  const modules = given.value.get('app')
  const applications = modules === undefined ? ok(null) : readAppOption(modules)
  if (!applications.ok) return usageError(COMMAND, applications.error)
  const named = given.value.get('router')
  const router = named === undefined ? ok(null) : readRouterOption(named)
  if (!router.ok) return usageError(COMMAND, router.error)
  const reach = reachTrouble(config.value)
  if (reach !== null) return usageError(COMMAND, `--config ${path}: ${reach}`)
  const ids = config.value.replicas.map(({ id }) => id)
  const id = ids.find((known) => String(known) === given.value.get('replica'))
  if (id === undefined) return usageError(COMMAND, `--replica ID is missing or wrong: give one of ${ids.join(', ')}`)
  const level = readLogLevel(given.value.get('log-level') ?? 'info')
  if (!level.ok) return usageError(COMMAND, level.error)
  const trouble = platformTrouble()
  if (trouble !== null) return startError(COMMAND, trouble)
  const tls = certificateTrouble(config.value)
  if (tls !== null) return startError(COMMAND, tls)
  const set = withOptions(config.value, applications.value, router.value)
  const loaded = await applicationTrouble(set)
  if (loaded !== null) return startError(COMMAND, loaded)
  const own = config.value.replicas.filter((replica) => replica.id === id)
  for (const address of addressesOf({ ...config.value, replicas: own })) {
    const joined = await joinAddress(config.value, printAddress(address))
    if (!joined.ok) return startError(COMMAND, joined.error)
  }
  const reread = (now: SetConfig): Result<Reloaded, string> => {
    const next = readConfigFile(path)
    // What the command line says stays.
    if (!next.ok) return err(`nothing was changed: ${next.error}`)
    return reloadOf(now, withOptions(next.value, applications.value, router.value))
  }
  return run(set, id, level.value, { fresh: given.value.has('join') ? 'join' : 'ask', reread })
}

function withOptions(
  config: SetConfig,
  applications: readonly ApplicationConfig[] | null,
  router: RouterConfig | null,
): SetConfig {
  return {
    ...config,
    ...(applications === null ? {} : { applications }),
    ...(router === null ? {} : { router }),
  }
}

/** Takes a SIP address for the set, or joins replicas of the same set that hold it on this machine. */
async function joinAddress(config: SetConfig, address: string): Promise<Result<null, string>> {
  const take = () => takeGuard(sipGuard(address), { set: config.set, pid: process.pid })
  const guard = await take()
  if (guard.ok) return ok(null)
  if (guard.error?.set !== config.set) return err(`${address} is in use by ${printHolder(guard.error)}`)
  // When its holder ends, another replica of the set takes the guard over.
  const retry = setInterval(() => void take().then((later) => later.ok && clearInterval(retry)), hostLimits.aliveMs)
  retry.unref()
  return ok(null)
}

interface Running {
  readonly fresh: 'join' | 'ask'
  reread(now: SetConfig): Result<Reloaded, string>
}

async function run(config: SetConfig, id: number, level: string, { fresh, reread }: Running): Promise<number> {
  const log = makeLog(`replica-${id}`, level)
  const ended = Promise.withResolvers<number>()
  const manager = serviceManager((reason) => log.warn({ code: 'service-manager' }, reason))
  const running = new ReplicaProcess(
    { config, replica: replicaId(id), fresh },
    {
      log,
      makeReplica: (options) => new Replica(options),
      reread,
      report: ({ kind, ...fields }) => {
        if (kind === 'sip-open') manager.ready()
        log.info({ code: kind, ...fields }, `replica ${id}: ${kind}`)
      },
      end: ({ cause, reason }) => {
        if (cause === 'drained' || cause === 'removed') {
          log.warn({ code: cause }, reason)
          return ended.resolve(0)
        }
        log.fatal({ code: `stopped-${cause}` }, reason)
        ended.resolve(cause === 'bug' ? EXIT_BUG : EXIT_CANNOT_START)
      },
    },
  )
  onEndSignals(
    ['SIGINT', 'SIGTERM', 'SIGHUP'],
    () => {
      manager.stopping()
      running.drain()
    },
    () => ended.resolve(0),
  )
  await running.run()
  const code = await ended.promise
  manager.close()
  running.close()
  await new Promise<void>((resolve) => log.flush(() => resolve()))
  return code
}
