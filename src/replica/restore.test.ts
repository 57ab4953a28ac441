// What a replica makes of its disk's records, where a crash may have kept only some of them.

import { describe, expect, test } from 'vitest'
import { index, life, replicaId, term } from '../base/brand.ts'
import { instant, stamp } from '../base/instant.ts'
import { configuration } from '../raft/configuration.ts'
import type { RaftEntry } from '../raft/message.ts'
import { encodeRecord } from '../wire/codec.ts'
import type { DiskRecord } from '../wire/record.ts'
import type { ReplicaOptions } from './options.ts'
import { Replica } from './replica.ts'
import { restoreRaft } from './restore.ts'

const ids = [1, 2, 3].map(replicaId)

const entry = (at: number, of = 1): DiskRecord => {
  const value: RaftEntry = { kind: 'normal', index: index(at), term: term(of), data: Uint8Array.of(at, of) }
  return { kind: 'entry', entry: value }
}
const state = (commit: number, of = 1): DiskRecord => ({
  kind: 'state',
  state: { term: term(of), vote: null, commit: index(commit) },
})

function optionsOf(records: readonly DiskRecord[], snapshotAt: number | null = null): ReplicaOptions {
  const metadata = { index: index(snapshotAt ?? 0), term: term(1), configuration: configuration(ids) }
  return {
    id: replicaId(1),
    set: 's',
    voters: ids,
    life: life(replicaId(1), 'ab', 1),
    seed: 1,
    freshKey: new Uint8Array(16),
    snapshot: snapshotAt === null ? null : { metadata, parts: [] },
    records: records.map((record) => encodeRecord(record)),
    settings: { sip: { host: '127.0.0.1', port: 5060 }, nextHop: null },
    now: instant(0),
    wall: stamp(0),
  }
}

/** The terms of the log's entries, from the first that is there. */
function terms(records: readonly DiskRecord[], snapshotAt: number | null = null): readonly (number | null)[] {
  const { log } = restoreRaft(optionsOf(records, snapshotAt)).inspect()
  return Array.from({ length: log.last - log.first + 1 }, (_, i) => log.termAt(index(log.first + i)))
}

describe('the log that records leave', () => {
  test('an entry of another term replaces the one before it and drops what followed', () => {
    expect(terms([state(0), entry(1), entry(2), entry(3), state(0, 2), entry(2, 2)])).toEqual([1, 2])
  })

  test('a rotation that a crash cut short takes nothing away: what it wrote again it had as it was', () => {
    const old = [state(0), entry(1), entry(2), entry(3), entry(4), entry(5)]
    const rotation = [state(2), entry(3), entry(4), entry(5)]
    for (let kept = 0; kept <= rotation.length; kept++) {
      expect(terms([...old, ...rotation.slice(0, kept)])).toEqual([1, 1, 1, 1, 1])
    }
  })

  test('after a snapshot, what it has is skipped, and a gap is damage', () => {
    expect(terms([state(3), entry(2), entry(3), entry(4)], 3)).toEqual([1])
    expect(() => terms([state(3), entry(5)], 3)).toThrow('entry 5 follows entry 3')
  })
})

test('a long log is applied over several turns, each of which ends soon, and the next one follows at once', () => {
  const last = 20_000
  const empty = new Uint8Array(0)
  const noOp = (at: number): DiskRecord => ({
    kind: 'entry',
    entry: { kind: 'no-op', index: index(at), term: term(1), data: empty },
  })
  const log = Array.from({ length: last }, (_, i) => noOp(i + 1))
  const replica = new Replica(optionsOf([state(last), ...log]))
  const applied: number[] = []
  const turn = { kind: 'time', now: instant(0), wall: stamp(0) } as const
  do {
    replica.step(turn)
    applied.push(replica.store.appliedIndex)
  } while (replica.deadline() === turn.now)
  const gains = applied.map((to, i) => to - (applied[i - 1] ?? 0))
  expect(applied.at(-1)).toBe(last)
  expect(gains.length).toBeGreaterThan(5)
  expect(Math.max(...gains)).toBeLessThan(last / 5)
})
