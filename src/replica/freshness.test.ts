import { expect, test } from 'vitest'
import { index } from '../base/brand.ts'
import { instant, millis, plus } from '../base/instant.ts'
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

test('a replica starts stale and is fresh once it has applied the answer to its barrier', () => {
  const freshness = new Freshness(start)
  expect(freshness.stale).toBe(true)
  freshness.answered(must(freshness.ask(start)), index(7))
  expect(freshness.reached(index(6), later(1))).toBe(false)
  expect(freshness.reached(index(7), later(2))).toBe(true)
  expect(freshness.stale).toBe(false)
})

test('silence of the leader makes it stale before the leader would remove it', () => {
  expect(limits.stale).toBeLessThan(limits.silence)
  const freshness = fresh()
  expect(freshness.check(plus(start, limits.stale), 0, index(7))).toBe(false)
  expect(freshness.check(plus(start, millis(351)), 0, index(7))).toBe(true)
  expect(freshness.stale).toBe(true)
})

test('a step that comes late was a sleep, even if the leader was heard in it', () => {
  const freshness = fresh()
  freshness.heard(later(5_000))
  expect(freshness.check(later(5_000), millis(5_000), index(7))).toBe(true)
})

test('an answer to a barrier asked for before the sleep says nothing', () => {
  const freshness = new Freshness(start)
  const before = must(freshness.ask(start))
  freshness.check(later(5_000), millis(5_000), index(7))
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
  freshness.check(later(400), 0, index(7))
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
  freshness.check(later(3_000), 0, index(7))
  expect(freshness.reached(index(7), later(3_000))).toBe(false)
  freshness.answered(must(freshness.ask(later(3_000))), index(9))
  expect(freshness.reached(index(8), later(3_010))).toBe(false)
  expect(freshness.reached(index(9), later(3_010))).toBe(true)
})

test('a replica that hears the leader but applies nothing is stale before it is taken out of serving for its lag', () => {
  expect(limits.staleLag + limits.stale).toBeLessThan(limits.applyLag)
  const freshness = fresh()
  for (let ms = 0; ms <= 1_200; ms += 100) {
    freshness.heard(later(ms))
    freshness.told(index(ms < 100 ? 7 : 8 + ms), later(ms))
    // The first that it lacks was told 100 ms after the start.
    expect(freshness.check(later(ms), 0, index(7))).toBe(ms === 1_200)
  }
  const asked = must(freshness.ask(later(1_200)))
  freshness.answered(asked, index(1_300))
  expect(freshness.reached(index(7), later(1_210))).toBe(false)
  expect(freshness.reached(index(1_300), later(1_220))).toBe(true)
  expect(freshness.check(later(1_221), 0, index(1_300))).toBe(false)
})

test('a replica that applies what it is told, only late, stays fresh', () => {
  const freshness = fresh()
  for (let ms = 0; ms <= 5_000; ms += 100) {
    freshness.heard(later(ms))
    freshness.told(index(100 + ms), later(ms))
    expect(freshness.check(later(ms), 0, index(100 + ms - 900))).toBe(false)
  }
})
