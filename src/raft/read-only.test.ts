// One replica against the sentences of the Raft paper (extended version) and of Ongaro's thesis, by section: reads.

import { describe, expect, it } from 'vitest'
import { micros, millis, plus } from '../base/instant.ts'
import { Bench } from './testing/bench.ts'

describe('thesis 6.4, reads', () => {
  it("step 1: no read is answered before the term's first commit", () => {
    const bench = new Bench().win(2)
    bench.settle()
    bench.do((raft) => raft.readIndex(1, bench.now))
    bench.pass(millis(100)).settle()
    bench.hear(2, { kind: 'heartbeat-response', term: 1, context: bench.now })
    expect(bench.take().flatMap((ready) => ready.reads)).toEqual([])
  })

  it("step 3: a read waits for a quorum's answer to a round made after it", () => {
    const bench = new Bench().win(2)
    bench.settle()
    bench.acknowledge(2, 1).settle()
    bench.pass(millis(100)).settle()
    const before = bench.now
    bench.now = plus(bench.now, micros(10))
    bench.do((raft) => raft.readIndex(1, bench.now))
    expect(bench.settle().filter((line) => line.includes('heartbeat'))).toHaveLength(2)
    for (const from of [2, 3]) bench.hear(from, { kind: 'heartbeat-response', term: 1, context: before })
    expect(bench.take().flatMap((ready) => ready.reads)).toEqual([])
    bench.hear(3, { kind: 'heartbeat-response', term: 1, context: bench.now })
    expect(bench.take().flatMap((ready) => ready.reads)).toEqual([{ context: 1, index: 1 }])
  })

  it('rounds of a term have different numbers, even at one instant; many reads of a turn share one', () => {
    const bench = new Bench().win(2)
    bench.settle()
    bench.acknowledge(2, 1).settle()
    const contexts: string[] = []
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 3; j++) bench.do((raft) => raft.readIndex(i * 3 + j, bench.now))
      contexts.push(...bench.settle().filter((line) => line.startsWith('1->2 heartbeat')))
    }
    expect(contexts).toHaveLength(5)
    expect(new Set(contexts).size).toBe(5)
  })

  it("an answer to an earlier term's round answers nothing", () => {
    const bench = new Bench({ term: 1, log: [1] }).win(2)
    bench.settle()
    bench.acknowledge(2, 2).settle()
    bench.pass(millis(100))
    bench.do((raft) => raft.readIndex(1, bench.now))
    bench.settle()
    bench.hear(2, { kind: 'heartbeat-response', term: 1, context: bench.now })
    expect(bench.take().flatMap((ready) => ready.reads)).toEqual([])
    bench.hear(2, { kind: 'heartbeat-response', term: 2, context: bench.now })
    expect(bench.take().flatMap((ready) => ready.reads)).toEqual([{ context: 1, index: 2 }])
  })

  it('a round that was never made answers nothing', () => {
    const bench = new Bench().win(2)
    bench.settle()
    bench.acknowledge(2, 1).settle()
    bench.do((raft) => raft.readIndex(1, bench.now))
    bench.settle()
    bench.hear(2, { kind: 'heartbeat-response', term: 1, context: Number.MAX_SAFE_INTEGER })
    expect(bench.take().flatMap((ready) => ready.reads)).toEqual([])
  })

  it('a leader keeps at most maxReads; the rest are lost', () => {
    const bench = new Bench({ overrides: { maxReads: 2 } }).win(2)
    bench.settle()
    bench.acknowledge(2, 1).settle()
    for (let i = 0; i < 5; i++) bench.do((raft) => raft.readIndex(i, bench.now))
    bench.settle()
    bench.hear(2, { kind: 'heartbeat-response', term: 1, context: bench.now + 9 })
    bench.pass(millis(100)).settle()
    bench.hear(2, { kind: 'heartbeat-response', term: 1, context: bench.now })
    expect(
      bench
        .take()
        .flatMap((ready) => ready.reads)
        .map((read) => read.context),
    ).toEqual([0, 1])
  })

  it('without a leader a question is lost', () => {
    const bench = new Bench()
    bench.do((raft) => raft.readIndex(1, bench.now))
    expect(bench.take()).toEqual([])
  })
})
