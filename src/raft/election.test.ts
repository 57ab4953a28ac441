// One replica against the sentences of the Raft paper (extended version) and of Ongaro's thesis, by section: elections.

import { describe, expect, it } from 'vitest'
import { replicaId } from '../base/brand.ts'
import { micros, millis, plus } from '../base/instant.ts'
import { random } from '../base/random.ts'
import { formatMessage } from './print.ts'
import { appendOf, Bench, heartbeat, preVote, timeout, vote } from './testing/bench.ts'

describe('paper 5.1, terms', () => {
  it('a larger term is adopted, and a leader of an earlier one becomes a follower', () => {
    const bench = new Bench().win(2)
    bench.hear(3, { kind: 'append-response', term: 7, index: 0, rejected: true, hintIndex: 0, hintTerm: 0 })
    expect(bench.raft.status()).toMatchObject({ role: 'follower', term: 7, leader: null, vote: null })
  })

  it('a request of an earlier term is refused, and its sender learns the term', () => {
    const bench = new Bench({ term: 5, log: [5] }).pass(timeout * 3)
    bench.settle()
    expect(bench.hear(2, vote(4, 9, 4)).settle()).toEqual(['1->2 vote-response term=5 refused'])
    expect(bench.hear(2, preVote(4, 9, 4)).settle()).toEqual(['1->2 pre-vote-response term=5 refused'])
    expect(bench.hear(2, appendOf(4, [0, 0], [4])).settle()).toEqual([
      '1->2 append-response term=5 rejected index=0 hint=0/0',
    ])
    expect(bench.hear(2, heartbeat(4)).settle()).toEqual(['1->2 append-response term=5 rejected index=0 hint=0/0'])
    expect(bench.raft.lastIndex()).toBe(1)
  })

  it('term and vote are on disk before anything that follows from them leaves', () => {
    const bench = new Bench()
    const [ready] = bench
      .pass(timeout)
      .hear(2, vote(3, 0, 0))
      .take()
    expect(ready?.state).toMatchObject({ term: 3, vote: 2 })
    expect(ready?.messages).toEqual([])
    expect(ready?.afterPersist.map(formatMessage)).toEqual(['1->2 vote-response term=3 granted'])
  })
})

describe('paper 5.1, terms, at a candidate', () => {
  it('a larger term makes it a follower', () => {
    const bench = new Bench().pass(timeout).hear(2, { kind: 'pre-vote-response', term: 1, granted: true })
    expect(bench.role).toBe('candidate')
    bench.hear(3, { kind: 'vote-response', term: 4, granted: false })
    expect(bench.raft.status()).toMatchObject({ role: 'follower', term: 4, vote: null })
  })
})

