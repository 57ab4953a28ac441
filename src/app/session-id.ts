// The id of a SipApplicationSession (proxy/session-token.ts).

import type { SetKeys } from '../proxy/settings.ts'
import { makeSessionToken, readSessionToken } from '../proxy/session-token.ts'
import type { SessionName } from '../proxy/session-token.ts'

export type SessionId = SessionName

export function makeSessionId(keys: SetKeys, name: SessionId): string {
  return makeSessionToken(keys, 'application session', name)
}

/** null = it is none that this set made. */
export function readSessionId(keys: SetKeys, text: string): SessionId | null {
  return readSessionToken(keys, 'application session', text)
}
