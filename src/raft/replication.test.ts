// One replica against the sentences of the Raft paper (extended version) and of Ongaro's thesis, by section: the log.

import { describe, expect, it } from 'vitest'
import { must } from '../base/assert.ts'
import { index, replicaId, term } from '../base/brand.ts'
import { millis } from '../base/instant.ts'
import type { RaftConfig } from './config.ts'
import { restoredFault } from './config.ts'
import { formatEntry, formatMessage } from './print.ts'
import { appendOf, Bench, entryOf, heartbeat, preVote, timeout, vote } from './testing/bench.ts'

describe('paper 5.3, log replication', () => {
  it('a proposal is a new entry with the term and the next index, sent to all others in parallel', () => {
    const bench = new Bench().win(2)
    bench.settle()
    for (const from of [2, 3]) bench.acknowledge(from, 1).settle()
    bench.propose('x')
    const [ready] = bench.take()
    expect(ready?.entries.map(formatEntry)).toEqual(['2/1 "x"'])
    expect(ready?.messages.map(formatMessage)).toEqual(
      [2, 3].map((to) => `1->${to} append term=1 prev=1/1 commit=1 [2/1 "x"]`),
    )
  })

  it('a new leader begins for each follower just after the last entry of its log', () => {
    const bench = new Bench({ term: 1, log: [1, 1, 1] }).win(2)
    expect(bench.raft.status().peers).toMatchObject([2, 3].map((id) => ({ id, match: 0, next: 4, state: 'probe' })))
  })

  it('the commit index is in every append and heartbeat, as far as the follower is known to agree', () => {
    const bench = new Bench().win(2)
    bench.settle()
    bench.acknowledge(2, 1)
    expect(bench.settle()).toContain('1->2 append term=1 prev=1/1 commit=1 []')
    const lines = bench.pass(millis(100)).settle()
    expect(lines.filter((line) => line.includes('heartbeat')).map((line) => line.split(' context')[0])).toEqual([
      '1->2 heartbeat term=1 commit=1',
      '1->3 heartbeat term=1 commit=0',
    ])
  })

  it('a follower applies what it learns to be committed, in log order', () => {
    const bench = new Bench({ term: 1 }).hear(2, appendOf(1, [0, 0], [1, 1, 1, 1]))
    expect(bench.take().flatMap(({ committed }) => committed)).toEqual([])
    bench.sync().hear(2, { kind: 'heartbeat', term: 1, commit: 2, context: 1 })
    bench.hear(2, appendOf(1, [4, 1], [], 4))
    expect(bench.take().flatMap(({ committed }) => committed.map((entry) => entry.index))).toEqual([1, 2, 3, 4])
  })

  it('after a refusal the leader goes back and tries again, until the logs match', () => {
    const bench = new Bench({ term: 4, log: [1, 1, 4, 4] }).win(2)
    bench.settle()
    const refusal = { kind: 'append-response', term: 5, rejected: true }
    bench.hear(3, { ...refusal, index: 4, hintIndex: 4, hintTerm: 3 })
    expect(bench.settle().filter((line) => line.startsWith('1->3 append'))[0]).toContain('prev=2/1')
    bench.hear(3, { ...refusal, index: 2, hintIndex: 0, hintTerm: 0 })
    expect(bench.settle().filter((line) => line.startsWith('1->3 append'))[0]).toContain('prev=0/0')
  })

  it('an entry is committed once a majority has it, the leader included only when its own disk has', () => {
    const bench = new Bench().win(2)
    bench.take()
    bench.acknowledge(2, 1)
    expect(bench.raft.commitIndex).toBe(0)
    bench.sync()
    expect(bench.raft.commitIndex).toBe(1)
  })

  it('thesis 10.2.1: followers may commit it before the leader has written it', () => {
    const bench = new Bench().win(2)
    bench.take()
    bench.acknowledge(2, 1).acknowledge(3, 1)
    expect(bench.raft.status()).toMatchObject({ commit: 1, stable: 0 })
  })

  it('an append without the same entry before it is refused, whether that is missing or of another term', () => {
    const bench = new Bench({ term: 2, log: [1, 1] })
    expect(bench.hear(2, appendOf(2, [3, 2], [2])).settle()).toEqual([
      '1->2 append-response term=2 rejected index=3 hint=2/1',
    ])
    expect(bench.hear(2, appendOf(2, [2, 2], [2])).settle()).toEqual([
      '1->2 append-response term=2 rejected index=2 hint=2/1',
    ])
    expect(bench.raft.lastIndex()).toBe(2)
  })

  it('figure 3.1, step 3: a conflict removes the entry and all after it', () => {
    const bench = new Bench({ term: 3, log: [1, 2, 2, 2] })
    const [ready] = bench.hear(2, appendOf(3, [1, 1], [3])).take()
    expect(ready?.entries.map(({ index: at, term: of }) => `${at}/${of}`)).toEqual(['2/3'])
    expect(bench.raft.lastIndex()).toBe(2)
  })

  it('figure 3.1, step 3: a delayed append that agrees removes nothing', () => {
    const bench = new Bench({ term: 2 }).hear(2, appendOf(2, [0, 0], [1, 2, 2, 2]))
    bench.settle()
    expect(bench.hear(2, appendOf(2, [0, 0], [1, 2])).settle()).toEqual(['1->2 append-response term=2 index=2'])
    expect(bench.raft.lastIndex()).toBe(4)
  })

  it('figure 3.1, step 5: committed is at most what this append showed to agree', () => {
    const bench = new Bench({ term: 3, log: [1, 2, 2, 2] }).hear(2, appendOf(3, [1, 1], [], 4))
    expect(bench.raft.commitIndex).toBe(1)
  })

  it('a leader retries without end, and its log stays', () => {
    const bench = new Bench().win(2)
    bench.settle()
    for (let i = 0; i < 30; i++) {
      bench.pass(millis(100)).settle()
      const answer = { kind: 'heartbeat-response', term: 1, context: bench.now }
      const lines = bench.hear(2, answer).hear(3, answer).settle()
      for (const to of [2, 3]) expect(lines).toContain(`1->${to} append term=1 prev=0/0 commit=0 [1/1 no-op]`)
    }
  })

  it('...also after it has committed, until all followers have all entries', () => {
    const bench = new Bench().win(2)
    bench.settle()
    bench.acknowledge(2, 1).settle()
    expect(bench.raft.commitIndex).toBe(1)
    const again = (): readonly string[] => {
      bench.pass(millis(100)).settle()
      const answer = { kind: 'heartbeat-response', term: 1, context: bench.now }
      return bench.hear(2, answer).hear(3, answer).settle()
    }
    for (let i = 0; i < 30; i++) expect(again()).toEqual(['1->3 append term=1 prev=0/0 commit=1 [1/1 no-op]'])
    bench.acknowledge(3, 1).settle()
    expect(again()).toEqual([])
  })

  it("an append whose entries have a gap, or terms that fall or are not its sender's yet, is not taken", () => {
    const bench = new Bench({ term: 2 })
    const [one, three] = [entryOf(1, 2), entryOf(3, 2)]
    bench.hear(2, { ...appendOf(2, [0, 0]), entries: [one, three] })
    bench.hear(2, appendOf(2, [0, 0], [2, 1]))
    bench.hear(2, appendOf(2, [0, 0], [3]))
    expect(bench.settle()).toEqual([])
    expect(bench.raft.lastIndex()).toBe(0)
  })

  it("an acknowledgement of what the leader doesn't have is ignored", () => {
    const bench = new Bench().win(2)
    bench.settle()
    bench.acknowledge(2, 9)
    expect(bench.raft.commitIndex).toBe(0)
  })
})

