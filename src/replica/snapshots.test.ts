// Snapshots (Raft paper, section 7): real replicas in memory whose logs are compacted often.

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import { millis, seconds } from '../base/instant.ts'
import { phone, request } from '../call/testing/phone.ts'
import { limits } from './limits.ts'
import { Bench, sip } from './testing/bench.ts'

const caller = phone('caller', '127.36.0.2', 5062)
const often = { every: 10_000, kept: 10 }

const invite = (callId: string): string =>
  request(caller, 'INVITE', `sip:callee@${sip.host}:${sip.port}`, { callId, branch: `z9hG4bK-${callId}` })

/** So many new calls, a few a second. */
function calls(bench: Bench, count: number, name: string): void {
  for (let i = 0; i < count; i++) {
    const at = must(bench.ids.filter((id) => bench.runs(id))[i % 2], 'two run')
    bench.sip(at, caller.flow, invite(`${name}-${i}`))
    bench.pass(millis(50))
  }
}

const hashes = (bench: Bench, ids: readonly ReplicaId[] = bench.ids): readonly string[] =>
  ids.map((id) => `${bench.replica(id).store.appliedIndex} ${bench.replica(id).store.hash()}`)

const first = (bench: Bench, id: ReplicaId): number => bench.replica(id).raft.inspect().log.first

/** All that was applied anywhere is applied everywhere. */
function settle(bench: Bench): void {
  for (let i = 0; i < 100 && new Set(hashes(bench)).size > 1; i++) bench.pass(millis(200))
  expect(new Set(hashes(bench)).size).toBe(1)
}

describe("a replica's own snapshots", () => {
  test('the log is compacted again and again, on disk and in memory, while calls go on', () => {
    const bench = new Bench([], 3, often).begin()
    calls(bench, 30, 'a')
    for (const id of bench.ids) {
      expect(bench.metric(id, 'snapshots_finished')).toBeGreaterThan(1)
      expect(first(bench, id)).toBeGreaterThan(1)
      expect(bench.recordsOf(id).reduce((sum, { length }) => sum + length, 0)).toBeLessThan(4 * often.every)
    }
    settle(bench)
  })

  test('a restart from a snapshot and what follows it has everything', () => {
    const bench = new Bench([], 3, often).begin()
    calls(bench, 25, 'a')
    const id = must(bench.followers()[0], 'a follower')
    bench.kill(id)
    calls(bench, 2, 'b')
    bench.restart(id)
    expect(
      bench.replica(id).store.groupVersion(must([...bench.replica(id).store.groups()][0], 'a group')),
    ).toBeGreaterThan(0)
    bench.pass(seconds(5))
    settle(bench)
    expect(bench.serving()).toHaveLength(3)
  })

  test('all restart from their snapshots', () => {
    const bench = new Bench([], 3, often).begin()
    calls(bench, 25, 'a')
    settle(bench)
    const groups = [...bench.replica(bench.leader()).store.groups()].length
    for (const id of bench.ids) bench.kill(id)
    for (const id of bench.ids) bench.restart(id)
    bench.pass(seconds(10))
    settle(bench)
    expect([...bench.replica(bench.leader()).store.groups()].length).toBe(groups)
    expect(bench.serving()).toHaveLength(3)
  })

  test('a disk that refuses: the snapshot is given up, said, and tried again', () => {
    const bench = new Bench([], 3, often).begin()
    bench.refusesPieces = true
    calls(bench, 20, 'a')
    const id = bench.leader()
    expect(bench.metric(id, 'snapshots_abandoned')).toBeGreaterThan(0)
    expect(bench.lines.some(({ code }) => code === 'snapshot-abandoned')).toBe(true)
    expect(first(bench, id)).toBe(1)
    bench.refusesPieces = false
    calls(bench, 20, 'b')
    expect(first(bench, id)).toBeGreaterThan(1)
    settle(bench)
  })
})

