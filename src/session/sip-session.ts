// JSR 289's SipSession: what one caller's Call-ID and From tag share, over all dialogs that its INVITE forks into.
//
//   INITIAL --180 with a To tag--> EARLY --2xx--> CONFIRMED --last dialog ended--> TERMINATED
//      |                             |                                                ^   |
//      +--------non-2xx final--------+------------------------------------------------+   |
//      ^-----------------a new INVITE of the same Call-ID and tag (after a 407)-----------+

import { stamp } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import { codeOf, nameOf, readFields } from './fields.ts'

export type SipSessionState = 'INITIAL' | 'EARLY' | 'CONFIRMED' | 'TERMINATED'

const STATES: readonly SipSessionState[] = ['INITIAL', 'EARLY', 'CONFIRMED', 'TERMINATED']

export interface SipSession {
  readonly kind: 'session'
  readonly state: SipSessionState
  readonly callId: string
  readonly callerTag: string
  /** The URIs of From and To of the INVITE. */
  readonly caller: string
  readonly callee: string
  /** Cluster time, as its creator estimated it. */
  readonly created: Stamp
}

/** The session when one of its INVITEs begins. */
export function enterInitial(session: SipSession): SipSession {
  return session.state === 'TERMINATED' ? { ...session, state: 'INITIAL' } : session
}

export function enterEarly(session: SipSession): SipSession {
  return session.state === 'INITIAL' ? { ...session, state: 'EARLY' } : session
}

export function enterConfirmed(session: SipSession): SipSession {
  return session.state === 'CONFIRMED' ? session : { ...session, state: 'CONFIRMED' }
}

export function enterTerminated(session: SipSession): SipSession {
  return session.state === 'TERMINATED' ? session : { ...session, state: 'TERMINATED' }
}

export function sipSessionFields(session: SipSession): readonly unknown[] {
  const { state, callId, callerTag, caller, callee, created } = session
  return [1, codeOf(STATES, state), callId, callerTag, caller, callee, created]
}

export function readSipSession(value: unknown): SipSession {
  const fields = readFields(value, 1)
  return {
    kind: 'session',
    state: nameOf(STATES, fields.number()),
    callId: fields.text(),
    callerTag: fields.text(),
    caller: fields.text(),
    callee: fields.text(),
    created: stamp(fields.number()),
  }
}
