// A SipApplicationSession as some replica's store has it: where it is, and what it is there.

import type { GroupKey } from '../base/brand.ts'
import { beginTurn, emptyLocal, loadGroup } from '../call/group.ts'
import { groupOfKey } from '../proxy/token.ts'
import type { GroupView } from '../store/view.ts'
import type { AppContext } from './context.ts'
import type { SessionView } from './contract.ts'
import { keyFault } from './operations.ts'
import type { Target } from './orders.ts'
import { readSessionId } from './session-id.ts'
import { applicationSession } from './sessions.ts'
import { viewOf } from './view.ts'

/** The group of a target; a reason = there is none, and never will be. */
export function groupOfTarget(
  target: Target,
  application: string,
  { keys }: Pick<AppContext, 'keys'>,
): { readonly group: GroupKey } | { readonly fault: string } {
  if (target.kind === 'id') {
    const read = readSessionId(keys, target.id)
    return read === null ? { fault: 'it is no id of a session: this set made none like it' } : { group: read.group }
  }
  const fault = keyFault(target.key)
  return fault === null ? { group: groupOfKey(keys, application, target.key) } : { fault }
}

/** What that group has, if it is a valid session of that application; as of what is applied here. */
export function sessionIn(view: GroupView | null, application: string, ctx: AppContext): SessionView | null {
  if (view === null) return null
  const turn = beginTurn(loadGroup(view.key, view, emptyLocal), ctx)
  const session = applicationSession(turn)
  if (session?.hosted.isValid !== true || session.applicationName !== application) return null
  return { ...viewOf(turn, ctx), groupVersion: view.version }
}

/** Whether that is the session that was looked for. */
export function isTarget(view: SessionView, target: Target): boolean {
  return target.kind === 'id' ? view.id === target.id : view.key === target.key
}

/** What a store has of a target. */
export function findSession(
  target: Target,
  application: string,
  store: { group(key: GroupKey): GroupView | null },
  ctx: AppContext,
): SessionView | null {
  const found = groupOfTarget(target, application, ctx)
  const view = 'group' in found ? sessionIn(store.group(found.group), application, ctx) : null
  return view !== null && isTarget(view, target) ? view : null
}
