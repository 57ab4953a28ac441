import { expect, test } from 'vitest'
import { assert, must, unreachable } from './assert.ts'
import { compareLives, generationOf, life, memberId, MOST_PLACE, placeOf, replicaId, replicaOf } from './brand.ts'
import { between, instant, micros, millis, plus, seconds, stamp } from './instant.ts'
import { err, ok } from './result.ts'

test('an assertion says what broke', () => {
  expect(() => assert(false, 'index went back')).toThrow('index went back')
  expect(() => assert(true, 'never')).not.toThrow()
  expect(() => must(null, 'no dialog')).toThrow('no dialog')
  expect(() => must(undefined, 'no dialog')).toThrow('no dialog')
  expect([must(0, 'zero is a value'), must('', 'so is nothing')]).toEqual([0, ''])
  expect(() => unreachable({ kind: 'new' } as never)).toThrow('"kind":"new"')
})

test('lives of one incarnation are ordered by their start, others are not', () => {
  const a = life(replicaId(2), '9f', 9)
  const b = life(replicaId(2), '9f', 10)
  expect(replicaOf(a)).toBe(2)
  expect(compareLives(a, b)).toBeLessThan(0)
  expect(compareLives(b, a)).toBeGreaterThan(0)
  expect(compareLives(a, a)).toBe(0)
  expect(compareLives(a, life(replicaId(2), '9e', 1))).toBe(0)
  expect(compareLives(a, life(replicaId(1), '9f', 1))).toBe(0)
})

test('an id names a place of the set and a generation of its disk', () => {
  expect([memberId(2, 0), memberId(2, 1), memberId(MOST_PLACE, 30)]).toEqual([2, 1_002, 30_999])
  for (const [place, generation] of [[1, 0] as const, [7, 12] as const, [MOST_PLACE, 999] as const]) {
    const id = memberId(place, generation)
    expect([placeOf(id), generationOf(id)]).toEqual([place, generation])
  }
})

test('durations are whole microseconds, and time moves on by them', () => {
  expect([seconds(0.5), millis(1.5), micros(7)]).toEqual([500_000, 1_500, 7])
  expect(millis(0.0004)).toBe(0)
  expect(plus(instant(5), millis(1))).toBe(1_005)
  expect(between(stamp(10), plus(stamp(10), seconds(1)))).toBe(1_000_000)
  expect(between(stamp(10), stamp(4))).toBe(-6)
})

test('a result is a value or an error', () => {
  expect(ok(1)).toEqual({ ok: true, value: 1 })
  expect(err('late')).toEqual({ ok: false, error: 'late' })
})
