// What a backup is made into (decision 0045), and the set that begins with it, through whole replicas.

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { memberId, replicaId } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { millis, seconds } from '../base/instant.ts'
import { phone, request } from '../call/testing/phone.ts'
import { decodeRecord } from '../wire/codec.ts'
import { restoredLog } from './restored-log.ts'
import type { RestoredLog } from './restored-log.ts'
import { Bench, sip } from './testing/bench.ts'

const [one, two, three] = [replicaId(1), replicaId(2), replicaId(3)]
const caller = phone('caller', '127.36.0.2', 5062)
const never = { every: 1_000_000_000, kept: 10 }
const often = { every: 10_000, kept: 10 }

function call(bench: Bench, at: ReplicaId, callId: string): void {
  const branch = `z9hG4bK-${callId}`
  bench.sip(at, caller.flow, request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, { callId, branch }))
  bench.pass(millis(50))
}

/** Calls that ring, a few a second. */
function calls(bench: Bench, count: number): Bench {
  for (let i = 0; i < count; i++) call(bench, must(bench.ids[i % 3], 'one of three'), `call-${i}`)
  bench.pass(seconds(1))
  return bench
}

/** Its calls, each with its version. */
function groups(bench: Bench, id: ReplicaId): readonly string[] {
  const { store } = bench.replica(id)
  return [...store.groups()].map((group) => `${group} ${store.groupVersion(group)}`).sort()
}

function restored(bench: Bench, id: ReplicaId, places: readonly number[] = [1, 2, 3]): RestoredLog {
  const made = bench.restore(id, places)
  if (!made.ok) throw new Error(made.error)
  bench.pass(seconds(2))
  return made.value
}

/** Fresh disks come to these places, and all have the same. */
function joined(bench: Bench, places: readonly number[]): readonly ReplicaId[] {
  const fresh = places.map((place) => bench.join(place, `fresh${place}`))
  bench.pass(seconds(8))
  const hashes = new Set(
    bench.ids.map((id) => `${bench.replica(id).store.appliedIndex} ${bench.replica(id).store.hash()}`),
  )
  expect(hashes.size).toBe(1)
  return fresh.map((id) => must(typeof id === 'number' ? id : null, 'a member'))
}

