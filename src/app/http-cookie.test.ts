// The cookie of a converged application: what comes back is what was given, and nothing else is.

import { expect, test } from 'vitest'
import { groupKey, index } from '../base/brand.ts'
import { hashKey } from '../base/hash.ts'
import { stamp } from '../base/instant.ts'
import type { SetKeys } from '../proxy/settings.ts'
import { makeCookie, readCookie } from './http-cookie.ts'
import { makeSessionId } from './session-id.ts'

function keysUpTo(current: number): SetKeys {
  return {
    current,
    at: () => 1,
    key: (generation) =>
      generation >= 1 && generation <= current ? hashKey(new Uint8Array(16).fill(generation)) : null,
  }
}

const id = makeSessionId(keysUpTo(1), { group: groupKey('00000000000000aa'), created: stamp(1_700_000_000_000_000) })
const shown = { id, version: 12, index: index(3_456) }

test('a cookie says session, version and index, to its application alone [JSR question 2.1] [JSR 27]', () => {
  const cookie = makeCookie(keysUpTo(1), 'calls', shown)
  expect(readCookie(keysUpTo(1), 'calls', cookie)).toEqual({ ...shown, isOld: false })
  expect(readCookie(keysUpTo(1), 'prepaid', cookie)).toBeNull()
})

test('nobody makes one, or another one of one that he has [JSR 27]', () => {
  const cookie = makeCookie(keysUpTo(1), 'calls', shown)
  for (let i = 0; i < cookie.length; i++) {
    const other = cookie[i] === '1' ? '2' : '1'
    const forged = cookie.slice(0, i) + other + cookie.slice(i + 1)
    expect(readCookie(keysUpTo(1), 'calls', forged), forged).toBeNull()
  }
  const parts = cookie.split('.')
  for (const text of ['', 'x', cookie.slice(0, -1), `${cookie}.`, `${cookie}0`, parts.slice(0, 4).join('.'), id]) {
    expect(readCookie(keysUpTo(1), 'calls', text), text).toBeNull()
  }
})

test('keys rotate: the one before the newest is taken still, an older one is not [JSR 27]', () => {
  const cookie = makeCookie(keysUpTo(1), 'calls', shown)
  expect(readCookie(keysUpTo(2), 'calls', cookie)).toEqual({ ...shown, isOld: true })
  expect(readCookie(keysUpTo(3), 'calls', cookie)).toBeNull()
  expect(readCookie(keysUpTo(3), 'calls', makeCookie(keysUpTo(3), 'calls', shown))).toEqual({ ...shown, isOld: false })
  // A key that this replica has not heard of yet.
  expect(readCookie(keysUpTo(1), 'calls', makeCookie(keysUpTo(2), 'calls', shown))).toBeNull()
})
