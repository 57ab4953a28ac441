import { expect, test } from 'vitest'
import { index } from '../base/brand.ts'
import { instant, millis, plus } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { AdminInput } from './input.ts'
import { limits } from './limits.ts'
import { Lookups } from './lookups.ts'

const start = instant(1_000_000)

function later(ms: number): Instant {
  return plus(start, millis(ms))
}

function lookup(id: number): AdminInput {
  return { kind: 'admin', id, query: { kind: 'call', callId: `call ${id}` } }
}

function must(context: number | null): number {
  expect(context).not.toBeNull()
  return context as number
}

test('[JSR question 2.3] a lookup waits until its barrier is known and applied', () => {
  const lookups = new Lookups()
  expect(lookups.deadline()).toBeNull()
  lookups.add(lookup(1), start)
  expect(lookups.deadline()).toBe(start)
  const context = must(lookups.ask(start))
  expect(lookups.takeReady(index(100))).toEqual([])
  lookups.answered(context, index(7))
  expect(lookups.takeReady(index(6))).toEqual([])
  expect(lookups.takeReady(index(7))).toEqual([lookup(1)])
  expect(lookups.takeReady(index(8))).toEqual([])
  expect(lookups.deadline()).toBeNull()
})

test('[JSR question 2.3] a barrier that was asked for before a lookup came says nothing for it', () => {
  const lookups = new Lookups()
  lookups.add(lookup(1), start)
  const early = must(lookups.ask(start))
  lookups.add(lookup(2), later(1))
  const late = must(lookups.ask(later(1)))
  lookups.answered(early, index(7))
  expect(lookups.takeReady(index(9))).toEqual([lookup(1)])
  lookups.answered(late, index(9))
  expect(lookups.takeReady(index(9))).toEqual([lookup(2)])
})

test('an answer that is lost is asked for again, with another number', () => {
  const lookups = new Lookups()
  lookups.add(lookup(1), start)
  const first = must(lookups.ask(start))
  expect(lookups.ask(later(50))).toBeNull()
  const second = must(lookups.ask(later(100)))
  expect(second).toBeGreaterThan(first)
  lookups.answered(second, index(7))
  expect(lookups.ask(later(500))).toBeNull()
})

test('without a quorum it ends after a bounded time', () => {
  const lookups = new Lookups()
  lookups.add(lookup(1), start)
  lookups.add(lookup(2), later(10))
  expect(lookups.takeExpired(plus(start, limits.lookup))).toEqual([lookup(1)])
  expect(lookups.takeExpired(plus(later(10), limits.lookup))).toEqual([lookup(2)])
  expect(lookups.deadline()).toBeNull()
})

test('looksAtOnce: so many are answered in one turn, and the next one follows at once', () => {
  const lookups = new Lookups()
  const all = Array.from({ length: limits.looksAtOnce + 1 }, (_, at) => lookup(at))
  for (const one of all) lookups.add(one, start)
  lookups.answered(must(lookups.ask(start)), index(7))
  expect(lookups.takeReady(index(7))).toEqual(all.slice(0, limits.looksAtOnce))
  expect(lookups.deadline()).toBe(start)
  expect(lookups.takeReady(index(7))).toEqual(all.slice(limits.looksAtOnce))
  expect(lookups.deadline()).toBeNull()
})

test('what waits is bounded', () => {
  const lookups = new Lookups()
  for (let id = 1; id <= limits.lookups; id++) expect(lookups.add(lookup(id), start)).toBe(true)
  expect(lookups.add(lookup(0), start)).toBe(false)
})
