// What left a replica because of a commit, as far as the log tells it: the messages that waited for it, found by what is new in the
// transactions that it put. What left without waiting (a 100, a relayed BYE, an ACK of a 2xx) is in no log.

import type { Side } from '../session/dialog.ts'
import { otherSide } from '../session/dialog.ts'
import { requestOf } from '../transaction/record.ts'
import type { InviteRecord, UacRecord, UasRecord } from '../transaction/record.ts'
import type { Flow } from '../wire/entry.ts'
import type { EntityValue } from './entities.ts'

export interface Sent {
  /** `INVITE`, `200 OK`. */
  readonly label: string
  /** Which end of the call it went to; null = what is kept doesn't say it. */
  readonly side: Side | null
  /** `udp 192.0.2.1:5060`. */
  readonly to: string
  /** The message; null = its bytes are not kept, for its sender has them (a 2xx over UDP). */
  readonly text: string | null
}

/** A transaction as it was (null = it was not there) and as it is now. `textOf`: the text of a kept request, by its entity's id. */
export function sentBy(
  id: string,
  before: EntityValue | null,
  after: EntityValue,
  textOf: (id: string) => string | null,
): readonly Sent[] {
  switch (after.kind) {
    case 'invite':
      return ofInvite(before?.kind === 'invite' ? before : null, after, textOf)
    case 'bye':
      return before === null ? [sent(after.upstream, null, after.final)] : []
    case 'own':
      return before === null ? [sent(after.hop, after.to, after.text)] : []
    case 'uas':
      return ofUas(before?.kind === 'uas' ? before : null, after)
    case 'uac':
      return ofUac(before?.kind === 'uac' ? before : null, after, textOf(requestOf(id)))
    default:
      return []
  }
}

function ofInvite(
  before: InviteRecord | null,
  after: InviteRecord,
  textOf: (id: string) => string | null,
): readonly Sent[] {
  const all: Sent[] = []
  const far = otherSide(after.from)
  for (const branch of after.branches) {
    const was = before?.branches.find(({ id }) => id === branch.id) ?? null
    const isNew = was === null || was.state === 'waiting'
    if (isNew && branch.state !== 'waiting') all.push(sent(branch.hop, far, textOf(branch.id), 'INVITE'))
    if (branch.cancel !== null && was?.cancel !== branch.cancel) all.push(sent(branch.hop, far, branch.cancel))
    if (branch.ack !== null && was?.ack !== branch.ack) all.push(sent(branch.hop, far, branch.ack))
  }
  for (const name of ['cancelAnswer', 'provisional', 'final'] as const) {
    const text = after[name]
    if (text !== null && before?.[name] !== text) all.push(sent(after.upstream, after.from, text))
  }
  if (after.state === 'accepted' && before?.state !== 'accepted' && after.final === null)
    all.push(sent(after.upstream, after.from, null, '2xx'))
  return all
}

function ofUas(before: UasRecord | null, after: UasRecord): readonly Sent[] {
  const all: Sent[] = []
  for (const name of ['cancelAnswer', 'answer'] as const) {
    const text = after[name]
    if (text !== null && before?.[name] !== text) all.push(sent(after.upstream, null, text))
  }
  return all
}

function ofUac(before: UacRecord | null, after: UacRecord, text: string | null): readonly Sent[] {
  const all: Sent[] = []
  const isNew = before === null || before.state === 'waiting'
  if (isNew && after.state !== 'waiting') all.push(sent(after.hop, null, text, after.method))
  for (const name of ['cancel', 'ack'] as const) {
    const own = after[name]
    if (own !== null && before?.[name] !== own) all.push(sent(after.hop, null, own))
  }
  return all
}

/** `label`: of one whose text is not kept. */
function sent(to: Flow, side: Side | null, text: string | null, label = ''): Sent {
  return { label: text === null ? label : labelOf(text), side, to: printFlow(to), text }
}

/** `udp 192.0.2.1:5060`. */
export function printFlow({ transport, host, port }: Flow): string {
  return `${transport} ${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** The method of a request, the status and reason of a response. */
function labelOf(text: string): string {
  const end = text.indexOf('\r')
  const line = end < 0 ? text : text.slice(0, end)
  if (line.startsWith('SIP/2.0 ')) return line.slice('SIP/2.0 '.length)
  const space = line.indexOf(' ')
  return space < 0 ? line : line.slice(0, space)
}
