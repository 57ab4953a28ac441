// The sessions of a group as its application has them: found, opened, changed.

import type { Stamp } from '../base/instant.ts'
import { must } from '../base/assert.ts'
import { APPLICATION_SESSION, LAST_ACCESS } from '../session/application-session.ts'
import type { HostedApplicationSession, SipApplicationSession } from '../session/application-session.ts'
import { packChain } from '../proxy/chain.ts'
import type { Chain } from '../proxy/chain.ts'
import { newHosted } from '../session/sip-session.ts'
import type { HostedSipSession, SipSession, SipSessionRole } from '../session/sip-session.ts'
import { allSessions } from '../call/find.ts'
import type { Turn } from '../call/turn.ts'
import { setExpires } from './expiry.ts'
import { appLimits } from './limits.ts'
import { packedNull } from './packed.ts'
import { cancelTimer, timersOf } from './timers.ts'

export type Hosted<T extends { readonly hosted: unknown }> = T & { readonly hosted: NonNullable<T['hosted']> }

/** null = no application has it: a plain proxy's, or none. */
export function applicationSession(turn: Turn): Hosted<SipApplicationSession> | null {
  const session = turn.get('SipApplicationSession', APPLICATION_SESSION)
  return session?.kind === 'application-session' && session.hosted !== null
    ? { ...session, hosted: session.hosted }
    : null
}

/** Whether an application has the group, and may change something in it. */
export function isValid(turn: Turn): boolean {
  return applicationSession(turn)?.hosted.isValid ?? false
}

export function sipSession(turn: Turn, id: string): Hosted<SipSession> | null {
  const session = turn.get('SipSession', id)
  return session?.kind === 'session' && session.hosted !== null ? { ...session, hosted: session.hosted } : null
}

export interface NewApplicationSession {
  readonly application: string
  readonly version: string
  readonly key: string | null
  /** Absent = now. */
  readonly created?: Stamp
  /** What the application router said when it chose the application; absent = nobody was asked. */
  readonly chain?: Chain | null
}

/** The group's session, if it is valid; else a new one, with nothing of an earlier one left (a call that was over, and begins again
 * after a 407, has a new session). */
export function openApplicationSession(
  turn: Turn,
  { application, version, key, created = turn.ctx.cluster, chain = null }: NewApplicationSession,
): void {
  if (isValid(turn)) return
  const was = turn.get('SipApplicationSession', APPLICATION_SESSION)
  // Numbers go on: an id that somebody kept never means another session's.
  const { nextSession, nextTimer } = (was?.kind === 'application-session' ? was.hosted : null) ?? FIRST_NUMBERS
  for (const { id } of timersOf(turn)) cancelTimer(turn, id)
  turn.put(APPLICATION_SESSION, {
    kind: 'application-session',
    applicationName: application,
    created,
    hosted: {
      applicationVersion: version,
      isValid: true,
      invalidateWhenReady: true,
      key,
      stateInfo: chain === null ? packedNull() : packChain(chain),
      nextSession,
      nextTimer,
      wasUsed: false,
      awaitsEnd: false,
      attributes: [],
    },
  })
  setExpires(turn, appLimits.expires)
}

const FIRST_NUMBERS = { nextSession: 1, nextTimer: 1 }

/** A SipSession becomes its application's; one that is invalid begins anew. */
export function hostSession(turn: Turn, id: string, role: SipSessionRole): void {
  const session = turn.get('SipSession', id)
  if (session?.kind !== 'session' || session.hosted?.isValid === true) return
  turn.put(id, { ...session, hosted: newHosted(role) })
  const { nextSession, wasUsed } = must(applicationSession(turn), 'a session of an application').hosted
  const next = Math.max(nextSession, Number(id) + 1)
  if (next !== nextSession || !wasUsed) changeApplicationSession(turn, { nextSession: next, wasUsed: true })
}

export function changeApplicationSession(turn: Turn, change: Partial<HostedApplicationSession>): void {
  const session = must(applicationSession(turn), "an application's session")
  turn.put(APPLICATION_SESSION, { ...session, hosted: { ...session.hosted, ...change } })
}

export function changeSession(turn: Turn, id: string, change: Partial<HostedSipSession>): void {
  const session = must(sipSession(turn, id), "an application's SipSession")
  turn.put(id, { ...session, hosted: { ...session.hosted, ...change } })
}

/** A message of the group is in this turn's commit (JSR 289 6.1.2: only messages count): no commit is made for it alone. */
export function touch(turn: Turn): void {
  if (turn.commits && isValid(turn)) turn.put(LAST_ACCESS, { kind: 'access' })
}

/** Bytes that the application keeps in the group. */
export function bytesKept(turn: Turn): number {
  let bytes = 0
  const app = applicationSession(turn)
  for (const attribute of app?.hosted.attributes ?? []) bytes += attribute.bytes.length
  for (const { value } of allSessions(turn)) {
    for (const attribute of value.hosted?.attributes ?? []) bytes += attribute.bytes.length
  }
  for (const { value } of timersOf(turn)) bytes += value.info.length
  return bytes + (app?.hosted.stateInfo.length ?? 0)
}
