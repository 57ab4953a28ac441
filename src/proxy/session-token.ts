// What names a SipApplicationSession outside of the set: its group, when it was created, and a MAC, so that whoever shows it has it from
// the set. The same for the session's whole life, and not that of a later one of the same group.
//
//   <generation><group><mac>-<microseconds since 1970, base 36>
//
// There are two, and one tells nothing of the other: the session's id, a secret between the set and its applications, and the parameter
// of a URI that leads to the session (JSR 289 15.11.1, encodeURI), which everybody on the way of a message sees.

import type { GroupKey } from '../base/brand.ts'
import { stamp } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import { parseUri } from '../sip/uri.ts'
import type { SetKeys } from './settings.ts'
import { generationOf, makeToken, readToken } from './token.ts'

export interface SessionName {
  readonly group: GroupKey
  readonly created: Stamp
}

export type SessionPurpose = 'application session' | 'session uri'

/** The parameter of a SIP URI that leads to a session. */
export const SESSION = 'hfa'

/** Of a time: some thousands of years. */
const MOST_DIGITS = 11

/** Under the key that was in force when the session was created: it is the same for the session's life, and who has an older key can
 * make none of a younger session. */
export function makeSessionToken(keys: SetKeys, purpose: SessionPurpose, { group, created }: SessionName): string {
  const time = created.toString(36)
  const then: SetKeys = {
    current: keys.at(created),
    at: (at) => keys.at(at),
    key: (generation) => keys.key(generation),
  }
  return `${makeToken(then, group, `${purpose} ${time}`)}-${time}`
}

/** null = it is none that this set made. */
export function readSessionToken(keys: SetKeys, purpose: SessionPurpose, text: string): SessionName | null {
  const dash = text.indexOf('-')
  const [token, time] = [text.slice(0, Math.max(0, dash)), text.slice(dash + 1)]
  if (dash < 0 || time.length > MOST_DIGITS || !isBase36(time)) return null
  const created = stamp(Number.parseInt(time, 36))
  if (generationOf(token) !== keys.at(created)) return null
  const group = readToken(keys, token, `${purpose} ${time}`)
  return group === null ? null : { group, created }
}

function isBase36(text: string): boolean {
  return text !== '' && [...text].every((digit) => (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'z'))
}

/** The session that a Request-URI leads to. Its host may be a name of the set's: the MAC is what counts. */
export function sessionOfUri(keys: SetKeys, text: string): SessionName | null {
  // Nearly no URI has it.
  if (!text.includes(`;${SESSION}=`)) return null
  const uri = parseUri(text)
  const token = uri?.kind === 'sip' ? uri.params.get(SESSION) : null
  return token === undefined || token === null ? null : readSessionToken(keys, 'session uri', token)
}