describe('paper 5.2, leader election', () => {
  it('servers start as followers', () => {
    expect(new Bench().raft.status()).toMatchObject({ role: 'follower', term: 0, leader: null })
    expect(new Bench({ term: 7, vote: 1, log: [1, 7] }).raft.status()).toMatchObject({ role: 'follower', term: 7 })
  })

  it('a leader sends heartbeats to all, periodically', () => {
    const bench = new Bench().win(2)
    bench.settle()
    for (let i = 0; i < 3; i++) {
      const lines = bench.pass(millis(100)).settle()
      for (const to of [2, 3]) expect(lines.filter((line) => line.startsWith(`1->${to} heartbeat`))).toHaveLength(1)
      for (const from of [2, 3]) bench.hear(from, { kind: 'heartbeat-response', term: 1, context: bench.now })
    }
  })

  it('a candidate increments its term, votes for itself, and asks all others in parallel', () => {
    const bench = new Bench({ size: 5, term: 3 }).pass(timeout)
    bench.settle()
    for (const from of [2, 3]) bench.hear(from, { kind: 'pre-vote-response', term: 4, granted: true })
    expect(bench.raft.status()).toMatchObject({ role: 'candidate', term: 4, vote: 1 })
    expect(bench.settle()).toEqual([2, 3, 4, 5].map((to) => `1->${to} vote term=4 last=0/0`))
  })

  it('an append of an earlier term is refused, and the candidate stays one', () => {
    const bench = new Bench({ term: 3 }).pass(timeout).hear(2, { kind: 'pre-vote-response', term: 4, granted: true })
    bench.settle()
    bench.hear(3, appendOf(3, [0, 0], [3]))
    expect(bench.raft.status()).toMatchObject({ role: 'candidate', term: 4, last: 0 })
  })

  it('each election has a timeout of its own, drawn anew', () => {
    const draws = [7, 90, 3_000]
    const bench = new Bench({ overrides: { random: { below: () => draws.shift() ?? 0 } } })
    expect(bench.raft.deadline() - bench.now).toBe(timeout + 7)
    bench.pass(timeout + 7)
    expect(bench.raft.deadline() - bench.now).toBe(timeout + 90)
    bench.pass(timeout + 90)
    expect(bench.raft.deadline() - bench.now).toBe(timeout + 3_000)
  })

  it('an election timeout is drawn from [t, t + spread)', () => {
    const dues = new Set<number>()
    const draw = random(1)
    for (let i = 0; i < 200; i++) {
      const bench = new Bench({ overrides: { random: draw } })
      const wait = bench.raft.deadline() - bench.now
      expect(wait).toBeGreaterThanOrEqual(timeout)
      expect(wait).toBeLessThan(2 * timeout)
      dues.add(wait)
    }
    expect(dues.size).toBeGreaterThan(150)
  })

  it('a follower that hears its leader does not campaign', () => {
    const bench = new Bench({ term: 1 })
    for (let i = 0; i < 20; i++) bench.hear(2, heartbeat(1)).pass(millis(100))
    expect(bench.role).toBe('follower')
    expect(bench.pass(timeout - millis(100)).role).toBe('pre-candidate')
  })

  it('a vote goes to one candidate in a term, first come first served, and to it again', () => {
    const bench = new Bench({ size: 5 })
    expect(bench.hear(2, vote(1, 0, 0)).settle()).toEqual(['1->2 vote-response term=1 granted'])
    expect(bench.hear(3, vote(1, 9, 0)).settle()).toEqual(['1->3 vote-response term=1 refused'])
    expect(bench.hear(2, vote(1, 0, 0)).settle()).toEqual(['1->2 vote-response term=1 granted'])
  })

  it('the vote survives a restart', () => {
    const bench = new Bench({ term: 1, vote: 2 }).pass(timeout * 3)
    bench.settle()
    expect(bench.hear(3, vote(1, 9, 9)).settle()).toEqual(['1->3 vote-response term=1 refused'])
  })

  it('a candidate wins with the votes of a majority, its own durable one among them', () => {
    const bench = new Bench({ size: 5 }).pass(timeout)
    for (const from of [2, 3]) bench.hear(from, { kind: 'pre-vote-response', term: 1, granted: true })
    bench.take()
    for (const from of [2, 3]) bench.hear(from, { kind: 'vote-response', term: 1, granted: true })
    expect(bench.role).toBe('candidate')
    expect(bench.sync().role).toBe('leader')
  })

  it('one voter counts once', () => {
    const bench = new Bench({ size: 5 }).pass(timeout)
    for (let i = 0; i < 3; i++) bench.hear(2, { kind: 'pre-vote-response', term: 1, granted: true })
    expect(bench.role).toBe('pre-candidate')
  })

  it('a winner sends to all at once, to prevent new elections', () => {
    const lines = new Bench().win(2).settle()
    for (const to of [2, 3]) expect(lines.some((line) => line.startsWith(`1->${to} heartbeat term=1`))).toBe(true)
  })

  it('a candidate that hears a leader of its term follows it', () => {
    const bench = new Bench().pass(timeout).hear(2, { kind: 'pre-vote-response', term: 1, granted: true })
    expect(bench.role).toBe('candidate')
    expect(bench.hear(3, appendOf(1, [0, 0])).raft.status()).toMatchObject({ role: 'follower', leader: 3, term: 1 })
  })

  it('a split vote ends with another timeout, and a new term', () => {
    const bench = new Bench().pass(timeout).hear(2, { kind: 'pre-vote-response', term: 1, granted: true })
    bench.settle()
    bench.hear(2, { kind: 'vote-response', term: 1, granted: false })
    expect(bench.role).toBe('candidate')
    bench.pass(timeout).hear(3, { kind: 'pre-vote-response', term: 2, granted: true })
    expect(bench.raft.status()).toMatchObject({ role: 'candidate', term: 2 })
  })

  it('alone in its set, a replica leads as soon as its vote is durable, and commits what is durable', () => {
    const bench = new Bench({ size: 1 }).pass(0)
    bench.take()
    expect(bench.role).toBe('candidate')
    expect(bench.sync().role).toBe('leader')
    bench.take()
    expect(bench.raft.commitIndex).toBe(0)
    expect(bench.sync().raft.commitIndex).toBe(1)
    bench.do((raft) => raft.readIndex(5, bench.now))
    expect(bench.take().flatMap((ready) => ready.reads)).toEqual([{ context: 5, index: 1 }])
  })

  it('thesis 4.1: a candidate and a leader are heard that are not in the configuration here: they may know a newer one', () => {
    const bench = new Bench()
    expect(bench.hear(9, vote(5, 9, 9)).settle()).toEqual(['1->9 vote-response term=5 granted'])
    expect(bench.hear(9, appendOf(5, [0, 0], [5])).settle()).toEqual(['1->9 append-response term=5 index=1'])
  })

  it('...but only a voter of its own configuration makes a candidate win', () => {
    const bench = new Bench().pass(timeout)
    for (const from of [8, 9]) bench.hear(from, { kind: 'pre-vote-response', term: 1, granted: true })
    expect(bench.role).toBe('pre-candidate')
  })
})

