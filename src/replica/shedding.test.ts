import { expect, test } from 'vitest'
import type { GroupKey } from '../base/brand.ts'
import { hashKey } from '../base/hash.ts'
import { instant, millis, plus } from '../base/instant.ts'
import { parsedRequest, phone, request } from '../call/testing/phone.ts'
import { limits } from './limits.ts'
import { Shedding } from './shedding.ts'

const key = hashKey(new Uint8Array(16).fill(7))
const keys = { current: 1, at: () => 1, key: () => key }
const start = instant(1_000_000)
const caller = phone('caller', '127.36.0.2', 5062)
const invite = (n: number): ReturnType<typeof parsedRequest> =>
  parsedRequest(request(caller, 'INVITE', 'sip:callee@127.36.0.1:5060', { callId: `c${n}`, branch: `z9hG4bK-${n}` }))

/** Checks that found too much, `f`, or room, `e`. What is said after each, `-` for nothing. */
function shares(checks: string): string {
  const shedding = new Shedding()
  return [...checks].map((kind) => shedding.check(kind === 'f', 0) ?? '-').join(' ')
}

const most = limits.fullChecks - 1
const quiet = Array.from({ length: most }, () => '-')

test('full checks are a pause, or the end of a takeover, until there are four in a row; then the share is cut, again and again', () => {
  expect(shares(`${'f'.repeat(most)}e${'f'.repeat(most)}`)).toBe([...quiet, '-', ...quiet].join(' '))
  const cuts = ['80', '64', '51', '40', '32', '25', '20', '16', '12', '9', '7', '5', '-', '-']
  expect(shares('f'.repeat(most + cuts.length))).toBe([...quiet, ...cuts].join(' '))
})

test('a change of owners is no sign of load, nor what was before it', () => {
  const shedding = new Shedding()
  for (let check = 0; check < most; check++) expect(shedding.check(true, 0)).toBeNull()
  shedding.ownersChanged(start)
  for (let check = 0; check < most; check++) expect(shedding.check(true, 0)).toBeNull()
  expect(shedding.check(true, 0)).toBe(80)
})

test('ten seconds after the load all is as before', () => {
  const afterLoad = shares('f'.repeat(30) + 'e'.repeat(40))
    .split(' ')
    .slice(30)
  expect(afterLoad.slice(0, 3)).toEqual(['8', '11', '14'])
  expect(afterLoad.indexOf('100')).toBe(31)
})

test('the share stays where the load just fits', () => {
  expect(shares(`${'f'.repeat(most)}ffefe`)).toBe([...quiet, '80', '64', '67', '53', '56'].join(' '))
})

test('INVITEs that wait for too long are too much, wherever they wait; a few of many are not', () => {
  const said = (slow: number, quick: number, waiting: number): number | null => {
    const shedding = new Shedding()
    for (let i = 0; i < limits.fullChecks; i++) {
      for (let j = 0; j < slow; j++) shedding.handled(start, plus(start, limits.slow))
      for (let j = 0; j < quick; j++) shedding.handled(start, plus(start, millis(20)))
      const share = shedding.check(false, waiting)
      if (share !== null) return share
    }
    return null
  }
  expect([said(25, 75, 0), said(0, 75, 25), said(0, 0, 25)]).toEqual([80, 80, 80])
  expect([said(10, 75, 10), said(5, 0, 4), said(0, 1_000, 0)]).toEqual([null, null, null])
})

test('what waited for a quorum is no sign of load: waiting counts from when it is back', () => {
  const shedding = new Shedding()
  const back = plus(start, millis(5_000))
  shedding.waited(back)
  for (let check = 0; check < limits.fullChecks; check++) {
    for (let i = 0; i < 50; i++) shedding.handled(start, plus(back, millis(300)))
    expect(shedding.check(false, 0)).toBeNull()
  }
  expect(shedding.isSlow(start, plus(back, millis(999)))).toBe(false)
  expect(shedding.isSlow(start, plus(back, limits.slow))).toBe(true)
})

test('a share of all is let in, and the same request alike each time', () => {
  const shedding = new Shedding()
  for (let i = 0; i < most + 5; i++) shedding.check(true, 0)
  const verdicts = Array.from({ length: 500 }, (_, n) => shedding.isLetIn(invite(n), keys))
  expect(verdicts.filter(Boolean).length / 500).toBeCloseTo(0.32, 1)
  expect(Array.from({ length: 500 }, (_, n) => shedding.isLetIn(invite(n), keys))).toEqual(verdicts)
})

test('while a crowd waits nothing new is let in, but for a while after a change of owners', () => {
  const shedding = new Shedding()
  const then = plus(start, millis(10_000))
  expect(shedding.isCrowded(limits.crowd - 1, then)).toBe(false)
  expect(shedding.isCrowded(limits.crowd, then)).toBe(true)
  shedding.ownersChanged(then)
  expect(shedding.isCrowded(limits.kept, plus(then, millis(2_999)))).toBe(false)
  expect(shedding.isCrowded(limits.crowd, plus(then, limits.settled))).toBe(true)
})

test('what was let in is known until the log shows it, and no longer', () => {
  const shedding = new Shedding()
  shedding.begun('one' as GroupKey, start)
  shedding.begun('two' as GroupKey, plus(start, millis(1_500)))
  expect(['one', 'two', 'three'].map((group) => shedding.hasBegun(group as GroupKey))).toEqual([true, true, false])
  shedding.begun('two' as GroupKey, plus(start, limits.begunFor))
  expect(['one', 'two'].map((group) => shedding.hasBegun(group as GroupKey))).toEqual([false, true])
})
