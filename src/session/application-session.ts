// JSR 289's SipApplicationSession: one in each group. The plain proxy is the application `proxy`, which asks for nothing of it.
//
//   hosted, valid --invalidate, expired, ready and invalidateWhenReady--> invalid (a tombstone, until the group's calls are over and gone)

import { stamp } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import { attributeFields, readAttributes } from './attributes.ts'
import type { PackedAttribute } from './attributes.ts'
import { readFields, shapeOf } from './fields.ts'

export interface SipApplicationSession {
  readonly kind: 'application-session'
  readonly applicationName: string
  /** Cluster time, as its creator estimated it. */
  readonly created: Stamp
  /** null = no application has it: the plain proxy. */
  readonly hosted: HostedApplicationSession | null
}

/** What an application has of its session. Its expiry is a ServletTimer entity, its last access an entity too: what they change
 * often changes no version that an application compares. */
export interface HostedApplicationSession {
  /** Of the application that began it. */
  readonly applicationVersion: string
  /** Invariant: what is invalid stays so, until another session takes its place. */
  readonly isValid: boolean
  readonly invalidateWhenReady: boolean
  /** The application key that it was found by (15.11.2); null = none. */
  readonly key: string | null
  /** The application router's, packed. */
  readonly stateInfo: Uint8Array
  /** Invariant: above the numbers of all SipSessions, and ServletTimers, that it ever had. */
  readonly nextSession: number
  readonly nextTimer: number
  /** It has had a SipSession or a timer: without any it waits for one, and isn't ready to be invalidated. */
  readonly wasUsed: boolean
  /** It is invalid, and its application is to hear of that: so long it stays, whoever dies. */
  readonly awaitsEnd: boolean
  readonly attributes: readonly PackedAttribute[]
}

/** The last message of a session (6.1.2): its entity's stamp is the time, so it has nothing in it. */
export interface LastAccess {
  readonly kind: 'access'
}

/** The id of a group's one SipApplicationSession in its tree... */
export const APPLICATION_SESSION = '1'
/** ...and of its last access. */
export const LAST_ACCESS = 'access'

export function newApplicationSession(applicationName: string, created: Stamp): SipApplicationSession {
  return { kind: 'application-session', applicationName, created, hosted: null }
}

/** `hosted` and `access` are of format 2. */
const SHAPES = { plain: 1, hosted: 2, access: 3 } as const

/** As that format of a set has it; a set that writes format 1 runs no applications. */
export function applicationSessionFields(session: SipApplicationSession, format: number): readonly unknown[] {
  const { applicationName, created } = session
  const hosted = format === 1 ? null : session.hosted
  if (hosted === null) return [SHAPES.plain, applicationName, created]
  return [
    SHAPES.hosted,
    applicationName,
    created,
    hosted.applicationVersion,
    hosted.isValid ? 1 : 0,
    hosted.invalidateWhenReady ? 1 : 0,
    hosted.key,
    hosted.stateInfo,
    hosted.nextSession,
    hosted.nextTimer,
    hosted.wasUsed ? 1 : 0,
    hosted.awaitsEnd ? 1 : 0,
    attributeFields(hosted.attributes),
  ]
}

export function lastAccessFields(): readonly unknown[] {
  return [SHAPES.access]
}

export function readApplicationSession(value: unknown): SipApplicationSession | LastAccess {
  const shape = shapeOf(value)
  if (shape === SHAPES.access) return { kind: 'access' }
  const isHosted = shape === SHAPES.hosted
  const fields = readFields(value, isHosted ? SHAPES.hosted : SHAPES.plain)
  return {
    kind: 'application-session',
    applicationName: fields.text(),
    created: stamp(fields.number()),
    hosted: isHosted
      ? {
          applicationVersion: fields.text(),
          isValid: fields.flag(),
          invalidateWhenReady: fields.flag(),
          key: fields.textOrNull(),
          stateInfo: fields.bytes(),
          nextSession: fields.number(),
          nextTimer: fields.number(),
          wasUsed: fields.flag(),
          awaitsEnd: fields.flag(),
          attributes: readAttributes(fields),
        }
      : null,
  }
}
