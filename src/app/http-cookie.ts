// What an HTTP client carries of its session from one request to the next, to whatever replica (the 2007 meeting's question 2.1: clients
// must send versions back): which session, the version that it was shown, and the index at which that stood in the log. A replica that
// has applied that index shows nothing older.
//
//   <session id>.<version>.<index>.<generation>.<mac>      numbers in base 36
//
// The MAC is of two keys that are derived of the set key's generation for this alone. Cookies of the newest generation and of the one
// before it are taken: one that is used is renewed with each key, and one that isn't is void after two.

import { index } from '../base/brand.ts'
import type { Index } from '../base/brand.ts'
import { hashHex, hashKey, sipHashText } from '../base/hash.ts'
import type { Hash64, HashKey } from '../base/hash.ts'
import type { SetKeys } from '../proxy/settings.ts'
import { readSessionId } from './session-id.ts'

export interface HttpCookie {
  /** Of the application session. */
  readonly id: string
  /** Of its group, as the client was shown it. */
  readonly version: number
  /** Applied by the replica that showed it. */
  readonly index: Index
}

const BASE = 36
const NUMBER = /^[0-9a-z]{1,11}$/
/** Generations that are taken: the newest, and the one before. */
const TAKEN = 2

export function makeCookie(keys: SetKeys, application: string, { id, version, index: at }: HttpCookie): string {
  const said = `${id}.${version.toString(BASE)}.${at.toString(BASE)}.${keys.current.toString(BASE)}`
  return `${said}.${mac(keys, keys.current, application, said) ?? ''}`
}

/** null = it is none that this set made for that application, or it is too old. `isOld`: of the key before the newest. */
export function readCookie(
  keys: SetKeys,
  application: string,
  text: string,
): (HttpCookie & { readonly isOld: boolean }) | null {
  const [id = '', version = '', at = '', generation = '', tag = '', ...more] = text.split('.')
  if (more.length > 0 || ![version, at, generation].every((number) => NUMBER.test(number))) return null
  const of = Number.parseInt(generation, BASE)
  if (of <= keys.current - TAKEN) return null
  if (mac(keys, of, application, `${id}.${version}.${at}.${generation}`) !== tag) return null
  if (readSessionId(keys, id) === null) return null
  const numbers = { version: Number.parseInt(version, BASE), index: index(Number.parseInt(at, BASE)) }
  return { id, ...numbers, isOld: of < keys.current }
}

/** 32 hexadecimal digits; null = the set has no such key. */
function mac(keys: SetKeys, generation: number, application: string, said: string): string | null {
  const key = keys.key(generation)
  if (key === null) return null
  const text = `${application} ${said}`
  return ['a', 'b'].map((half) => hashHex(sipHashText(derived(key, half), text))).join('')
}

/** A key for this alone, so that nothing else which the set signs is ever a cookie. */
function derived(key: HashKey, half: string): HashKey {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  for (const [i, part] of ['1', '2'].entries()) {
    const { high, low }: Hash64 = sipHashText(key, `http cookie ${half}${part}`)
    view.setUint32(8 * i, low, true)
    view.setUint32(8 * i + 4, high, true)
  }
  return hashKey(bytes)
}