describe('a backup becomes a set', () => {
  test.each([
    ['its log alone', never],
    ['a snapshot and the log after it', often],
  ])('from %s: it begins with one voter, and has every call at its version', (_what, compaction) => {
    const bench = calls(new Bench([], 3, compaction).begin(), 15)
    expect(bench.snapshotOf(two) !== null).toBe(compaction === often)
    const before = groups(bench, two)
    expect(before).toHaveLength(15)
    const { term: old, log } = bench.replica(two).raft.inspect()
    const { last } = log
    const made = restored(bench, two)
    expect(made).toMatchObject({ last, calls: { early: 15, confirmed: 0 } })
    // In a term of its own, in which nobody has voted yet.
    const state = { kind: 'state', state: { term: old + 1, vote: null } }
    expect(decodeRecord(must(made.records[0], 'a record'))).toMatchObject({ ok: true, value: state })
    expect(bench.replica(two).raft.configuration.voters.incoming).toEqual([two])
    expect(bench.serving(two)).toEqual([two])
    expect(groups(bench, two)).toEqual(before)
  })

  test('fresh disks join it in their places, under numbers that nobody of the old set had; calls begin again', () => {
    const bench = calls(new Bench([], 3, often).begin(), 10)
    restored(bench, two)
    expect(bench.ids).toEqual([two])
    for (const id of [one, three]) expect(bench.replica(two).store.book.isGone(id)).toBe(true)
    expect(bench.replica(two).store.book.isGone(two)).toBe(false)
    expect(joined(bench, [1, 3])).toEqual([memberId(1, 1_001), memberId(3, 1_001)])
    expect(bench.serving(two)).toHaveLength(3)
    const before = groups(bench, two).length
    bench.takeSent()
    call(bench, memberId(1, 1_001), 'another')
    bench.pass(seconds(1))
    expect(bench.takeSent().some(({ data }) => data.startsWith('INVITE '))).toBe(true)
    for (const id of bench.ids) expect(groups(bench, id)).toHaveLength(before + 1)
  })

  test('its log counts whole: what was on that disk and not committed, too', () => {
    const bench = calls(new Bench([], 3, never).begin(), 3)
    const leader = bench.leader()
    const others = bench.followers()
    bench.loses = (_frame, from) => from === leader
    for (const callId of bench.callIds(leader, 2, 'late')) call(bench, leader, callId)
    const { raft, store } = bench.replica(leader)
    expect(raft.inspect().log.last).toBeGreaterThan(store.appliedIndex)
    expect(groups(bench, leader)).toHaveLength(3)
    expect(others).toHaveLength(2)
    restored(bench, leader)
    expect(groups(bench, leader)).toHaveLength(5)
  })

  test('what came after the backup is not there, whatever the disk has now', () => {
    const bench = calls(new Bench([], 3, never).begin(), 3)
    const backup = { ...bench.backup(one), records: [...bench.recordsOf(one)] }
    calls(bench, 5)
    const made = restoredLog(backup, [1, 2, 3])
    expect(made).toMatchObject({ ok: true, value: { calls: { early: 3 } } })
  })

  test('a place that the new set has not is not awaited, and one that the old set had not is', () => {
    const bench = calls(new Bench().begin(), 1)
    restored(bench, one, [1, 2, 4])
    const { book } = bench.replica(one).store
    expect(book.rows.map(({ place, wanted, awaited }) => [place, wanted, awaited])).toEqual([
      [2, true, true],
      [3, false, false],
      [4, true, true],
    ])
    expect(bench.join(3, 'fresh3')).toMatchObject({ ok: false })
    expect(joined(bench, [2, 4])).toEqual([memberId(2, 1_001), memberId(4, 1_001)])
  })

  test('of what became of a backup another one is made, with numbers beyond its own', () => {
    const bench = calls(new Bench().begin(), 2)
    restored(bench, one)
    const [second] = joined(bench, [2, 3])
    restored(bench, must(second, 'a member'))
    const fresh = joined(bench, [1, 3])
    expect(fresh.every((id) => id > memberId(3, 1_001) || id > memberId(1, 1_001))).toBe(true)
    expect(groups(bench, must(second, 'a member'))).toHaveLength(2)
  })

  test('a set that writes the older format is raised to the one that has a book of members', () => {
    const bench = calls(new Bench([], 3, never, 'wal', [1, 1, 1]).begin(), 2)
    expect(bench.replica(one).store.format).toBe(1)
    const before = groups(bench, one)
    restored(bench, one)
    expect(bench.replica(one).store.format).toBe(2)
    expect(groups(bench, one)).toEqual(before)
    expect(joined(bench, [2, 3])).toEqual([memberId(2, 1_001), memberId(3, 1_001)])
  })
})

describe('no set is made', () => {
  test('of a set that nobody has led yet', () => {
    const bench = new Bench()
    expect(restoredLog({ ...bench.backup(one), records: [] }, [1, 2, 3])).toEqual({
      ok: false,
      error: 'nobody has led that set yet, so there is nothing to restore: start a new set',
    })
  })

  test('of the disk of a replica that was removed', () => {
    const bench = calls(new Bench([], 3, never).begin(), 1)
    const leader = bench.leader()
    const gone = must(bench.followers()[0], 'a follower')
    for (let tries = 0; !bench.replica(leader).store.book.isGone(gone); tries++) {
      expect(tries).toBeLessThan(20)
      bench.request(leader, { kind: 'remove', place: gone })
      bench.pass(seconds(1))
    }
    const backup = { ...bench.backup(leader), replica: gone }
    const error = `replica ${gone} was removed from its set: take the backup of one that is in it`
    expect(restoredLog(backup, [1, 2, 3])).toEqual({ ok: false, error })
  })

  test('of a log with a gap', () => {
    const bench = calls(new Bench([], 3, never).begin(), 3)
    const { records, ...backup } = bench.backup(one)
    const kindOf = (bytes: Uint8Array): string => {
      const record = decodeRecord(bytes)
      return record.ok ? record.value.kind : record.error
    }
    const second = records.filter((bytes) => kindOf(bytes) === 'entry')[1]
    const damaged = records.filter((bytes) => bytes !== second)
    const made = restoredLog({ ...backup, records: damaged }, [1, 2, 3])
    expect(made).toMatchObject({ ok: false, error: expect.stringContaining('contradicts itself') as string })
  })
})
