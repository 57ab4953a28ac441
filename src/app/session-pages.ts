// An application's sessions as a list shows them, from what a replica's own store has. There may be a million groups, so a page is
// looked for a bounded number of groups at a time.

import { entityValue } from '../call/entities.ts'
import type { SetKeys } from '../proxy/settings.ts'
import type { SipSession } from '../session/sip-session.ts'
import { APPLICATION_SESSION } from '../session/application-session.ts'
import type { GroupView } from '../store/view.ts'
import type { SessionSummary } from './http.ts'
import { makeSessionId } from './session-id.ts'

/** null = the group has no session of that application that is valid. */
export function summaryOf(keys: SetKeys, application: string, group: GroupView): SessionSummary | null {
  const sessions: { id: string; value: SipSession }[] = []
  let own: { readonly created: SessionSummary['created']; readonly key: string | null; readonly id: string } | null =
    null
  for (const entity of group.entities) {
    if (entity.tree !== 'SipApplicationSession' && entity.tree !== 'SipSession') continue
    const value = entityValue(entity)
    if (value.kind === 'session') sessions.push({ id: entity.id, value })
    if (value.kind !== 'application-session' || entity.id !== APPLICATION_SESSION) continue
    if (value.applicationName !== application || value.hosted?.isValid !== true) return null
    const { created, hosted } = value
    own = { created, key: hosted.key, id: makeSessionId(keys, { group: group.key, created }) }
  }
  if (own === null) return null
  return {
    ...own,
    sessions: sessions
      .filter(({ value }) => value.hosted?.isValid === true)
      .sort((a, b) => Number(a.id) - Number(b.id))
      .map(({ id, value: { state, callId, caller, callee, hosted } }) => {
        const [local, remote] = hosted?.role === 'uas' ? [callee, caller] : [caller, callee]
        return { id, callId, state, local: `<${local}>`, remote: `<${remote}>` }
      }),
  }
}