describe('paper 5.4, safety', () => {
  it.each([
    { last: [3, 2], granted: true, why: 'the same log' },
    { last: [2, 2], granted: false, why: 'a shorter log' },
    { last: [4, 2], granted: true, why: 'a longer log' },
    { last: [9, 1], granted: false, why: 'an earlier last term, however long' },
    { last: [1, 3], granted: true, why: 'a later last term, however short' },
  ])('5.4.1: $why gets a vote: $granted', ({ last, granted }) => {
    const bench = new Bench({ term: 3, log: [1, 1, 2] }).pass(timeout * 3)
    bench.settle()
    const answer = granted ? 'granted' : 'refused'
    const [at, of] = last as [number, number]
    expect(bench.hear(2, preVote(9, at, of)).settle()).toEqual([
      `1->2 pre-vote-response term=${granted ? 9 : 3} ${answer}`,
    ])
    expect(bench.hear(2, vote(9, at, of)).settle()).toEqual([`1->2 vote-response term=9 ${answer}`])
  })

  it("5.4.2: an earlier term's entries are committed by one of the own term, not by counting", () => {
    const bench = new Bench({ term: 2, log: [1, 2] }).win(2)
    bench.settle()
    bench.acknowledge(2, 2).acknowledge(3, 2)
    expect(bench.raft.commitIndex).toBe(0)
    bench.acknowledge(2, 3)
    expect(bench.raft.commitIndex).toBe(3)
  })

  it('5.5: requests may be repeated: the same append twice is one', () => {
    const bench = new Bench({ term: 1 })
    const once = bench.hear(2, appendOf(1, [0, 0], [1], 1)).settle()
    expect(bench.hear(2, appendOf(1, [0, 0], [1], 1)).settle()).toEqual(once)
    expect(bench.raft.status()).toMatchObject({ last: 1, commit: 1, applied: 1 })
  })

  it('5.5: who crashed before it answered gets the same request again, and answers it', () => {
    const bench = new Bench({ term: 1, vote: 2, log: [1] })
    expect(bench.hear(2, vote(1, 0, 0)).settle()).toEqual(['1->2 vote-response term=1 refused'])
    expect(bench.hear(2, vote(1, 1, 1)).settle()).toEqual(['1->2 vote-response term=1 granted'])
    expect(bench.hear(2, appendOf(1, [0, 0], [1])).settle()).toEqual(['1->2 append-response term=1 index=1'])
  })

  it('two leaders in one term stop the replica: something promised was lost', () => {
    const bench = new Bench({ term: 1 }).hear(2, heartbeat(1))
    expect(() => bench.hear(3, heartbeat(1))).toThrow('a term has one leader')
  })

  it('what a disk holds is whole, or refused with a reason', () => {
    const state = { term: term(2), vote: null, commit: index(1) }
    expect(restoredFault({ state, entries: [entryOf(1, 1), entryOf(2, 2)] })).toBeNull()
    expect(restoredFault({ state, entries: [entryOf(1, 1), entryOf(3, 2)] })).toContain('stands at index 2')
    expect(restoredFault({ state, entries: [entryOf(1, 2), entryOf(2, 1)] })).toContain('after term 2')
    expect(restoredFault({ state, entries: [entryOf(1, 3)] })).toContain('below the last entry')
    expect(restoredFault({ state, entries: [] })).toContain('beyond the last entry')
  })
})

