import { expect, test } from 'vitest'
import { instant } from '../base/instant.ts'
import { Admission } from './admission.ts'
import { limits } from './limits.ts'

const second = 1_000_000

type Bounded = readonly [Admission, rate: number | null]

function bounded(rate: number | null): Bounded {
  return [new Admission(), rate]
}

/** What becomes of so many requests at one moment: admitted, refused, dropped. */
function ask([admission, rate]: Bounded, host: string, count: number, at: number, serving = 1): readonly number[] {
  const tally = { admit: 0, refuse: 0, drop: 0 }
  for (let i = 0; i < count; i++) tally[admission.verdict(host, rate, instant(at), serving)]++
  return [tally.admit, tally.refuse, tally.drop]
}

test('a source may ask so much a second; as much again is refused, and the rest gets no answer', () => {
  const admission = bounded(10)
  expect(ask(admission, '192.0.2.1', 50, 0)).toEqual([10, 10, 30])
  expect(ask(admission, '192.0.2.1', 50, second / 2)).toEqual([5, 5, 40])
  expect(ask(admission, '192.0.2.1', 50, 100 * second)).toEqual([10, 10, 30])
})

test('who asks a little more than it may gets what it may, in the long run', () => {
  const admission = bounded(10)
  ask(admission, '192.0.2.1', 10, 0)
  let admitted = 0
  for (let i = 1; i <= 150; i++) admitted += ask(admission, '192.0.2.1', 1, (i * second) / 15)[0] ?? 0
  expect(admitted).toBe(100)
})

test('one source takes nothing from another', () => {
  const admission = bounded(10)
  ask(admission, '192.0.2.1', 1_000, 0)
  expect(ask(admission, '192.0.2.2', 10, 0)).toEqual([10, 0, 0])
})

test('of an IPv6 address the first 64 bits are the source; an IPv4 address is one, mapped or not', () => {
  const admission = bounded(1)
  ask(admission, '2001:db8:0:1::1', 1, 0)
  expect(ask(admission, '2001:db8:0:1:ffff::2', 1, 0)).toEqual([0, 1, 0])
  expect(ask(admission, '2001:db8:0:2::1', 1, 0)).toEqual([1, 0, 0])
  expect(ask(admission, '192.0.2.1', 1, 0)).toEqual([1, 0, 0])
  expect(ask(admission, '192.0.2.2', 1, 0)).toEqual([1, 0, 0])
})

test('where three replicas serve each of them gives a third, so that the set gives the whole', () => {
  const admission = bounded(30)
  ask(admission, '192.0.2.1', 60, 0, 3)
  expect(ask(admission, '192.0.2.1', 30, second, 3)).toEqual([10, 10, 10])
})

test('with too many sources to remember the one heard longest ago is forgotten, not the one that asks all the time', () => {
  const admission = bounded(1)
  for (let i = 0; i < limits.sources; i++) {
    ask(admission, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 1, 0)
    ask(admission, '192.0.2.1', 1, 0)
  }
  expect(ask(admission, '192.0.2.1', 1, 0)).toEqual([0, 0, 1])
  expect(ask(admission, '10.0.0.0', 1, 0)).toEqual([1, 0, 0])
})

test('without a bound nobody is counted', () => {
  const admission = bounded(null)
  expect(ask(admission, '192.0.2.1', 1_000, 0)).toEqual([1_000, 0, 0])
})
