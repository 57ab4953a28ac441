// `holdfast trace CALL-ID`: what the log has of a call, from a replica that runs or from its data folder (decision 0044).

import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { traceCall } from '../replica/trace.ts'
import type { Trace } from '../replica/trace.ts'
import { printAddress } from './address.ts'
import { ask } from './admin-client.ts'
import { hostLimits } from './limits.ts'
import { operationError, refusalIn } from './operation.ts'
import { helpPage, readOptions, usageError } from './options.ts'
import type { Command } from './options.ts'
import { readAdmin } from './settings.ts'
import { readLogFiles } from './trace-files.ts'
import { tracePage, traceText } from './trace-text.ts'

const COMMAND: Command = {
  name: 'holdfast trace',
  summary:
    'trace CALL-ID: a call’s history from the log: each version, when, by which owner, and what was sent; of calls that ended too, while the log is kept',
  options: {
    admin: { takes: 'HOST:PORT', help: "up's admin address, or one replica's (127.0.0.1:8060)" },
    data: { takes: 'DIR', help: "a replica's data folder, or that of an up, which need not run (instead of --admin)" },
    html: { takes: 'FILE', help: 'write it as a page, messages and entities whole' },
    json: { takes: null, help: 'one JSON object on standard output' },
  },
}

/** Exit 0: told; 1: the log has nothing of that call, or can't be read. */
export async function traceMain(args: readonly string[]): Promise<number> {
  const [callId] = args
  const isNamed = callId !== undefined && !callId.startsWith('-')
  const given = readOptions(COMMAND, isNamed ? args.slice(1) : args)
  if (!given.ok) return usageError(COMMAND, given.error)
  if (given.value.has('help')) {
    process.stdout.write(helpPage(COMMAND))
    return 0
  }
  if (!isNamed) return usageError(COMMAND, 'CALL-ID is missing: as GET /calls or holdfast cdr shows it')
  const admin = readAdmin('admin', given.value.get('admin') ?? '127.0.0.1:8060')
  if (!admin.ok) return usageError(COMMAND, admin.error)
  const data = given.value.get('data')
  if (data !== undefined && given.value.has('admin')) return usageError(COMMAND, 'give --data or --admin, not both')
  const trace = data === undefined ? await askFor(callId, printAddress(admin.value)) : await traceIn(callId, data)
  if (!trace.ok) return operationError(COMMAND, trace.error)
  const page = given.value.get('html')
  try {
    if (page !== undefined) await writeFile(page, tracePage(trace.value), { mode: 0o600 })
  } catch (error) {
    return operationError(COMMAND, `--html ${page}: ${(error as Error).message}`)
  }
  if (given.value.has('json')) process.stdout.write(`${JSON.stringify(trace.value)}\n`)
  else if (page === undefined) process.stdout.write(traceText(trace.value))
  else process.stdout.write(`${page} is written: ${trace.value.steps.length} entries\n`)
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
  return 0
}

async function askFor(callId: string, address: string): Promise<Result<Trace, string>> {
  const asked = await ask('GET', `http://${address}/trace/${encodeURIComponent(callId)}`, hostLimits.traceMs)
  if (!asked.ok) return err(`nobody answers at ${address} (${asked.error}); --data DIR reads a data folder instead`)
  return asked.value.status === 200 ? ok(asked.value.body as Trace) : err(refusalIn(asked.value.body))
}

/** Of an `up`, the replica whose log goes furthest. */
async function traceIn(callId: string, data: string): Promise<Result<Trace, string>> {
  const names = await readdir(data).catch((): string[] => [])
  const replicas = names.filter((name) => /^replica-\d+$/.test(name)).sort()
  const folders = replicas.length === 0 ? [data] : replicas.map((name) => join(data, name))
  let best: Trace | null = null
  let trouble = ''
  for (const folder of folders) {
    const files = await readLogFiles(folder)
    const trace = files.ok ? traceCall(callId, files.value.eras) : files
    if (!trace.ok) trouble = trace.error
    else if (best === null || isBetter(trace.value, best)) best = trace.value
  }
  if (best === null) return err(trouble)
  if (best.steps.length > 0) return ok(best)
  return err(
    `the log has no call ${callId}: entries ${best.first} to ${best.last} are there; older ones are kept as "history" in the config file says`,
  )
}

function isBetter(one: Trace, other: Trace): boolean {
  if (one.steps.length === 0 || other.steps.length === 0) return one.steps.length > 0
  return one.first < other.first || (one.first === other.first && one.last > other.last)
}
