// A SipSession that begins with a request of the application's (JSR 289 15.1.2). It is there once that request is sent.

import type { Address } from './api.ts'
import { partyText } from './address.ts'
import type { HandlerTurn } from './handler-turn.ts'
import type { Request } from './request.ts'
import { Session } from './session.ts'

export interface FirstRequest {
  readonly method: string
  readonly from: Address
  readonly to: Address
  /** Of a copy: the request that it is sent for. */
  readonly linked?: Request
}

export function newLeg(turn: HandlerTurn, first: FirstRequest): Request {
  const { from, to } = first
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
  return turn.request({ kind: 'initial', session, ...first })
}
