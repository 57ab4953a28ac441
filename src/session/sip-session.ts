// JSR 289's SipSession: what one caller's Call-ID and From tag share, over all dialogs that its INVITE forks into.
//
//   INITIAL --180 with a To tag--> EARLY --2xx--> CONFIRMED --last dialog ended--> TERMINATED
//      |                             |                                                ^   |
//      +--------non-2xx final--------+------------------------------------------------+   |
//      ^-----------------a new INVITE of the same Call-ID and tag (after a 407)-----------+

import { stamp } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import { attributeFields, readAttributes } from './attributes.ts'
import type { PackedAttribute } from './attributes.ts'
import { codeOf, nameOf, readFields, shapeOf } from './fields.ts'

export type SipSessionState = 'INITIAL' | 'EARLY' | 'CONFIRMED' | 'TERMINATED'

const STATES: readonly SipSessionState[] = ['INITIAL', 'EARLY', 'CONFIRMED', 'TERMINATED']

/** `proxy`: one session for both sides of a call that is relayed. `uas`, `uac`: one end of a dialog that is ours. */
export type SipSessionRole = 'proxy' | 'uas' | 'uac'

const ROLES: readonly SipSessionRole[] = ['proxy', 'uas', 'uac']

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
  /** null = no application has it: the plain proxy. */
  readonly hosted: HostedSipSession | null
}

/** What an application has of it. */
export interface HostedSipSession {
  readonly role: SipSessionRole
  readonly isValid: boolean
  readonly invalidateWhenReady: boolean
  /** Which of the application's handlers its messages go to; empty = the one it began with. */
  readonly handler: string
  /** Id of the other leg's session; empty = none. */
  readonly linked: string
  readonly attributes: readonly PackedAttribute[]
}

/** As JSR 289 has it begin. */
export function newHosted(role: SipSessionRole): HostedSipSession {
  return { role, isValid: true, invalidateWhenReady: true, handler: '', linked: '', attributes: [] }
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

/** `hosted` is of format 2. */
const SHAPES = { plain: 1, hosted: 2 } as const

/** As that format of a set has it; a set that writes format 1 runs no applications. */
export function sipSessionFields(session: SipSession, format: number): readonly unknown[] {
  const { state, callId, callerTag, caller, callee, created } = session
  const fields = [codeOf(STATES, state), callId, callerTag, caller, callee, created]
  const hosted = format === 1 ? null : session.hosted
  if (hosted === null) return [SHAPES.plain, ...fields]
  const { role, isValid, invalidateWhenReady, handler, linked, attributes } = hosted
  const flags = [isValid ? 1 : 0, invalidateWhenReady ? 1 : 0]
  return [SHAPES.hosted, ...fields, codeOf(ROLES, role), ...flags, handler, linked, attributeFields(attributes)]
}

export function readSipSession(value: unknown): SipSession {
  const isHosted = shapeOf(value) === SHAPES.hosted
  const fields = readFields(value, isHosted ? SHAPES.hosted : SHAPES.plain)
  return {
    kind: 'session',
    state: nameOf(STATES, fields.number()),
    callId: fields.text(),
    callerTag: fields.text(),
    caller: fields.text(),
    callee: fields.text(),
    created: stamp(fields.number()),
    hosted: isHosted
      ? {
          role: nameOf(ROLES, fields.number()),
          isValid: fields.flag(),
          invalidateWhenReady: fields.flag(),
          handler: fields.text(),
          linked: fields.text(),
          attributes: readAttributes(fields),
        }
      : null,
  }
}
