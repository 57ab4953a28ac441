// What the set does to a proxied call by itself, told to its application afterwards (told.ts): a final of its own making (nobody
// answered, no way there) as doErrorResponse, a BYE of its own (a call too old, a phone that is gone) as doBye. What the application had
// done itself it isn't told.

import { allInvites } from '../call/find.ts'
import type { CallInput } from '../call/contract.ts'
import type { Turn } from '../call/turn.ts'
import { statusOfText } from '../transaction/record.ts'
import type { OwnRecord } from '../transaction/record.ts'
import type { AppContext } from './context.ts'
import { responseHandler } from './handler-names.ts'
import { applicationNamed, handlerOf } from './router.ts'
import { applicationSession, sipSession } from './sessions.ts'
import { tellLater } from './told.ts'

/** At the end of a turn in which the application had no word. */
export function tellOwn(turn: Turn, { kind }: CallInput, ctx: AppContext): void {
  const session = applicationSession(turn)
  if (kind === 'message' || session?.hosted.isValid !== true) return
  const application = applicationNamed(ctx.applications, session)
  if (application === null) return
  for (const { id, value } of allInvites(turn)) {
    const was = turn.held('Transaction', id)?.value
    if (was?.kind !== 'invite' || was.state !== 'proceeding' || value.state !== 'completed') continue
    const { final, session: of } = value
    const isHeard = handlerOf(application, responseHandler(statusOfText(final ?? '')), 'doResponse') !== null
    if (final !== null && isHeard && sipSession(turn, of)?.hosted.role === 'proxy') tellLater(turn, final)
  }
  if (handlerOf(application, 'doBye', 'doRequest') === null) return
  for (const { text } of newByes(turn)) tellLater(turn, text)
}

/** One for each dialog: that to the callee, if there is one. */
function newByes(turn: Turn): readonly OwnRecord[] {
  const byes = new Map<string, OwnRecord>()
  for (const [id, value] of turn.entries('Transaction')) {
    if (value.kind !== 'own' || value.attempt > 1 || turn.held('Transaction', id) !== null) continue
    if (value.to === 'callee' || !byes.has(value.dialog)) byes.set(value.dialog, value)
  }
  return [...byes.values()]
}
