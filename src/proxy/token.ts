// The authenticated group key that our Record-Route and Via carry (design.md 3): `;hf=<generation><group><mac>`, the
// generation in decimal digits, group and MAC in 16 hexadecimal digits each. A bad MAC is no key: whoever could choose
// the group could steer calls to one owner, or into a stranger's.
//
// A Via's token also covers the stream its request came on (`;hfs=`), so that a replica without state may trust it.

import { groupKey } from '../base/brand.ts'
import type { GroupKey } from '../base/brand.ts'
import { hashHex, sipHashText } from '../base/hash.ts'
import { must } from '../base/assert.ts'
import type { SetKeys } from './settings.ts'

/** The parameter of Record-Route and Via that carries the token. */
export const TOKEN = 'hf'
/** The parameter of Via that names the stream the request came on. */
export const STREAM = 'hfs'

/** The parameter of a Contact or Record-Route of ours that says that this Call-ID is the group's, where it isn't by its hash: of a call
 * that we placed, or that came by a chain of applications. */
export const LEG = 'hfl'

const HEX_DIGITS = 16
/** More digits than a set will see generations. */
const MOST_GENERATION_DIGITS = 6

/** `stream` as in Flow; empty for a datagram and in Record-Route. */
export function makeToken(keys: SetKeys, group: GroupKey, stream: string): string {
  const generation = keys.current
  return `${generation}${group}${mac(keys, generation, group, stream)}`
}

/** Of a token that nobody has looked at yet; NaN = it is none. */
export function generationOf(token: string): number {
  const digits = token.length - 2 * HEX_DIGITS
  return digits >= 1 && digits <= MOST_GENERATION_DIGITS && isDecimal(token, digits)
    ? Number(token.slice(0, digits))
    : NaN
}

/** The group, if the token is one that this set made. */
export function readToken(keys: SetKeys, token: string, stream: string): GroupKey | null {
  const generation = generationOf(token)
  if (Number.isNaN(generation) || keys.key(generation) === null) return null
  const digits = token.length - 2 * HEX_DIGITS
  const group = groupKey(token.slice(digits, digits + HEX_DIGITS))
  return token.slice(digits + HEX_DIGITS) === mac(keys, generation, group, stream) ? group : null
}

/** A new call's group: the hash of its Call-ID; one of ours names it. Under the first generation for ever, so that a new key moves no call. */
export function groupOfCallId(keys: SetKeys, callId: string): GroupKey {
  const key = must(keys.key(1), 'the set has no key yet')
  const own = readCallId(keys, callId)
  if (own !== null) return own
  return groupKey(hashHex(sipHashText(key, `group ${callId}`)))
}

/** The Call-ID of a call that an application places: `<group><mac>-<session>@<host>`. Any owner makes the same one, nobody else can guess
 * it, and whoever has it finds the group. */
export function makeCallId(keys: SetKeys, group: GroupKey, session: string, host: string): string {
  return `${group}${callIdMac(keys, group, session)}-${session}@${host}`
}

function readCallId(keys: SetKeys, callId: string): GroupKey | null {
  // Nearly none has it there.
  if (callId[2 * HEX_DIGITS] !== '-') return null
  const at = callId.indexOf('@')
  if (at < 0) return null
  const group = groupKey(callId.slice(0, HEX_DIGITS))
  const session = callId.slice(2 * HEX_DIGITS + 1, at)
  return callId.slice(HEX_DIGITS, 2 * HEX_DIGITS) === callIdMac(keys, group, session) ? group : null
}

function callIdMac(keys: SetKeys, group: GroupKey, session: string): string {
  const key = must(keys.key(1), 'the set has no key yet')
  return hashHex(sipHashText(key, `call ${group} ${session}`))
}

/** The group of an application's key (JSR 289 15.11.2), which is well-formed Unicode; an application's name has no space. Under the first
 * generation for ever. */
export function groupOfKey(keys: SetKeys, application: string, key: string): GroupKey {
  const first = must(keys.key(1), 'the set has no key yet')
  return groupKey(hashHex(sipHashText(first, `key ${application} ${encodeURIComponent(key)}`)))
}

/** The group of a session that begins without key or call; `name` = another one each time. */
export function groupOfNew(keys: SetKeys, name: string): GroupKey {
  const first = must(keys.key(1), 'the set has no key yet')
  return groupKey(hashHex(sipHashText(first, `new ${name}`)))
}

/** `LEG` with what it says, where a Call-ID isn't the group's by itself (an alias has led here, or the application chose it); else ''. */
export function legParameter(keys: SetKeys, group: GroupKey, callId: string): string {
  return groupOfCallId(keys, callId) === group ? '' : `;${LEG}=${legMark(keys, group, callId)}`
}

/** What `LEG` says. Under the first generation for ever, as the hash of a Call-ID is. */
export function legMark(keys: SetKeys, group: GroupKey, callId: string): string {
  const key = must(keys.key(1), 'the set has no key yet')
  return hashHex(sipHashText(key, `leg ${group} ${callId}`))
}

function mac(keys: SetKeys, generation: number, group: GroupKey, stream: string): string {
  const key = must(keys.key(generation), 'a token of a generation that the set has not')
  return hashHex(sipHashText(key, stream === '' ? `token ${group}` : `token ${group} ${stream}`))
}

function isDecimal(text: string, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code < 48 || code > 57) return false
  }
  return true
}
