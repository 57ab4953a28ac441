// One replica against the sentences of the Raft paper (extended version) and of Ongaro's thesis, by section: snapshots.

import { describe, expect, it } from 'vitest'
import { index, replicaId, term } from '../base/brand.ts'
import { millis } from '../base/instant.ts'
import { restoredFault } from './config.ts'
import { configuration, encodeConfiguration, formatConfiguration } from './configuration.ts'
import type { RaftEntry, SnapshotMetadata } from './message.ts'
import { formatSnapshot } from './print.ts'
import { Raft } from './raft.ts'
import { appendOf, Bench, entryOf, timeout } from './testing/bench.ts'

const metadata = (at: number, of: number, voters = [1, 2, 3]): SnapshotMetadata => ({
  index: index(at),
  term: term(of),
  configuration: configuration(voters.map(replicaId)),
})
const install = (of: number, snapshot: SnapshotMetadata): Record<string, unknown> => ({
  kind: 'snapshot',
  term: of,
  snapshot,
})

/** A follower with a committed log of these terms. */
function following(terms: readonly number[], of: number): Bench {
  const bench = new Bench({ term: of }).hear(2, appendOf(of, [0, 0], terms, terms.length))
  bench.settle()
  return bench
}

/** A leader with five committed entries, and its log purged up to the third. */
function compacted(): Bench {
  const bench = new Bench({ overrides: { maxInflight: 1 } }).win(2)
  bench.settle()
  for (let at = 2; at <= 5; at++) bench.propose(`${at}`)
  bench.settle()
  bench.acknowledge(2, 5).settle()
  bench.do((raft) => raft.snapshot(index(4)))
  bench.do((raft) => raft.purge(index(3)))
  return bench
}

