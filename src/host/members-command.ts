// `holdfast members`: who is in the set, and changes of it while calls run. Each request says what is to be; it is given again
// until it is so, which shows how far it is, and is never done twice (decisions/0018).

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { MemberAnswer, MembersView, MemberView } from '../wire/member-request.ts'
import { parseAddress } from './address.ts'
import { fetchJson, order } from './admin-client.ts'
import { hostLimits } from './limits.ts'
import { beginOperation, operationError, OPERATION_OPTIONS, refusalIn, waitFor } from './operation.ts'
import type { Operation } from './operation.ts'
import { EXIT_USAGE, usageError } from './options.ts'
import type { Command, Option } from './options.ts'

const HELP = `holdfast members - who is in the set, and changes of it while calls run

  holdfast members list           each replica: whether it votes and serves, and how far a change of it is
  holdfast members add [ID]       one more; an up starts its process, else holdfast start does where it is to run
  holdfast members remove ID      one less: its calls move to the others first
  holdfast members replace ID     a fresh disk takes the place of a lost one
  holdfast members transfer ID    that one is to lead
  holdfast members rebootstrap ID the majority is lost for good: that one goes on alone

holdfast members COMMAND --help lists a command's options. Asked again, each goes on where it was.
`

const ADDRESSES: Readonly<Record<string, Option>> = {
  'peer-address': { takes: 'HOST:PORT', help: 'where the others find it (an up gives it the next port)' },
  'admin-address': { takes: 'HOST:PORT', help: 'its admin address (an up gives it the next port)' },
}

type Kind = 'list' | 'add' | 'remove' | 'replace' | 'transfer' | 'rebootstrap'

const COMMANDS: Readonly<Record<Kind, Command>> = {
  list: { name: 'holdfast members list', summary: 'who is in the set', options: OPERATION_OPTIONS },
  add: {
    name: 'holdfast members add',
    summary: 'one more replica: members add [ID]',
    options: { ...ADDRESSES, ...OPERATION_OPTIONS },
  },
  remove: {
    name: 'holdfast members remove',
    summary: 'one replica less: members remove ID',
    options: OPERATION_OPTIONS,
  },
  replace: {
    name: 'holdfast members replace',
    summary: 'a fresh disk for a replica that lost its own: members replace ID',
    options: { ...ADDRESSES, ...OPERATION_OPTIONS },
  },
  transfer: {
    name: 'holdfast members transfer',
    summary: 'who is to lead: members transfer ID',
    options: OPERATION_OPTIONS,
  },
  rebootstrap: {
    name: 'holdfast members rebootstrap',
    summary: 'the majority is lost for good: members rebootstrap ID --i-lose ID,ID, at that replica’s own --admin',
    options: {
      'i-lose': {
        takes: 'ID,ID',
        help: 'all others that vote: what only they have is lost, and none may come back as it was',
      },
      ...OPERATION_OPTIONS,
    },
  },
}

export async function membersMain(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args
  if (word === '--help' || word === '-h' || word === undefined) {
    process.stdout.write(HELP)
    return word === undefined ? EXIT_USAGE : 0
  }
  if (!Object.hasOwn(COMMANDS, word)) {
    process.stderr.write(`holdfast members: unknown command "${word}"\n\n${HELP}`)
    return EXIT_USAGE
  }
  const kind = word as Kind
  const command = COMMANDS[kind]
  const [first = ''] = rest
  const place = /^\d+$/.test(first) && kind !== 'list' ? Number(first) : null
  const begun = await beginOperation(command, place === null ? rest : rest.slice(1))
  if (begun.kind === 'exit') return begun.code
  const { operation } = begun
  const view = await fetchJson(`${operation.url}/members`)
  if (!view.ok) return operationError(command, `who is in the set can't be read: ${view.error}`)
  const known = view.value as MembersView
  if (kind === 'list') return list(operation, known)
  if (place === null && kind !== 'add') {
    return usageError(command, `which replica? ${command.name} ID: one of ${placesOf(known).join(', ')}`)
  }
  const fields = fieldsOf(operation, known, place ?? nextPlace(known), kind)
  return fields.ok ? change(command, operation, kind, fields.value) : usageError(command, fields.error)
}

