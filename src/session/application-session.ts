// JSR 289's SipApplicationSession: one in each group. The plain proxy is the application `proxy`.

import { stamp } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import { readFields } from './fields.ts'

export interface SipApplicationSession {
  readonly kind: 'application-session'
  readonly applicationName: string
  /** Cluster time, as its creator estimated it. */
  readonly created: Stamp
}

export function newApplicationSession(applicationName: string, created: Stamp): SipApplicationSession {
  return { kind: 'application-session', applicationName, created }
}

export function applicationSessionFields(session: SipApplicationSession): readonly unknown[] {
  return [1, session.applicationName, session.created]
}

export function readApplicationSession(value: unknown): SipApplicationSession {
  const fields = readFields(value, 1)
  return { kind: 'application-session', applicationName: fields.text(), created: stamp(fields.number()) }
}
