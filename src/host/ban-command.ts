// `holdfast ban`: sources that a set takes nothing from (decisions/0030).

import type { BanAnswer } from '../wire/member-request.ts'
import { MOST_BAN_SECONDS } from '../wire/member-shapes.ts'
import { fetchJson, order } from './admin-client.ts'
import { beginOperation, operationError, OPERATION_OPTIONS, refusalIn, waitFor } from './operation.ts'
import type { Operation } from './operation.ts'
import { hostLimits } from './limits.ts'
import { EXIT_USAGE, usageError } from './options.ts'
import type { Command } from './options.ts'

const HELP = `holdfast ban - sources that a set takes nothing from, and answers nothing

  holdfast ban list                            who is banned, and until when
  holdfast ban add SOURCE [--for SECONDS]      an address, or a block as 192.0.2.0/24 or 2001:db8::/32
  holdfast ban remove SOURCE                   it is heard again

All replicas refuse the same sources, also after deaths and restarts. A call that is up goes on, but what the banned source
says in it is not heard either. holdfast ban COMMAND --help lists a command's options.
`

type Kind = 'list' | 'add' | 'remove'

const COMMANDS: Readonly<Record<Kind, Command>> = {
  list: { name: 'holdfast ban list', summary: 'who is banned', options: OPERATION_OPTIONS },
  add: {
    name: 'holdfast ban add',
    summary: 'ban add SOURCE: nothing is taken from that address or block; given again, its end is set anew',
    options: {
      for: { takes: 'SECONDS', help: 'when it ends by itself; without it, when it is removed' },
      ...OPERATION_OPTIONS,
    },
  },
  remove: {
    name: 'holdfast ban remove',
    summary: 'ban remove SOURCE: as it was banned; a part of a block can not be taken out',
    options: OPERATION_OPTIONS,
  },
}

interface Row {
  readonly source: string
  readonly since: number
  readonly until: number | null
}

export async function banMain(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args
  if (word === '--help' || word === '-h' || word === undefined) {
    process.stdout.write(HELP)
    return word === undefined ? EXIT_USAGE : 0
  }
  if (!Object.hasOwn(COMMANDS, word)) {
    process.stderr.write(`holdfast ban: unknown command "${word}"\n\n${HELP}`)
    return EXIT_USAGE
  }
  const kind = word as Kind
  const command = COMMANDS[kind]
  const isNamed = kind !== 'list' && rest[0] !== undefined && !rest[0].startsWith('-')
  const begun = await beginOperation(command, isNamed ? rest.slice(1) : rest)
  if (begun.kind === 'exit') return begun.code
  const { operation } = begun
  if (kind === 'list') return list(command, operation)
  const source = isNamed ? rest[0] : undefined
  if (source === undefined) return usageError(command, 'SOURCE is missing, as in 192.0.2.7 or 192.0.2.0/24')
  const seconds = operation.given.get('for')
  if (seconds !== undefined && (!/^[1-9]\d{0,7}$/.test(seconds) || Number(seconds) > MOST_BAN_SECONDS)) {
    return usageError(command, `--for ${seconds}: give a whole number of seconds, 1 to ${MOST_BAN_SECONDS}`)
  }
  return change(command, operation, kind, seconds === undefined ? { source } : { source, seconds: Number(seconds) })
}

/** Asked again while there is no quorum: it is done once. */
async function change(
  command: Command,
  { url, say }: Operation,
  kind: Exclude<Kind, 'list'>,
  fields: Readonly<Record<string, unknown>>,
): Promise<number> {
  let last = ''
  const done = await waitFor<{ readonly status: number; readonly body: unknown }>(hostLimits.banMs, async () => {
    const asked = await order(`${url}/bans/${kind}`, fields)
    if (asked.ok && asked.value.status !== 503) return asked.value
    last = asked.ok ? refusalIn(asked.value.body) : asked.error
    return null
  })
  if (done === null) return operationError(command, last)
  const body = done.body as BanAnswer
  if (done.status !== 200 || !body.ok) return operationError(command, refusalIn(body))
  const { source, until } = body
  if (kind === 'remove') say(`${source} is heard`, { event: 'unbanned', source })
  else say(`${source} is banned ${untilText(until)}`, { event: 'banned', source, until: timeOf(until) })
  return 0
}

async function list(command: Command, { url, given }: Operation): Promise<number> {
  const rows = await fetchJson(`${url}/bans`)
  if (!rows.ok) return operationError(command, rows.error)
  for (const { source, since, until } of rows.value as readonly Row[]) {
    const fields = { source, since: timeOf(since), until: timeOf(until) }
    const line = given.has('json') ? JSON.stringify(fields) : `${source}  since ${timeOf(since)}, ${untilText(until)}`
    process.stdout.write(`${line}\n`)
  }
  return 0
}

/** Cluster time is close to wall time. */
function timeOf(stamp: number | null): string | null {
  return stamp === null ? null : new Date(stamp / 1_000).toISOString()
}

function untilText(until: number | null): string {
  return until === null ? 'until it is removed' : `until ${timeOf(until)}`
}
