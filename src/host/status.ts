// `holdfast status`: the set at a glance.

import { printAddress } from './address.ts'
import { EXIT_CANNOT_START, helpPage, readOptions, usageError } from './options.ts'
import type { Command } from './options.ts'
import { fetchJson } from './admin-client.ts'
import { readAdmin } from './settings.ts'

const COMMAND: Command = {
  name: 'holdfast status',
  summary: 'the set at a glance',
  options: {
    admin: { takes: 'HOST:PORT', help: "up's admin address, or one replica's (127.0.0.1:8060)" },
    json: { takes: null, help: "the replicas' statuses in one JSON array" },
  },
}

export async function statusMain(args: readonly string[]): Promise<number> {
  const given = readOptions(COMMAND, args)
  if (!given.ok) return usageError(COMMAND, given.error)
  if (given.value.has('help')) {
    process.stdout.write(helpPage(COMMAND))
    return 0
  }
  const admin = readAdmin('admin', given.value.get('admin') ?? '127.0.0.1:8060')
  if (!admin.ok) return usageError(COMMAND, admin.error)
  const address = printAddress(admin.value)
  const answer = await fetchJson(`http://${address}/status`)
  if (!answer.ok) {
    process.stderr.write(
      `${COMMAND.name}: nobody answers at ${address} (${answer.error}): does holdfast up run there?\n`,
    )
    return EXIT_CANNOT_START
  }
  const statuses: readonly unknown[] = Array.isArray(answer.value) ? answer.value : [answer.value]
  process.stdout.write(given.value.has('json') ? `${JSON.stringify(statuses)}\n` : statusTable(statuses))
  return 0
}

/** What this table reads of a status (interface.md); anything may be missing. */
interface Shown {
  readonly replica?: number
  readonly unreachable?: string
  readonly role?: string
  readonly term?: number
  readonly commitIndex?: number
  readonly appliedIndex?: number
  readonly detached?: boolean
  readonly serving?: readonly { readonly id: number }[]
  readonly groups?: number
  readonly calls?: { readonly early: number; readonly confirmed: number }
  readonly timers?: { readonly pending: number }
  readonly intents?: { readonly open: number }
  readonly storeHash?: { readonly index: number; readonly hash: string }
}

const HEADS = [
  'replica',
  'role',
  'term',
  'commit',
  'applied',
  'serving',
  'early',
  'confirmed',
  'groups',
  'timers',
  'intents',
  'hash',
]

export function statusTable(statuses: readonly unknown[]): string {
  const rows = [HEADS, ...statuses.map((status) => row(status as Shown))]
  const widths = HEADS.map((_, column) =>
    Math.max(...rows.map((cells) => (cells.length > 2 ? (cells[column] ?? '').length : 0))),
  )
  return rows
    .map(
      (cells) =>
        `${cells
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function row(status: Shown): readonly string[] {
  const id = String(status.replica ?? '?')
  if (status.unreachable !== undefined) return [id, status.unreachable]
  const serving = (status.serving ?? [])
    .map((life) => life.id)
    .sort((a, b) => a - b)
    .join(',')
  const cells = [
    id,
    status.detached === true ? `${status.role ?? '?'}, detached` : status.role,
    status.term,
    status.commitIndex,
    status.appliedIndex,
    serving === '' ? 'nobody' : serving,
    status.calls?.early,
    status.calls?.confirmed,
    status.groups,
    status.timers?.pending,
    status.intents?.open,
    status.storeHash === undefined ? undefined : `${status.storeHash.hash.slice(0, 8)}@${status.storeHash.index}`,
  ]
  return cells.map((cell) => String(cell ?? '-'))
}
