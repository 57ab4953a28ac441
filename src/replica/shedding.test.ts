import { expect, test } from 'vitest'
import { hashKey } from '../base/hash.ts'
import { instant, millis, plus } from '../base/instant.ts'
import { parsedRequest, phone, request } from '../call/testing/phone.ts'
import { limits } from './limits.ts'
import { Shedding } from './shedding.ts'

const key = hashKey(new Uint8Array(16).fill(7))
const keys = { current: 1, key: () => key }
const start = instant(1_000_000)
const caller = phone('caller', '127.36.0.2', 5062)
const invite = (n: number): ReturnType<typeof parsedRequest> =>
  parsedRequest(request(caller, 'INVITE', 'sip:callee@127.36.0.1:5060', { callId: `c${n}`, branch: `z9hG4bK-${n}` }))

/** Seconds of a kind: `f`ull, or `e`mpty at times. What is said after each, `-` for nothing. */
function shares(seconds: string): string {
  const shedding = new Shedding()
  return [...seconds].map((kind) => shedding.second(kind === 'f', 0) ?? '-').join(' ')
}

test('one full second is a pause; from the second on the share is cut, again and again', () => {
  expect(shares('efeff')).toBe('- - - - 60')
  expect(shares('ffffffffffff')).toBe('- 60 36 21 12 7 5 - - - - -')
})

test('ten seconds after the load all is as before', () => {
  expect(shares('fffffffeeeeeeeeeee')).toBe('- 60 36 21 12 7 5 15 25 35 45 55 65 75 85 95 100 -')
})

test('the share stays where the load just fits', () => {
  expect(shares('fffefe')).toBe('- 60 36 46 - 56')
})

test('INVITEs that wait for too long are too much, wherever they wait; a few of many are not', () => {
  const said = (slow: number, quick: number, waiting: number): number | null => {
    const shedding = new Shedding()
    for (let i = 0; i < limits.fullSeconds; i++) {
      for (let j = 0; j < slow; j++) shedding.handled(start, plus(start, limits.slow))
      for (let j = 0; j < quick; j++) shedding.handled(start, plus(start, millis(20)))
      const share = shedding.second(false, waiting)
      if (share !== null) return share
    }
    return null
  }
  expect([said(25, 75, 0), said(0, 75, 25), said(0, 0, 25)]).toEqual([60, 60, 60])
  expect([said(10, 75, 10), said(5, 0, 4), said(0, 1_000, 0)]).toEqual([null, null, null])
})

test('what waited for a quorum is no sign of load: waiting counts from when it is back', () => {
  const shedding = new Shedding()
  const back = plus(start, millis(5_000))
  shedding.waited(back)
  for (let second = 0; second < limits.fullSeconds; second++) {
    for (let i = 0; i < 50; i++) shedding.handled(start, plus(back, millis(300)))
    expect(shedding.second(false, 0)).toBeNull()
  }
  expect(shedding.isSlow(start, plus(back, millis(1_999)))).toBe(false)
  expect(shedding.isSlow(start, plus(back, limits.slow))).toBe(true)
})

test('a share of all is let in, and the same request alike each time', () => {
  const shedding = new Shedding()
  for (let i = 0; i < 3; i++) shedding.second(true, 0)
  const verdicts = Array.from({ length: 500 }, (_, n) => shedding.isLetIn(invite(n), keys))
  expect(verdicts.filter(Boolean).length / 500).toBeCloseTo(0.36, 1)
  expect(Array.from({ length: 500 }, (_, n) => shedding.isLetIn(invite(n), keys))).toEqual(verdicts)
})
