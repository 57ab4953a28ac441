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
import type { FieldReader } from './fields.ts'

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
  /** When the call began that it is in or was in last, and when that was answered, as its owner estimated it: a call's end tells both
   * (decision 0032). Format 1 has no room for them. `began` 0: of a leg that is in no call (NO_CALL). */
  readonly began: Stamp
  readonly answered: Stamp | null
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

/** When the call began of a leg that is in none: its first INVITE failed, or it was no INVITE that it began with. */
export const NO_CALL: Stamp = stamp(0)

/** Whether it is in a call: of a leg INITIAL alone doesn't say it. */
export function isInCall({ state, began }: SipSession): boolean {
  return state !== 'TERMINATED' && began !== NO_CALL
}

/** The session when one of its INVITEs begins. */
export function enterInitial(session: SipSession, now: Stamp): SipSession {
  return session.state === 'TERMINATED' ? { ...session, state: 'INITIAL', began: now, answered: null } : session
}

export function enterEarly(session: SipSession): SipSession {
  return session.state === 'INITIAL' ? { ...session, state: 'EARLY' } : session
}

/** A 2xx that comes after the end, of a fork further down, begins a call of its own. */
export function enterConfirmed(session: SipSession, now: Stamp): SipSession {
  if (session.state === 'CONFIRMED') return session
  const began = session.state === 'TERMINATED' || session.began === NO_CALL ? now : session.began
  return { ...session, state: 'CONFIRMED', began, answered: now }
}

export function enterTerminated(session: SipSession): SipSession {
  return session.state === 'TERMINATED' ? session : { ...session, state: 'TERMINATED' }
}

/** `hosted` and `timed` are of format 2. */
const SHAPES = { plain: 1, hosted: 2, timed: 3 } as const

/** As that format of a set has it; a set that writes format 1 runs no applications. */
export function sipSessionFields(session: SipSession, format: number): readonly unknown[] {
  const { state, callId, callerTag, caller, callee, created, began, answered, hosted } = session
  const fields = [codeOf(STATES, state), callId, callerTag, caller, callee, created]
  if (format === 1) return [SHAPES.plain, ...fields]
  const timed = [...fields, began, answered ?? 0]
  if (hosted === null) return [SHAPES.timed, ...timed]
  const { role, isValid, invalidateWhenReady, handler, linked, attributes } = hosted
  const flags = [isValid ? 1 : 0, invalidateWhenReady ? 1 : 0]
  return [SHAPES.hosted, ...timed, codeOf(ROLES, role), ...flags, handler, linked, attributeFields(attributes)]
}

export function readSipSession(value: unknown): SipSession {
  const shape = [SHAPES.hosted, SHAPES.timed].find((one) => one === shapeOf(value)) ?? SHAPES.plain
  const fields = readFields(value, shape)
  const plain = {
    kind: 'session' as const,
    state: nameOf(STATES, fields.number()),
    callId: fields.text(),
    callerTag: fields.text(),
    caller: fields.text(),
    callee: fields.text(),
    created: stamp(fields.number()),
  }
  if (shape === SHAPES.plain) return { ...plain, began: plain.created, answered: null, hosted: null }
  const [began, answered] = [stamp(fields.number()), stamp(fields.number())]
  const timed = { ...plain, began, answered: answered === 0 ? null : answered }
  return { ...timed, hosted: shape === SHAPES.hosted ? readHosted(fields) : null }
}

function readHosted(fields: FieldReader): HostedSipSession {
  return {
    role: nameOf(ROLES, fields.number()),
    isValid: fields.flag(),
    invalidateWhenReady: fields.flag(),
    handler: fields.text(),
    linked: fields.text(),
    attributes: readAttributes(fields),
  }
}
