import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { GroupKey } from '../base/brand.ts'
import { stamp } from '../base/instant.ts'
import { decodeSnapshotPart, encodeSnapshotPart } from '../wire/codec.ts'
import type { SnapshotPart } from '../wire/snapshot.ts'
import { Store } from './store.ts'
import type { TestLog } from './testing/log.ts'
import { applyChecked, callback, deletion, dialog, group, put, served, start } from './testing/log.ts'

const PLENTY = 1 << 30

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

interface Step {
  readonly key: number
  readonly id: string
  readonly what: 'put' | 'delete' | 'timer' | 'deletion' | 'hold' | 'intent' | 'pulse' | 'serving' | 'key' | 'cut'
}

const step: fc.Arbitrary<Step> = fc.record({
  key: fc.nat({ max: 30 }),
  id: fc.constantFrom('a', 'b', 'ü'),
  what: fc.constantFrom(
    'put',
    'put',
    'delete',
    'timer',
    'deletion',
    'hold',
    'intent',
    'pulse',
    'serving',
    'key',
    'cut',
  ),
})

function versionOf(log: TestLog, key: GroupKey, id: string): number {
  return log.store.group(key)?.entities.find((entity) => entity.id === id)?.version ?? 0
}

function perform(log: TestLog, { key, id, what }: Step): void {
  const expected = versionOf(log, group(key), id)
  const puts = [put(expected, id, [key, expected])]
  log.now = stamp(log.now + 7)
  if (what === 'put') log.commit(group(key), { puts })
  else if (what === 'delete') log.commit(group(key), { deletes: [{ ...dialog(id), expected }] })
  else if (what === 'timer') log.commit(group(key), { puts, timers: [callback(id, key * 3)] })
  else if (what === 'deletion') log.commit(group(key), { puts, timers: [deletion(id, key * 3, dialog(id))] })
  else if (what === 'hold') log.commit(group(key), { puts, holds: [{ counter: id, limit: null }] })
  else if (what === 'intent') log.commit(group(key), { puts, opened: [{ id, bytes: Uint8Array.of(key) }] })
  else if (what === 'pulse') log.pulse(log.now, 3)
  else if (what === 'serving') log.serving(key % 2 === 0 ? [start(1)] : [], key % 2 === 0 ? [] : [start(1)])
  else if (what === 'key') {
    log.append({ kind: 'key', generation: log.store.keyGeneration + 1, key: new Uint8Array(16).fill(key) })
  }
}

const bytesOf = (part: SnapshotPart): Uint8Array => encodeSnapshotPart(part)

function partOf(bytes: Uint8Array): SnapshotPart {
  const read = decodeSnapshotPart(bytes)
  if (!read.ok) throw new Error(read.error)
  return read.value
}

/** A store made of a snapshot's bytes. */
function restored(parts: readonly Uint8Array[]): Store {
  const store = new Store()
  for (const bytes of parts) expect(store.restore(partOf(bytes))).toBe(null)
  return store
}

test('a snapshot that is cut while the log goes on, and the suffix after it, come to the same as the whole log', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(step, { maxLength: 60 }), (before, after) => {
      const log = served()
      for (const one of before) perform(log, one)
      const [at, hash] = [log.store.appliedIndex, log.store.hash()]
      const cursor = log.store.snapshot(PLENTY)
      const parts: Uint8Array[] = []
      for (const one of after) {
        perform(log, one)
        if (one.what === 'cut') for (let i = 0; i < 3; i++) parts.push(...cursor.next(1, bytesOf))
      }
      while (cursor.state === 'open') parts.push(...cursor.next(1, bytesOf))
      expect(cursor.state).toBe('complete')
      const store = restored(parts)
      expect([store.appliedIndex, store.hash()]).toEqual([at, hash])
      for (const entry of log.entries.slice(at)) applyChecked(store, entry)
      expect(store.hash()).toBe(log.store.hash())
      expect(store.counts()).toEqual(log.store.counts())
      expect([...store.groups()].sort().map((key) => store.group(key))).toEqual(
        [...log.store.groups()].sort().map((key) => log.store.group(key)),
      )
    }),
    { numRuns: 150 },
  )
})

test('equal stores make equal snapshots, whatever came meanwhile', () => {
  const [quiet, busy] = [served(), served()]
  for (const log of [quiet, busy]) for (let n = 1; n <= 50; n++) perform(log, { key: n, id: 'a', what: 'timer' })
  const texts = [quiet, busy].map((log) => {
    const cursor = log.store.snapshot(PLENTY)
    const parts: Uint8Array[] = []
    while (cursor.state === 'open') {
      parts.push(...cursor.next(1, bytesOf))
      if (log === busy) perform(log, { key: (parts.length * 7) % 50, id: 'b', what: 'put' })
    }
    return parts.map((part) => Buffer.from(part).toString('hex'))
  })
  expect(texts[0]).toEqual(texts[1])
})

test('a piece is no larger than it was asked for, however many groups lie in one part of the index', () => {
  const log = served()
  const crowd = log.store.partOf(group(0))
  const keys = range(80_000)
    .map(group)
    .filter((key) => log.store.partOf(key) === crowd)
  expect(keys.length).toBeGreaterThan(10)
  for (const key of keys) log.commit(key, { puts: [put(0)] })
  const cursor = log.store.snapshot(PLENTY)
  const told: GroupKey[] = []
  while (cursor.state === 'open') {
    const groups = cursor.next(1, (part) => part).filter((part) => part.kind === 'group')
    expect(groups.length).toBeLessThanOrEqual(1)
    told.push(...groups.map(({ key }) => key))
    // What changes in the middle of the part, on either side of the cursor, and what comes anew, is told as it was.
    for (const key of [keys[told.length], keys.at(-told.length)]) {
      if (key !== undefined) log.commit(key, { puts: [put(versionOf(log, key, 'd'))] })
    }
  }
  expect(told).toEqual([...keys].sort())
})

test('what is set aside has a bound: then the snapshot is given up, and another one may begin', () => {
  const log = served()
  for (let n = 1; n <= 50; n++) perform(log, { key: n, id: 'a', what: 'put' })
  const cursor = log.store.snapshot(4_000)
  for (let n = 1; n <= 50; n++) perform(log, { key: n, id: 'a', what: 'put' })
  expect(cursor.state).toBe('overrun')
  expect(cursor.next(PLENTY, bytesOf)).toEqual([])
  expect(restored(log.store.snapshot(PLENTY).next(PLENTY, bytesOf)).hash()).toBe(log.store.hash())
})

test.each<[string, (parts: SnapshotPart[]) => SnapshotPart[], string]>([
  ['a group is missing', (parts) => parts.filter((_, i) => i !== 1), 'groups are missing'],
  ['a group comes twice', (parts) => [parts[0], parts[1], ...parts.slice(1)] as SnapshotPart[], 'is there twice'],
  ['a second head', (parts) => [parts[0], ...parts] as SnapshotPart[], 'it has a second head'],
  [
    'another value',
    (parts) => parts.map((part) => (part.kind === 'group' ? { ...part, version: part.version + 1 } : part)),
    'its hash is',
  ],
])('%s: it is said, and nobody takes it for the store', (_what, spoil, said) => {
  const log = served()
  for (let n = 1; n <= 3; n++) perform(log, { key: n, id: 'a', what: 'hold' })
  const store = new Store()
  const parts = log.store.snapshot(PLENTY).next(PLENTY, bytesOf).map(partOf)
  const faults = spoil(parts).map((part) => store.restore(part))
  expect(faults.filter((fault) => fault !== null)[0]).toContain(said)
})
