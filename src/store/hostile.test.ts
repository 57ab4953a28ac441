// Whatever can be decoded can be applied: no entry of the log, however wrong, stops a replica or makes two of them differ.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Index, index, life, replicaId } from '../base/brand.ts'
import { micros, stamp } from '../base/instant.ts'
import { decodeEntry, encodeBody, encodeEntry } from '../wire/codec.ts'
import type { Commit, EntityRef, EntryBody, Pulse, ServingChange, SetKey, TimerAction, Tree } from '../wire/entry.ts'
import { Store } from './store.ts'
import { applyChecked, group } from './testing/log.ts'

const MOST_TIME = Number.MAX_SAFE_INTEGER / 2 - 1
const version = fc.oneof(fc.nat({ max: 3 }), fc.constant(Number.MAX_SAFE_INTEGER))
const serial = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1 }), fc.constant(Number.MAX_SAFE_INTEGER))
const place = fc.oneof(fc.nat({ max: 5 }), version).map(index)
const time = fc.oneof(fc.nat({ max: 100 }), fc.constant(Math.floor(MOST_TIME)))
const id = fc.constantFrom('a', 'b', '__proto__', 'constructor', '\0', 'a/b', 'ä'.repeat(50))
const lives = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 3 }))
  .map(([replica, incarnation, n]) => life(replicaId(replica), incarnation, n))
const shaped = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>
const some = <T>(items: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(items, { maxLength: 3 })
const tree = fc.constantFrom<Tree>('Dialog', 'Transaction')
const ref = shaped<EntityRef>({ tree, id })
const bytes = fc.uint8Array({ maxLength: 3 }).map((array) => Uint8Array.from(array))
const action = fc.oneof(
  fc.constant<TimerAction>({ kind: 'callback' }),
  some(ref).map<TimerAction>((targets) => ({ kind: 'delete', targets })),
)
const body: fc.Arbitrary<EntryBody> = fc.oneof(
  {
    weight: 6,
    arbitrary: shaped<Commit>({
      kind: fc.constant('commit' as const),
      group: fc.integer({ min: 1, max: 3 }).map(group),
      expected: version,
      proposer: lives,
      since: place,
      judged: place,
      serial,
      lowestOpen: serial,
      onto: version,
      puts: some(shaped({ tree, id, expected: version, bytes })),
      deletes: some(shaped({ tree, id, expected: version })),
      timers: some(shaped({ id, after: time.map(micros), action })),
      cancels: some(id),
      holds: fc.option(some(shaped({ counter: id, limit: fc.option(version) }))),
      opened: some(shaped({ id, bytes })),
      done: some(id),
    }),
  },
  {
    weight: 2,
    arbitrary: shaped<ServingChange>({
      kind: fc.constant('serving' as const),
      replaces: place,
      admit: some(lives),
      remove: some(lives),
    }),
  },
  {
    weight: 2,
    arbitrary: shaped<Pulse>({
      kind: fc.constant('pulse' as const),
      limit: fc.integer({ min: 1, max: 4 }),
      audit: fc.constant(null),
    }),
  },
  {
    weight: 1,
    arbitrary: shaped<SetKey>({
      kind: fc.constant('key' as const),
      generation: fc.integer({ min: 1, max: 3 }),
      key: fc.constant(new Uint8Array(16)),
    }),
  },
)

/** Ownership right for many of them, so that they get far. */
function honest(store: Store, wild: EntryBody): EntryBody {
  if (wild.kind === 'serving') return wild.replaces > 2 ? wild : { ...wild, replaces: store.serving().version }
  if (wild.kind !== 'commit' || wild.since > 3) return wild
  const proposer = store.ownerOf(wild.group) ?? wild.proposer
  const since: Index = store.sinceOf(proposer) ?? wild.since
  const expected = store.groupVersion(wild.group)
  return { ...wild, proposer, since, judged: store.serving().version, expected, onto: 0 }
}

test('no decoded entry makes apply throw; equal logs make equal stores', () => {
  const outcomes = new Set<string>()
  fc.assert(
    fc.property(fc.array(fc.tuple(time.map(stamp), body), { maxLength: 40 }), (drawn) => {
      const [one, two] = [new Store(), new Store()]
      for (const [i, [at, wild]] of drawn.entries()) {
        const entry = decodeEntry(encodeEntry(at, encodeBody(honest(one, wild))))
        if (!entry.ok) throw new Error(entry.error)
        const applied = applyChecked(one, entry.value)
        expect(two.apply(index(i + 1), entry.value)).toEqual(applied)
        outcomes.add(applied.kind === 'commit' ? applied.outcome : applied.kind)
      }
      expect(one.hash()).toBe(two.hash())
      expect(Math.min(...Object.values(one.counts()))).toBeGreaterThanOrEqual(0)
      for (const key of one.groups()) expect(one.group(key)?.entities.length).toBeGreaterThan(0)
    }),
    // A fixed draw: what it reaches is asserted below.
    { numRuns: 300, seed: 20 },
  )
  // The draw reaches every fate.
  const all = ['accepted', 'duplicate', 'key', 'not-owner', 'pulse', 'serving', 'version']
  expect([...outcomes].filter((outcome) => outcome !== 'limit').sort()).toEqual(all)
})