describe('bounds', () => {
  it('appends: entries, bytes and appends in flight', () => {
    const overrides = { maxAppendEntries: 3, maxAppendBytes: 80, maxInflight: 2 }
    const bench = new Bench({ overrides }).win(2)
    bench.settle()
    bench.acknowledge(2, 1).settle()
    for (let i = 0; i < 10; i++) bench.propose('01234567')
    const sizes = bench
      .take()
      .flatMap((ready) => ready.messages)
      .flatMap((message) => {
        return message.kind === 'append' && message.to === 2 ? [message.entries.length] : []
      })
    expect(sizes).toEqual([2, 2])
    expect(must(bench.raft.status().peers[0], 'peer 2').inflight).toBe(2)
  })

  it('uncommitted bytes: refused with too-much, until some are committed', () => {
    const bench = new Bench({ overrides: { maxUncommittedBytes: 100 } }).win(2)
    bench.settle()
    expect([bench.propose('0123'), bench.propose('0123')]).toEqual([true, false])
    bench.settle()
    bench.acknowledge(2, 2)
    expect(bench.propose('0123')).toBe(true)
  })

  it('committed bytes of one Ready: the rest comes with the next', () => {
    const bench = new Bench({ term: 1, overrides: { maxCommittedBytes: 80 } }).hear(
      2,
      appendOf(1, [0, 0], [1, 1, 1, 1, 1], 5),
    )
    expect(bench.take().map((ready) => ready.committed.length)).toEqual([2, 2, 1])
  })

  it('a commit index is told at once, with lazyCommit only up to where a follower waits for it', () => {
    const told = (overrides: Partial<RaftConfig>, waits: boolean): readonly string[] => {
      const bench = new Bench({ overrides }).win(2)
      bench.settle()
      for (const from of [2, 3]) bench.acknowledge(from, 1).settle()
      bench.propose('x')
      if (waits) bench.raft.tellCommit(replicaId(3), index(2))
      bench.settle()
      return bench.acknowledge(2, 2).acknowledge(3, 2).settle()
    }
    const [two, three] = ['1->2 append term=1 prev=2/1 commit=2 []', '1->3 append term=1 prev=2/1 commit=2 []']
    expect(told({}, false)).toEqual([two, three])
    expect(told({ lazyCommit: true }, false)).toEqual([])
    expect(told({ lazyCommit: true }, true)).toEqual([three])
  })

  it('a Ready with nothing to write needs no disk, and its answers leave at once', () => {
    const bench = new Bench({ term: 1 }).hear(2, appendOf(1, [0, 0], [1]))
    bench.settle()
    const [again] = bench.hear(2, appendOf(1, [0, 0], [1])).take()
    expect(again).toMatchObject({ mustPersist: false, afterPersist: [] })
    expect(again?.messages.map(formatMessage)).toEqual(['1->2 append-response term=1 index=1'])
  })

  it('...but not while an earlier write is under way', () => {
    const bench = new Bench({ term: 1 }).hear(2, appendOf(1, [0, 0], [1]))
    bench.take()
    const [again] = bench.hear(2, appendOf(1, [0, 0], [1])).take()
    expect(again).toMatchObject({ mustPersist: true, messages: [], state: null, entries: [] })
    expect(again?.afterPersist.map(formatMessage)).toEqual(['1->2 append-response term=1 index=1'])
  })
})