function placesOf({ members }: MembersView): readonly number[] {
  return members.filter(({ wanted }) => wanted).map(({ place }) => place)
}

/** A change that is under way is gone on with. */
function nextPlace(view: MembersView): number {
  const coming = view.members.find(({ wanted, role, stage }) => wanted && role !== 'voter' && stage.kind !== 'done')
  return coming?.place ?? Math.max(0, ...view.members.map(({ place }) => place)) + 1
}

/** What the request says. */
function fieldsOf(
  { given, status }: Operation,
  view: MembersView,
  place: number,
  kind: Kind,
): Result<Readonly<Record<string, unknown>>, string> {
  const [peer, admin] = [given.get('peer-address'), given.get('admin-address')]
  for (const address of [peer, admin]) {
    const read = address === undefined ? null : parseAddress(address)
    if (read !== null && !read.ok) return read
  }
  const known = view.members.find((member) => member.place === place)
  if (kind === 'remove' || kind === 'transfer') return ok({ place })
  if (kind === 'rebootstrap') {
    const lose = (given.get('i-lose') ?? '').split(',').filter((word) => word !== '')
    if (lose.every((word) => /^\d{1,3}$/.test(word))) return ok({ place, lose: lose.map(Number) })
    return err('--i-lose takes the numbers of the replicas that are lost for good: 2,3')
  }
  // Of the incarnation that it has now: the same request, given again once that is gone, is done.
  if (kind === 'replace') return ok({ place, id: known?.id ?? null, peer: peer ?? null, admin: admin ?? null })
  if (Array.isArray(status)) return ok({ place })
  const addresses = { peer: peer ?? known?.peer, admin: admin ?? known?.admin }
  if (addresses.peer !== undefined && addresses.admin !== undefined) return ok({ place, ...addresses })
  return err(
    'this is one replica, not an up: give --peer-address HOST:PORT and --admin-address HOST:PORT of the new one',
  )
}

/** Gives the request until it is done, and tells of each stage. */
async function change(
  command: Command,
  { url, say }: Operation,
  kind: Kind,
  fields: Readonly<Record<string, unknown>>,
): Promise<number> {
  let told = ''
  let busy = ''
  /** No leader just now, or it is asked too much, is nothing to tell of, but if it goes on. */
  const wait = (reason: string): null => {
    if (reason === busy && reason !== told)
      say((told = reason), { event: 'waiting', place: fields['place'] ?? null, reason })
    busy = reason
    return null
  }
  const look = async (): Promise<string | null> => {
    const asked = await order(`${url}/members/${kind}`, fields)
    if (!asked.ok) return asked.error
    const answer = asked.value.body as MemberAnswer
    if (asked.value.status === 503) return wait(refusalIn(asked.value.body))
    if (asked.value.status >= 400 || !answer.ok) return refusalIn(asked.value.body)
    if (answer.said !== told) say(answer.said, { event: answer.stage.kind, place: answer.place, ...answer.stage })
    told = answer.said
    return answer.stage.kind === 'done' ? '' : null
  }
  const trouble = await waitFor(hostLimits.memberMs, look)
  if (trouble === '') return 0
  const late = `it is not done after ${hostLimits.memberMs / 60_000} minutes (${told === '' ? 'no leader' : told}); ask again to go on`
  return operationError(command, trouble ?? late)
}

const HEADS = ['replica', 'disk', 'role', 'leads', 'serves', 'behind', 'stage', 'peer', 'admin']

function list({ given }: Operation, view: MembersView): number {
  if (given.has('json')) {
    process.stdout.write(`${JSON.stringify(view)}\n`)
    return 0
  }
  const rows = [HEADS, ...view.members.map((member) => rowOf(member, view.leader))]
  const widths = HEADS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  for (const row of rows) {
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
  }
  return 0
}

function rowOf(member: MemberView, leader: number | null): readonly string[] {
  const { place, generation, role, serves, lag, stage, peer, admin, wanted } = member
  const shown = (address: string): string => (address === '' ? 'as configured' : address)
  return [
    String(place),
    String(generation),
    role,
    place === leader ? 'yes' : '',
    serves ? 'yes' : '',
    lag === null ? '-' : String(lag),
    wanted ? stage.kind : `leaves: ${stage.kind}`,
    shown(peer),
    shown(admin),
  ]
}
