// Which application a request belongs to that begins a call, or stands alone: the one that the application router names, or without a
// router the first of the configuration.

import type { SipApplicationSession } from '../session/application-session.ts'
import type { ApplicationInfo, HandlerName } from './contract.ts'
import type { Hosted } from './sessions.ts'

/** The router's module is asked as an application is, and has no sessions. */
export function isRouter({ handlers }: ApplicationInfo): boolean {
  return handlers.includes('getNextApplication')
}

/** Whether this replica has its code. One that is configured and isn't loaded yet is listed without a version: nobody knows what it has
 * handlers for. */
export function isLoaded({ version }: ApplicationInfo): boolean {
  return version !== ''
}

/** The newest version of it; one that this replica hasn't got can be asked all the same, and will fail. */
export function applicationOf(
  applications: readonly ApplicationInfo[],
  name: string,
  handler: HandlerName,
): ApplicationInfo {
  return applications.find((one) => one.name === name) ?? { name, version: '', handlers: [handler] }
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
