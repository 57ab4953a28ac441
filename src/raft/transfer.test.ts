// One replica against the sentences of Ongaro's thesis, 3.10: leadership transfer. And against a storage that acknowledges appends
// and applies apart.

import { describe, expect, it } from 'vitest'
import { index, replicaId } from '../base/brand.ts'
import { millis } from '../base/instant.ts'
import { appendOf, Bench, heartbeat } from './testing/bench.ts'

function leading(): Bench {
  const bench = new Bench().win(2)
  bench.settle()
  for (const from of [2, 3]) bench.acknowledge(from, 1).settle()
  return bench
}
const transfer = (bench: Bench, to: number): unknown =>
  bench.do((raft) => raft.transferLeadership(replicaId(to), bench.now))

describe('thesis 3.10, leadership transfer', () => {
  it('1: the prior leader stops accepting new client requests', () => {
    const bench = leading()
    transfer(bench, 2)
    expect(bench.do((raft) => raft.propose(new Uint8Array(1), bench.now))).toEqual({ ok: false, error: 'transferring' })
  })

  it("2: it updates the target's log to match its own first", () => {
    const bench = leading()
    bench.propose('x')
    transfer(bench, 2)
    expect(bench.settle().join('\n')).not.toContain('timeout-now')
    expect(bench.acknowledge(2, 2).settle()).toContain('1->2 timeout-now term=1')
  })

  it('3: the target starts an election at once: term, candidate, requests that are heard although a leader is', () => {
    const bench = new Bench({ term: 1 }).hear(2, heartbeat(1))
    bench.settle()
    expect(bench.hear(2, { kind: 'timeout-now', term: 1 }).settle()).toEqual([
      '1->2 transfer-vote term=2 last=0/0',
      '1->3 transfer-vote term=2 last=0/0',
    ])
    const other = new Bench({ term: 1 }).hear(2, heartbeat(1))
    other.settle()
    const request = { kind: 'transfer-vote', term: 2, lastIndex: 0, lastTerm: 0 }
    expect(other.hear(3, request).settle()).toEqual(['1->3 vote-response term=2 granted'])
  })

  it('a transfer-vote is a vote in all else: one a term, and only for a log that is as good', () => {
    const bench = new Bench({ term: 1, log: [1, 1] }).hear(2, heartbeat(1))
    bench.settle()
    const request = { kind: 'transfer-vote', term: 2, lastIndex: 1, lastTerm: 1 }
    expect(bench.hear(3, request).settle()).toEqual(['1->3 vote-response term=2 refused'])
  })

  it('after about an election timeout the prior leader resumes', () => {
    const bench = leading()
    transfer(bench, 2)
    for (let i = 0; i < 5; i++) {
      bench.settle()
      const answer = { kind: 'heartbeat-response', term: 1, context: bench.now }
      bench.pass(millis(100)).hear(3, answer)
    }
    expect(bench.propose('x')).toBe(true)
    expect(bench.raft.status().transferee).toBeNull()
  })

  it('only a voter can be asked', () => {
    expect(transfer(leading(), 9)).toEqual({ ok: false, error: 'not-a-voter' })
    expect(transfer(new Bench(), 2)).toEqual({ ok: false, error: 'not-leader' })
  })
})

describe('asyncStorage', () => {
  const overrides = { asyncStorage: true, maxCommittedBytes: 80 }

  it('hands out what is durable here, no sooner', () => {
    const bench = new Bench({ term: 1, overrides }).hear(2, appendOf(1, [0, 0], [1, 1], 2))
    expect(bench.take().flatMap(({ committed }) => committed)).toEqual([])
    bench.sync()
    expect(bench.take().flatMap(({ committed }) => committed.map((entry) => entry.index))).toEqual([1, 2])
    expect(bench.raft.status()).toMatchObject({ commit: 2, applied: 0 })
    bench.do((raft) => raft.applied(index(2)))
    expect(bench.raft.status().applied).toBe(2)
  })

  it('hands out no more than maxCommittedBytes that are not applied yet', () => {
    const bench = new Bench({ term: 1, overrides }).hear(2, appendOf(1, [0, 0], [1, 1, 1, 1, 1], 5))
    const next = (): readonly number[] => bench.take().flatMap(({ committed }) => committed.map((entry) => entry.index))
    bench.take()
    bench.sync()
    expect(next()).toEqual([1, 2])
    expect(next()).toEqual([])
    bench.do((raft) => raft.applied(index(1)))
    expect(next()).toEqual([3])
  })

  it('an acknowledgement of what was not handed out is a mistake', () => {
    const bench = new Bench({ term: 1, overrides }).hear(2, appendOf(1, [0, 0], [1, 1], 2))
    expect(() => bench.raft.applied(index(1))).toThrow('only what was handed out')
  })
})
