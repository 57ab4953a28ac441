// An application ends a call that is relayed: a BYE to both sides (decision 0028).

import { allDialogs } from '../call/find.ts'
import { hangUp } from '../call/own-bye.ts'
import type { Turn } from '../call/turn.ts'
import { sipSession } from './sessions.ts'

/** Each dialog of that session that is up; null = it is done. */
export function endCall(turn: Turn, session: string): string | null {
  if (sipSession(turn, session)?.hosted.role !== 'proxy')
    return `IllegalState: end-call: SipSession ${session} is no call that is relayed`
  for (const { id, value } of allDialogs(turn)) {
    if (value.session === session && value.state === 'confirmed') hangUp(turn, id, value)
  }
  return null
}
