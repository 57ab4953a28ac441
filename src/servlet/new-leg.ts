// A SipSession that begins with a request of the application's (JSR 289 15.1.2). It is there once that request is sent.

import type { Address } from './api.ts'
import { partyText } from './address.ts'
import type { HandlerTurn } from './handler-turn.ts'
import type { Request } from './request.ts'
import { Session } from './session.ts'

export function newLeg(turn: HandlerTurn, method: string, from: Address, to: Address): Request {
  const { applicationSession } = turn
  applicationSession.check()
  turn.checkOpen()
  const view = {
    id: turn.newSessionId(),
    state: 'INITIAL',
    role: 'uac',
    isValid: true,
    invalidateWhenReady: true,
    callId: '',
    local: partyText(from),
    remote: partyText(to),
    localTag: '',
    remoteTag: '',
    linked: '',
    handler: '',
    attributes: [],
    pending: [],
    version: 0,
  } as const
  const session = new Session(turn, applicationSession, view, true)
  applicationSession.add(session)
  return turn.request({ kind: 'initial', session, method, from, to })
}
