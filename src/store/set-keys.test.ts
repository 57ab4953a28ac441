// The generations of the set key.

import { expect, test } from 'vitest'
import { stamp } from '../base/instant.ts'
import { Digest } from './digest.ts'
import { SetKeyring } from './set-keys.ts'

const HOUR = 3_600_000_000

function key(generation: number) {
  return { kind: 'key', generation, key: new Uint8Array(16).fill(generation) } as const
}

function ring(): SetKeyring {
  const made = new SetKeyring(new Digest())
  made.add(key(1), stamp(HOUR))
  made.add(key(2), stamp(2 * HOUR))
  made.add(key(3), stamp(3 * HOUR))
  return made
}

test('a generation makes nothing before it is ten seconds old, and what it made is its own for ever', () => {
  const keys = ring()
  const lead = 10_000_000
  expect([0, HOUR, 2 * HOUR + lead - 1].map((time) => keys.at(stamp(time)))).toEqual([1, 1, 1])
  expect([2 * HOUR + lead, 3 * HOUR + lead - 1].map((time) => keys.at(stamp(time)))).toEqual([2, 2])
  expect(keys.at(stamp(9 * HOUR))).toBe(3)
})

test('only the next generation is taken, of 16 bytes', () => {
  const keys = ring()
  expect(keys.add(key(3), stamp(4 * HOUR))).toBe(false)
  expect(keys.add(key(5), stamp(4 * HOUR))).toBe(false)
  expect(keys.add({ ...key(4), key: new Uint8Array(15) }, stamp(4 * HOUR))).toBe(false)
  expect(keys.generation).toBe(3)
})

test('a snapshot has all, with their times', () => {
  const copy = new SetKeyring(new Digest())
  copy.restore(ring().bytes, ring().since)
  expect([copy.generation, copy.at(stamp(2 * HOUR + HOUR / 2))]).toEqual([3, 2])
  expect(copy.key(2)).toEqual(ring().key(2))
  // Of format 1: it had one generation.
  const old = new SetKeyring(new Digest())
  old.restore(ring().bytes.slice(0, 1), [])
  expect([old.generation, old.at(stamp(HOUR)), old.since]).toEqual([1, 1, [0]])
})
