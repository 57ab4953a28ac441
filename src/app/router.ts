// Which application a request belongs to that begins a call: the first of the configuration. (JSR 289's application router, which
// chooses a chain of them, is not here yet.)

import type { SipApplicationSession } from '../session/application-session.ts'
import type { ApplicationInfo, HandlerName } from './contract.ts'
import type { Hosted } from './sessions.ts'

export function applicationFor(applications: readonly ApplicationInfo[]): ApplicationInfo | null {
  return applications[0] ?? null
}

/** The application of a session, in the version that began it, or else the newest; null = this replica has none of that name. */
export function applicationNamed(
  applications: readonly ApplicationInfo[],
  { applicationName, hosted }: Hosted<SipApplicationSession>,
): ApplicationInfo | null {
  const named = applications.filter(({ name }) => name === applicationName)
  return named.find(({ version }) => version === hosted.applicationVersion) ?? named[0] ?? null
}

/** The first of these handlers that it has; null = it doesn't want to hear of this. */
export function handlerOf({ handlers }: ApplicationInfo, ...names: readonly HandlerName[]): HandlerName | null {
  return names.find((name) => handlers.includes(name)) ?? null
}