describe('thesis 6.2 and 9.6, disruptive replicas', () => {
  it('9.6: a pre-vote changes neither term nor vote, of the asker or the asked', () => {
    const bench = new Bench({ term: 1 })
    bench.pass(timeout)
    expect(bench.settle()).toContain('1->2 pre-vote term=2 last=0/0')
    expect(bench.hear(2, preVote(2, 0, 0)).settle()).toEqual(['1->2 pre-vote-response term=2 granted'])
    expect(bench.raft.status()).toMatchObject({ term: 1, vote: null })
  })

  it('6.2: while a leader was heard within an election timeout, a request changes nothing', () => {
    const bench = new Bench({ term: 1 }).hear(2, heartbeat(1))
    bench.settle()
    bench.pass(timeout - 1)
    expect(
      bench
        .hear(3, vote(5, 9, 9))
        .hear(3, preVote(5, 9, 9))
        .settle(),
    ).toEqual([])
    expect(bench.raft.term).toBe(1)
    bench.now = plus(bench.now, micros(1))
    expect(bench.hear(3, vote(5, 9, 9)).settle()).toEqual(['1->3 vote-response term=5 granted'])
  })

  it("6.2: a leader with its quorum is not deposed by a higher term's request", () => {
    const bench = new Bench().win(2)
    bench.settle()
    expect(bench.hear(3, vote(5, 9, 9)).settle()).toEqual([])
    expect(bench.role).toBe('leader')
  })

  it('6.2: a leader without its quorum for an election timeout steps down', () => {
    const bench = new Bench().win(2)
    bench.settle()
    for (let i = 0; i < 4; i++) bench.pass(millis(100)).settle()
    expect(bench.role).toBe('leader')
    expect(bench.pass(millis(100)).role).toBe('follower')
    expect(bench.propose('x')).toBe(false)
  })

  it('6.2: answers count from when their round was made, not from when they came', () => {
    const bench = new Bench().win(2)
    const made = bench.now
    bench.settle()
    bench.pass(millis(90)).hear(2, { kind: 'heartbeat-response', term: 1, context: made })
    expect(bench.raft.status().quorumContact).toBe(made)
    expect(bench.raft.status().heard.get(replicaId(2))).toBe(bench.now)
  })
})

describe('a leader known dead', () => {
  const prompt = millis(30)

  function bereaved(): Bench {
    const bench = new Bench({ term: 1 }).hear(2, heartbeat(1))
    bench.settle()
    bench.do((raft) => raft.forget(replicaId(2), bench.now))
    return bench
  }

  it('is succeeded within the prompt time, and asked for again as promptly, for an election timeout', () => {
    const bench = bereaved()
    expect(bench.raft.deadline() - bench.now).toBeLessThanOrEqual(prompt)
    const end = plus(bench.now, timeout)
    let tries = 0
    while (bench.raft.deadline() < end) {
      bench.pass(bench.raft.deadline() - bench.now)
      expect(bench.role).toBe('pre-candidate')
      tries++
    }
    expect(tries).toBeGreaterThan(timeout / (2 * prompt) - 1)
    bench.pass(bench.raft.deadline() - bench.now)
    expect(bench.raft.deadline() - bench.now).toBeGreaterThanOrEqual(timeout)
  })

  it('has no lease: another gets the vote', () => {
    expect(
      bereaved()
        .hear(3, vote(2, 0, 0))
        .settle(),
    ).toEqual(['1->3 vote-response term=2 granted'])
  })

  it('...and prompt elections end with the first word of its successor', () => {
    const bench = bereaved().hear(3, heartbeat(2))
    expect(bench.raft.deadline() - bench.now).toBeGreaterThanOrEqual(timeout)
  })

  it('the death of another follower changes nothing', () => {
    const bench = new Bench({ term: 1 }).hear(2, heartbeat(1))
    const due = bench.raft.deadline()
    bench.do((raft) => raft.forget(replicaId(3), bench.now))
    expect(bench.raft).toMatchObject({ leader: 2 })
    expect(bench.raft.deadline()).toBe(due)
  })
})