describe('a follower behind a purged log', () => {
  test('it gets the snapshot while calls go on, and serves again', () => {
    const bench = new Bench([], 3, often).begin()
    const id = must(bench.followers()[0], 'a follower')
    bench.kill(id)
    calls(bench, 30, 'a')
    const behind = bench.recordsOf(id).length
    expect(first(bench, bench.leader())).toBeGreaterThan(behind)
    bench.restart(id)
    calls(bench, 20, 'b')
    expect(bench.metric(id, 'snapshots_installed')).toBe(1)
    bench.pass(seconds(2))
    settle(bench)
    expect(bench.serving()).toHaveLength(3)
  })

  test('pieces and acknowledgements that are lost come again', () => {
    const bench = new Bench([], 3, often).begin()
    const id = must(bench.followers()[0], 'a follower')
    bench.kill(id)
    calls(bench, 30, 'a')
    // Of each kind two of three.
    const seen = { snapshot: 0, 'snapshot-ack': 0 }
    bench.loses = ({ kind }) => (kind === 'snapshot' || kind === 'snapshot-ack') && seen[kind]++ % 3 < 2
    bench.restart(id)
    bench.pass(seconds(12))
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(2)
    expect(bench.metric(id, 'snapshots_installed')).toBe(1)
    settle(bench)
  })

  test.each(['before the snapshot is whole', 'after it is installed and before it is durable'])(
    'it dies %s: it starts again from what it had, and gets another one',
    (when) => {
      const bench = new Bench([], 3, often).begin()
      const id = must(bench.followers()[0], 'a follower')
      bench.kill(id)
      calls(bench, 30, 'a')
      if (when.startsWith('before')) bench.loses = ({ kind }, from) => kind === 'snapshot-ack' && from === id
      else bench.keepsFinish = true
      bench.restart(id)
      bench.pass(seconds(3))
      expect(bench.metric(id, 'snapshots_installed')).toBe(when.startsWith('before') ? 0 : 1)
      bench.kill(id)
      bench.loses = () => false
      bench.keepsFinish = false
      bench.restart(id)
      bench.pass(seconds(8))
      expect(bench.metric(id, 'snapshots_installed')).toBe(1)
      settle(bench)
      expect(bench.serving()).toHaveLength(3)
    },
  )

  test('snapshotPatience: a follower that falls silent does not hold the next one back', () => {
    const bench = new Bench([], 3, often).begin()
    const id = must(bench.followers()[0], 'a follower')
    bench.kill(id)
    calls(bench, 30, 'a')
    bench.loses = ({ kind }, from) => kind === 'snapshot-ack' && from === id
    bench.restart(id)
    bench.pass(seconds(2))
    expect(bench.metric(bench.leader(), 'snapshots_sent')).toBe(1)
    expect(bench.metric(bench.leader(), 'snapshots_unsent')).toBe(0)
    bench.pass(limits.snapshotPatience)
    expect(bench.metric(bench.leader(), 'snapshots_unsent')).toBeGreaterThan(0)
  })
})

describe('in memory', () => {
  test('nothing is given to a disk, and logs are compacted as calls go on', () => {
    const bench = new Bench([], 3, often, 'memory').begin()
    calls(bench, 30, 'a')
    for (const id of bench.ids) expect(first(bench, id)).toBeGreaterThan(1)
    settle(bench)
    expect(bench.replica(bench.leader()).store.counts().groups).toBe(30)
  })

  test('one alone decides in the turn in which it is asked', () => {
    const bench = new Bench([], 1, often, 'memory').begin()
    const id = bench.leader()
    bench.step(id, { kind: 'sip', flow: caller.flow, data: invite('one') })
    bench.step(id, { kind: 'time' })
    expect(bench.replica(id).store.counts().groups).toBe(1)
  })

  test('a follower behind a purged log gets a snapshot', () => {
    const bench = new Bench([], 3, often, 'memory').begin()
    const id = must(bench.followers()[0], 'a follower')
    bench.loses = (_frame, from, to) => from === id || to === id
    for (let i = 0; i < 30; i++) {
      bench.sip(bench.leader(), caller.flow, invite(`a-${i}`))
      bench.pass(millis(50))
    }
    const { commit } = bench.replica(id).raft.inspect().log
    expect(first(bench, bench.leader())).toBeGreaterThan(commit + 1)
    bench.loses = () => false
    bench.pass(seconds(5))
    expect(bench.metric(id, 'snapshots_installed')).toBe(1)
    settle(bench)
    expect(bench.serving()).toHaveLength(3)
  })
})
