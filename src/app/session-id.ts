// The id of a SipApplicationSession: its group, when it was created, and a MAC, so that whoever shows it has it from the set. The same
// for its whole life, and not that of a later session of the same group.
//
//   <generation><group><mac>-<microseconds since 1970, base 36>

import type { GroupKey } from '../base/brand.ts'
import { stamp } from '../base/instant.ts'
import type { Stamp } from '../base/instant.ts'
import type { SetKeys } from '../proxy/settings.ts'
import { makeToken, readToken } from '../proxy/token.ts'

export interface SessionId {
  readonly group: GroupKey
  readonly created: Stamp
}

/** Under the first key of the set for ever: an id is stable. */
export function makeSessionId(keys: SetKeys, { group, created }: SessionId): string {
  const time = created.toString(36)
  return `${makeToken({ current: 1, key: (generation) => keys.key(generation) }, group, subject(time))}-${time}`
}

/** null = it is none that this set made. */
export function readSessionId(keys: SetKeys, text: string): SessionId | null {
  const [token = '', time = '', ...more] = text.split('-')
  if (more.length > 0 || !/^[0-9a-z]{1,11}$/.test(time)) return null
  const group = readToken(keys, token, subject(time))
  return group === null ? null : { group, created: stamp(Number.parseInt(time, 36)) }
}

/** Tells its MAC from those of routes and streams. */
function subject(time: string): string {
  return `application session ${time}`
}
