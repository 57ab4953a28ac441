// Calls and entities as `GET /calls` shows them.

import type { Entity, GroupView } from '../store/view.ts'
import type { CallSummary } from './contract.ts'
import { entityValue } from './entities.ts'

/** The group's calls: confirmed dialogs, and sessions with an INVITE that has no final yet and no dialog confirmed. */
export function describeCalls(view: GroupView): readonly CallSummary[] {
  const sessions = new Map<string, { callId: string; since: CallSummary['since'] }>()
  const ringing = new Set<string>()
  const confirmed: string[] = []
  for (const entity of view.entities) {
    const value = entityValue(entity)
    if (value?.kind === 'session') sessions.set(entity.id, { callId: value.callId, since: value.created })
    else if (value?.kind === 'dialog' && value.state === 'confirmed') confirmed.push(value.session)
    else if (value?.kind === 'invite' && value.state === 'proceeding' && value.dialog === '') ringing.add(value.session)
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

/** One entity for `GET /calls/CALL-ID`. */
export function describeEntity(entity: Entity): unknown {
  const { tree, id, version, stamp } = entity
  return { tree, id, version, stamp, value: entityValue(entity) }
}
