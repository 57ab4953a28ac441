import { expect, test } from 'vitest'
import { life, replicaId } from '../base/brand.ts'
import { instant, millis, plus } from '../base/instant.ts'
import type { Flow } from '../wire/entry.ts'
import { Keeper } from './keeper.ts'

const flow: Flow = { transport: 'udp', host: '127.0.0.1', port: 5060, stream: '' }
const owner = life(replicaId(2), 'aa', 1)
const start = instant(0)

test('beyond its bound nothing is kept, and what is kept stays', () => {
  const keeper = new Keeper(2, millis(100))
  expect(keeper.keep(1, flow, 'a', start)).not.toBeNull()
  expect(keeper.keep(2, flow, 'b', start)).not.toBeNull()
  expect(keeper.keep(3, flow, 'c', start)).toBeNull()
  expect(keeper.all().map(({ data }) => data)).toEqual(['a', 'b'])
})

test('what was given is kept until it is handled', () => {
  const keeper = new Keeper(2, millis(100))
  const kept = keeper.keep(1, flow, 'a', start)
  expect(keeper.waiting).toBe(1)
  if (kept !== null) keeper.give(kept, owner)
  expect([keeper.size, keeper.waiting]).toEqual([1, 0])
  keeper.handled(1)
  keeper.handled(1)
  expect([keeper.size, keeper.waiting]).toEqual([0, 0])
})

test('what is too old is forgotten, the oldest first', () => {
  const keeper = new Keeper(9, millis(100))
  keeper.keep(1, flow, 'a', start)
  keeper.keep(2, flow, 'b', plus(start, millis(50)))
  expect(keeper.expiry()).toBe(plus(start, millis(100)))
  expect(keeper.expire(plus(start, millis(99)))).toEqual([])
  expect(keeper.expire(plus(start, millis(100))).map(({ data }) => data)).toEqual(['a'])
  expect(keeper.all().map(({ data }) => data)).toEqual(['b'])
})
