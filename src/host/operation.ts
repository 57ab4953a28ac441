// What the operators' commands have in common: which set they speak to, and how they tell how far it is.

import { setTimeout as sleep } from 'node:timers/promises'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { printAddress } from './address.ts'
import { fetchJson } from './admin-client.ts'
import { hostLimits } from './limits.ts'
import { EXIT_CANNOT_START, helpPage, readOptions, usageError } from './options.ts'
import type { Command, Given, Option } from './options.ts'
import { readAdmin } from './settings.ts'

export const OPERATION_OPTIONS = {
  admin: { takes: 'HOST:PORT', help: "up's admin address, or one replica's (127.0.0.1:8060)" },
  json: { takes: null, help: 'one JSON object a line on standard output' },
} as const satisfies Record<string, Option>

export interface Operation {
  readonly given: Given
  /** `http://HOST:PORT`. */
  readonly url: string
  /** `/status` of a replica, or the array of `up`'s. */
  readonly status: unknown
  /** One line of progress: for a person, or with --json the fields. */
  say(text: string, fields: Readonly<Record<string, unknown>>): void
}

/** Reads the command line and asks who is there; or the code to exit with. */
export async function beginOperation(
  command: Command,
  args: readonly string[],
): Promise<{ readonly kind: 'exit'; readonly code: number } | { readonly kind: 'go'; readonly operation: Operation }> {
  const exit = (code: number) => ({ kind: 'exit', code }) as const
  const given = readOptions(command, args)
  if (!given.ok) return exit(usageError(command, given.error))
  if (given.value.has('help')) {
    process.stdout.write(helpPage(command))
    return exit(0)
  }
  const admin = readAdmin('admin', given.value.get('admin') ?? '127.0.0.1:8060')
  if (!admin.ok) return exit(usageError(command, admin.error))
  const address = printAddress(admin.value)
  const url = `http://${address}`
  const status = await fetchJson(`${url}/status`)
  if (!status.ok) {
    const fix = `nobody answers at ${address} (${status.error}): does holdfast up run there? --admin HOST:PORT names another`
    return exit(operationError(command, fix))
  }
  const isJson = given.value.has('json')
  const say: Operation['say'] = (text, fields) =>
    void process.stdout.write(`${isJson ? JSON.stringify(fields) : text}\n`)
  return { kind: 'go', operation: { given: given.value, url, status: status.value, say } }
}

/** Prints why it was not done; the code to exit with. */
export function operationError(command: Command, message: string): number {
  process.stderr.write(`${command.name}: ${message}\n`)
  return EXIT_CANNOT_START
}

/** The `error` of an answer that is a refusal, in words. */
export function refusalIn(body: unknown): string {
  const { error } = (body ?? {}) as { readonly error?: unknown }
  return typeof error === 'string' ? error : `its answer says ${JSON.stringify(body)}`
}

/** Looks again and again until there is something; null if there was nothing for so long. */
export async function waitFor<T>(patienceMs: number, look: () => Promise<T | null>): Promise<T | null> {
  const end = performance.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found !== null || performance.now() > end) return found
    await sleep(hostLimits.lookMs)
  }
}

/** `--replica N`; null = not given. */
export function readReplica(given: Given): Result<number | null, string> {
  const text = given.get('replica')
  if (text === undefined) return ok(null)
  if (/^[1-9]\d{0,2}$/.test(text)) return ok(Number(text))
  return err(`--replica ${text}: give a replica's number, as holdfast status shows it`)
}
