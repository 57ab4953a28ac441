import { expect, test } from 'vitest'
import { index } from '../base/brand.ts'
import { instant, micros, millis, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import { Freshness } from './freshness.ts'
import { limits } from './limits.ts'

const start = instant(1_000_000)

/** A replica that has reached its first barrier at `start`. */
function fresh(): Freshness {
  const freshness = new Freshness(start)
  freshness.answered(must(freshness.ask(start)), index(7))
  expect(freshness.reached(index(7), start)).toBe(true)
  return freshness
}

function must(context: number | null): number {
  expect(context).not.toBeNull()
  return context as number
}

function later(ms: number): Instant {
  return plus(start, millis(ms))
}

test('[JSR question 2.1] a replica starts stale and is fresh once it has applied the answer to its barrier', () => {
  const freshness = new Freshness(start)
  expect(freshness.stale).toBe(true)
  freshness.answered(must(freshness.ask(start)), index(7))
  expect(freshness.reached(index(6), later(1))).toBe(false)
  expect(freshness.reached(index(7), later(2))).toBe(true)
  expect(freshness.stale).toBe(false)
})

test('[JSR question 2.1] silence of the leader makes it stale before the leader would remove it', () => {
  expect(limits.stale).toBeLessThan(limits.silence)
  const freshness = fresh()
  expect(freshness.check(plus(start, limits.stale), 0)).toBe(false)
  expect(freshness.check(plus(start, millis(351)), 0)).toBe(true)
  expect(freshness.stale).toBe(true)
})

test('a step that comes late was a sleep, even if the leader was heard in it', () => {
  const freshness = fresh()
  freshness.heard(later(5_000))
  expect(freshness.check(later(5_000), millis(5_000))).toBe(true)
})

test('an answer to a barrier asked for before the sleep says nothing', () => {
  const freshness = new Freshness(start)
  const before = must(freshness.ask(start))
  freshness.check(later(5_000), millis(5_000))
  freshness.answered(before, index(7))
  expect(freshness.reached(index(9), later(5_000))).toBe(false)
  const after = must(freshness.ask(later(5_000)))
  freshness.answered(after, index(9))
  expect(freshness.reached(index(9), later(5_001))).toBe(true)
})

test('a lost answer is asked for again, with a new context, not more often than every 100 ms', () => {
  const freshness = new Freshness(start)
  const first = must(freshness.ask(start))
  expect(freshness.ask(later(99))).toBeNull()
  expect(must(freshness.ask(later(100)))).not.toBe(first)
})

test('an answer that took as long as a silence says nothing of now', () => {
  const freshness = new Freshness(start)
  const early = must(freshness.ask(start))
  const late = must(freshness.ask(later(300)))
  freshness.check(later(400), 0)
  must(freshness.ask(later(400)))
  freshness.answered(early, index(7))
  expect(freshness.reached(index(7), later(400))).toBe(false)
  freshness.answered(late, index(9))
  expect(freshness.reached(index(9), later(400))).toBe(true)
})

test('a barrier that was reached long after it was asked for is asked for again', () => {
  // Its answer came, then a partition of three seconds: the entry that took our groups away may lie right behind it.
  const freshness = new Freshness(start)
  freshness.answered(must(freshness.ask(start)), index(7))
  expect(freshness.reached(index(6), later(10))).toBe(false)
  expect(freshness.deadline()).toBe(plus(start, limits.stale))
  freshness.check(later(3_000), 0)
  expect(freshness.reached(index(7), later(3_000))).toBe(false)
  freshness.answered(must(freshness.ask(later(3_000))), index(9))
  expect(freshness.reached(index(8), later(3_010))).toBe(false)
  expect(freshness.reached(index(9), later(3_010))).toBe(true)
})

/** Each 100 ms the leader is heard, and who asks is answered; true once it is stale. */
function hears(freshness: Freshness, ms: number, barrier: number): boolean {
  freshness.heard(later(ms))
  const isStale = freshness.check(later(ms), 0)
  const context = isStale ? null : freshness.ask(later(ms))
  if (context !== null) freshness.answered(context, index(barrier))
  return isStale
}

test('a replica that hears the leader but applies nothing is stale before it is taken out of serving for its lag', () => {
  expect(limits.confirmed + limits.stale).toBeLessThan(limits.applyLag)
  const freshness = fresh()
  for (let ms = 0; ms <= 1_100; ms += 100) {
    expect(hears(freshness, ms, 8)).toBe(ms === 1_100)
    expect(freshness.reached(index(7), later(ms))).toBe(false)
  }
  freshness.answered(must(freshness.ask(later(1_100))), index(1_300))
  expect(freshness.reached(index(7), later(1_110))).toBe(false)
  expect(freshness.reached(index(1_300), later(1_120))).toBe(true)
  expect(freshness.check(later(1_121), 0)).toBe(false)
})

test('a replica whose inbox is seconds long hears the leader all the while: it is stale, for its questions go without an answer', () => {
  const freshness = fresh()
  for (let ms = 100; ms <= 1_000; ms += 100) {
    freshness.heard(later(ms))
    expect(freshness.check(later(ms), 0)).toBe(false)
    freshness.ask(later(ms))
  }
  expect(freshness.deadline()).toBe(plus(later(1_000), micros(1)))
  freshness.heard(later(1_001))
  expect(freshness.check(later(1_001), 0)).toBe(true)
})

test('a replica that applies what it is asked to, only late, stays fresh, and asks twice a second', () => {
  const freshness = fresh()
  const asked: number[] = []
  for (let ms = 0; ms <= 5_000; ms += 100) {
    freshness.heard(later(ms))
    expect(freshness.check(later(ms), 0)).toBe(false)
    const context = freshness.ask(later(ms))
    if (context !== null) asked.push(ms)
    if (context !== null) freshness.answered(context, index(100 + ms))
    // Applied 400 ms later.
    freshness.reached(index(100 + ms - 400), later(ms))
  }
  expect(asked).toEqual([500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000])
})

test('doubt takes away what was asked before, also of a replica that is stale already: it may have got a snapshot meanwhile', () => {
  const freshness = new Freshness(start)
  freshness.answered(must(freshness.ask(start)), index(7))
  expect(freshness.doubt(later(1))).toBe(false)
  expect(freshness.reached(index(7), later(2))).toBe(false)
  freshness.answered(must(freshness.ask(later(2))), index(9))
  expect(freshness.reached(index(8), later(3))).toBe(false)
  expect(freshness.reached(index(9), later(4))).toBe(true)
})

test('doubt makes a fresh replica stale until a barrier that it asks for then', () => {
  const freshness = fresh()
  expect(freshness.doubt(later(1))).toBe(true)
  freshness.answered(must(freshness.ask(later(1))), index(9))
  expect(freshness.reached(index(8), later(2))).toBe(false)
  expect(freshness.reached(index(9), later(2))).toBe(true)
})