describe('paper 7, log compaction', () => {
  it('each server takes snapshots by itself, of what is applied; it has the last index, term and configuration', () => {
    const entry: RaftEntry = {
      index: index(2),
      term: term(1),
      kind: 'configuration',
      data: encodeConfiguration(configuration([1, 2, 3, 4].map(replicaId))),
    }
    const bench = new Bench({ term: 1 })
    bench.hear(2, { ...appendOf(1, [0, 0]), entries: [entryOf(1, 1), entry, entryOf(3, 1)], commit: index(3) }).settle()
    const taken = [1, 2, 3].map((at) => bench.do((raft) => raft.snapshot(index(at))))
    expect(taken.map((each) => each && formatSnapshot(each))).toEqual([
      '1/1 voters=1,2,3',
      '2/1 voters=1,2,3,4',
      '3/1 voters=1,2,3,4',
    ])
  })

  it('once it is written, all entries up to it may be deleted; what follows is found as before', () => {
    const bench = following([1, 1, 2, 2], 2)
    bench.do((raft) => raft.snapshot(index(3)))
    bench.do((raft) => raft.purge(index(3)))
    expect(bench.raft.status()).toMatchObject({ purged: 3, snapshot: 3, last: 4, commit: 4 })
    expect(bench.hear(2, appendOf(2, [4, 2], [2])).settle()).toEqual(['1->2 append-response term=2 index=5'])
    expect(bench.hear(2, appendOf(2, [3, 2], [2, 2])).settle()).toEqual(['1->2 append-response term=2 index=5'])
  })

  it('not what no snapshot has, nor a snapshot of what is not applied', () => {
    const bench = following([1, 1, 1], 1)
    expect(() => bench.raft.purge(index(1))).toThrow('only what a snapshot has')
    bench.hear(2, appendOf(1, [3, 1], [1])).settle()
    expect(() => bench.raft.snapshot(index(4))).toThrow('only what is applied')
  })

  it('the leader sends one to a follower whose next entry is discarded, and nothing else until it arrived', () => {
    const bench = compacted()
    bench.pass(millis(100)).settle()
    const lines = bench.hear(3, { kind: 'heartbeat-response', term: 1, context: bench.now }).settle()
    expect(lines).toEqual(['1->3 snapshot term=1 4/1 voters=1,2,3'])
    bench.propose('more')
    expect(bench.settle().filter((line) => line.startsWith('1->3'))).toEqual([])
    expect(bench.acknowledge(3, 4).settle()).toContain('1->3 append term=1 prev=4/1 commit=5 [5/1 "5", 6/1 "more"]')
  })

  it('...not to one that was not heard for an election timeout', () => {
    const bench = compacted()
    for (let i = 0; i < 10; i++) {
      const answer = { kind: 'heartbeat-response', term: 1, context: bench.now }
      expect(bench.pass(millis(100)).hear(2, answer).settle().join()).not.toContain('snapshot')
    }
  })

  it('...and again when the caller says that it was lost', () => {
    const bench = compacted()
    bench.pass(millis(100)).settle()
    bench.hear(3, { kind: 'heartbeat-response', term: 1, context: bench.now }).settle()
    bench.do((raft) => raft.reportSnapshot(replicaId(3), false))
    expect(bench.settle()).toEqual(['1->3 snapshot term=1 4/1 voters=1,2,3'])
  })

  it('figure 13, 1: one of an earlier term is refused', () => {
    const bench = following([1], 3)
    expect(bench.hear(3, install(2, metadata(9, 2))).settle()).toEqual([
      '1->3 append-response term=3 rejected index=0 hint=0/0',
    ])
    expect(bench.raft.lastIndex()).toBe(1)
  })

  it('figure 13, 6: if the log has its last entry, what follows is retained', () => {
    const bench = new Bench({ term: 2 }).hear(2, appendOf(2, [0, 0], [1, 2, 2, 2]))
    bench.settle()
    bench.hear(2, install(2, metadata(3, 2)))
    expect(bench.raft.status()).toMatchObject({ commit: 3, last: 4, purged: 0 })
  })

  it('figure 13, 7 and 8: else the entire log is discarded, and the configuration is that of the snapshot', () => {
    const bench = new Bench({ term: 2 }).hear(2, appendOf(2, [0, 0], [1, 1, 1, 1]))
    bench.settle()
    const [ready] = bench.hear(2, install(2, metadata(3, 2, [2, 3, 4]))).take()
    expect(ready).toMatchObject({ snapshot: { index: 3, term: 2 }, entries: [], mustPersist: true })
    expect(bench.raft.status()).toMatchObject({ commit: 3, last: 3, applied: 3, purged: 3, stable: 0 })
    expect(formatConfiguration(bench.raft.status().configuration)).toBe('voters=2,3,4')
  })

  it('a snapshot without its configuration, or of a later term than its sender, is not taken and not acknowledged', () => {
    for (const snapshot of [metadata(3, 2, []), metadata(3, 3)]) {
      const bench = following([1, 1], 2)
      const before = bench.raft.status()
      expect(bench.hear(2, install(2, snapshot)).settle()).toEqual([])
      const { last, commit, purged, configuration: known } = bench.raft.status()
      expect([last, commit, purged, known]).toEqual([before.last, before.commit, before.purged, before.configuration])
    }
  })

  it('...and it is acknowledged when it is durable', () => {
    const bench = new Bench({ term: 2 }).hear(2, install(2, metadata(3, 2)))
    const [ready] = bench.take()
    expect([ready?.messages, ready?.afterPersist.map(({ kind }) => kind)]).toEqual([[], ['append-response']])
    expect(bench.sync().raft.status().stable).toBe(3)
  })

  it('an old one, or one that was sent twice, takes nothing back', () => {
    const bench = following([1, 1, 1, 1, 1], 1)
    expect(bench.hear(2, install(1, metadata(3, 1))).settle()).toEqual(['1->2 append-response term=1 index=5'])
    expect(bench.raft.status()).toMatchObject({ commit: 5, applied: 5, last: 5 })
  })

  it('...nor one from before what is purged here', () => {
    const bench = following([1, 1, 1, 1, 1], 1)
    bench.do((raft) => raft.snapshot(index(5)))
    bench.do((raft) => raft.purge(index(4)))
    expect(bench.hear(2, install(1, metadata(2, 1))).settle()).toEqual(['1->2 append-response term=1 index=5'])
    expect(bench.raft.status()).toMatchObject({ commit: 5, applied: 5, snapshot: 5, purged: 4 })
  })

  it('no campaign before it is on its way to the disk', () => {
    const bench = new Bench({ term: 2 }).hear(2, install(2, metadata(3, 2))).pass(timeout)
    expect(bench.role).toBe('follower')
    bench.settle()
    expect(bench.pass(timeout).role).toBe('pre-candidate')
  })

  it('a restart begins at the snapshot; committed entries after it are handed out', () => {
    const state = { term: term(2), vote: null, commit: index(5) }
    const entries = [entryOf(4, 2), entryOf(5, 2), entryOf(6, 2)]
    const bench = new Bench()
    const { settings } = bench.raft.inspect()
    const raft = new Raft(settings, { state, entries, snapshot: metadata(3, 1) }, bench.now)
    expect(raft.status()).toMatchObject({ applied: 3, commit: 5, last: 6, stable: 6, snapshot: 3 })
    expect(raft.takeReady(bench.now)?.committed.map((each) => each.index)).toEqual([4, 5])
  })

  it('what a disk holds fits its snapshot, or is refused with a reason', () => {
    const state = { term: term(2), vote: null, commit: index(0) }
    const snapshot = metadata(3, 2)
    expect(restoredFault({ state, entries: [entryOf(4, 2)], snapshot })).toBeNull()
    expect(restoredFault({ state, entries: [entryOf(5, 2)], snapshot })).toContain('entry 5 stands at index 4')
    expect(restoredFault({ state, entries: [entryOf(4, 1)], snapshot })).toContain('term 1 after term 2')
    expect(restoredFault({ state, entries: [], snapshot: metadata(3, 3) })).toContain('below the last entry')
    expect(restoredFault({ state, entries: [], snapshot: metadata(3, 2, []) })).toContain('no voters')
    expect(restoredFault({ state, entries: [], snapshot, applied: index(4) })).toContain('applied 4')
  })

  it('a replica that joined takes none before it knows who is in the set', () => {
    const bench = new Bench({ term: 1, overrides: { voters: [] } }).hear(2, appendOf(1, [0, 0], [1], 1))
    bench.settle()
    expect(bench.do((raft) => raft.snapshot(index(1)))).toBeNull()
    expect(bench.pass(3 * timeout).settle()).toEqual([])
  })
})
