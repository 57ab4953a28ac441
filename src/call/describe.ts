// Calls and entities as `GET /calls` shows them.

import type { Entity, GroupView } from '../store/view.ts'
import type { CallSummary } from './contract.ts'
import { entityValue } from './entities.ts'
import { unpack } from '../wire/pack.ts'
import { isOpenUac } from './leg-life.ts'

/** The group's calls: confirmed dialogs, an application's legs among them, and sessions with an INVITE that has no final yet and no dialog confirmed. */
export function describeCalls(view: GroupView): readonly CallSummary[] {
  const sessions = new Map<string, { callId: string; since: CallSummary['since'] }>()
  const ringing = new Set<string>()
  const confirmed: string[] = []
  for (const entity of view.entities) {
    const value = entityValue(entity)
    if (value.kind === 'session') sessions.set(entity.id, { callId: value.callId, since: value.created })
    else if (value.kind === 'dialog' && value.state === 'confirmed') confirmed.push(value.session)
    else if (value.kind === 'leg' && value.state === 'confirmed') confirmed.push(value.session)
    else if (value.kind === 'uas' && value.method === 'INVITE' && value.state === 'open') ringing.add(value.session)
    else if (value.kind === 'uac' && value.method === 'INVITE' && isOpenUac(value)) ringing.add(value.session)
    else if (value.kind === 'invite' && value.state === 'proceeding' && value.dialog === '') ringing.add(value.session)
  }
  const summary = (session: string, state: CallSummary['state']): readonly CallSummary[] => {
    const known = sessions.get(session)
    return known === undefined ? [] : [{ callId: known.callId, state, group: view.key, since: known.since }]
  }
  return [
    ...confirmed.flatMap((session) => summary(session, 'confirmed')),
    ...[...ringing].filter((session) => !confirmed.includes(session)).flatMap((session) => summary(session, 'early')),
  ]
}

/** The Call-IDs of the group's calls, those that are over too. */
export function callIdsOf(view: GroupView): readonly string[] {
  const sessions = view.entities.filter(({ tree }) => tree === 'SipSession').map(entityValue)
  return [...new Set(sessions.flatMap((value) => (value.kind === 'session' ? [value.callId] : [])))]
}

/** One entity for `GET /calls/CALL-ID`. */
export function describeEntity(entity: Entity): unknown {
  const { tree, id, version, stamp } = entity
  return { tree, id, version, stamp, value: readable(entityValue(entity)) }
}

/** What applications keep in it is packed there: shown as what it is. */
function readable(value: unknown): unknown {
  if (value instanceof Uint8Array) {
    const unpacked = unpack(value)
    return unpacked.ok ? unpacked.value : null
  }
  if (Array.isArray(value)) return value.map(readable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, readable(field)]))
}
