// One replica against the sentences of the Raft paper (extended version) and of Ongaro's thesis, by section.

import { describe, expect, it } from 'vitest'
import { must } from '../base/assert.ts'
import { index, replicaId, term } from '../base/brand.ts'
import { latin1Bytes } from '../base/bytes.ts'
import type { Instant } from '../base/instant.ts'
import { instant, micros, millis, plus } from '../base/instant.ts'
import { random } from '../base/random.ts'
import type { RaftConfig } from './config.ts'
import { restoredFault } from './config.ts'
import { checkState, checkStep, observe } from './invariants.ts'
import type { AppendRequest, RaftEntry, RaftMessage } from './message.ts'
import { formatMessage } from './print.ts'
import { Raft } from './raft.ts'
import type { Ready } from './ready.ts'

const timeout = millis(500)

function configOf(size: number, overrides: Partial<RaftConfig> = {}): RaftConfig {
  return {
    id: replicaId(1),
    voters: Array.from({ length: size }, (_, at) => replicaId(at + 1)),
    random: { below: () => 0 },
    electionTimeout: timeout,
    electionSpread: timeout,
    heartbeat: millis(100),
    prompt: millis(30),
    maxAppendEntries: 64,
    maxAppendBytes: 10_000,
    maxInflight: 8,
    maxUncommittedBytes: 10_000,
    ...overrides,
  }
}

interface Start {
  readonly size?: number
  readonly term?: number
  readonly vote?: number
  readonly log?: readonly number[]
  readonly overrides?: Partial<RaftConfig>
}

/** Replica 1 of a set, with a disk that does what it is told, and its time. */
class Bench {
  readonly raft: Raft
  now: Instant = instant(1_000_000)
  #number = 0

  constructor(start: Start = {}) {
    const state = { term: term(start.term ?? 0), vote: start.vote === undefined ? null : replicaId(start.vote), commit: index(0) }
    const entries = (start.log ?? []).map((of, at) => entryOf(at + 1, of))
    this.raft = new Raft(configOf(start.size ?? 3, start.overrides), { state, entries }, this.now)
  }

  /** Does something, and checks the invariants. */
  do<T>(act: (raft: Raft) => T): T {
    const before = observe(this.raft)
    const result = act(this.raft)
    expect(checkState(this.raft) ?? checkStep(before, observe(this.raft))).toBeNull()
    return result
  }

  pass(us: number): this {
    this.now = plus(this.now, micros(us))
    this.do((raft) => raft.tick(this.now))
    return this
  }

  hear(from: number, message: Record<string, unknown>): this {
    const whole = { from: replicaId(from), to: replicaId(1), ...message } as unknown as RaftMessage
    this.do((raft) => raft.step(whole, this.now))
    return this
  }

  take(): readonly Ready[] {
    const readys: Ready[] = []
    for (;;) {
      const ready = this.do((raft) => raft.takeReady(this.now))
      if (ready === null) return readys
      this.#number = ready.number
      readys.push(ready)
    }
  }

  sync(): this {
    this.do((raft) => raft.persisted(this.#number))
    return this
  }

  /** Takes and syncs until nothing is left; all messages, as lines. */
  settle(): readonly string[] {
    const lines: string[] = []
    for (let readys = this.take(); readys.length > 0; readys = this.take()) {
      lines.push(...readys.flatMap((ready) => [...ready.messages, ...ready.afterPersist]).map(formatMessage))
      this.sync()
    }
    return lines
  }

  /** Wins an election with the votes of `voters`. */
  win(...voters: readonly number[]): this {
    const asked = this.raft.term + 1
    this.pass(timeout).settle()
    for (const from of voters) this.hear(from, { kind: 'pre-vote-response', term: asked, granted: true })
    this.settle()
    for (const from of voters) this.hear(from, { kind: 'vote-response', term: asked, granted: true })
    expect(this.raft.isLeader).toBe(true)
    return this
  }

  acknowledge(from: number, at: number): this {
    return this.hear(from, { kind: 'append-response', term: this.raft.term, index: at, rejected: false, hintIndex: 0, hintTerm: 0 })
  }

  propose(text: string): boolean {
    return this.do((raft) => raft.propose(latin1Bytes(text), this.now)).ok
  }

  get role(): string {
    return this.raft.status().role
  }
}

function entryOf(at: number, of: number): RaftEntry {
  return { index: index(at), term: term(of), kind: 'normal', data: latin1Bytes(`${at}of${of}`) }
}

function appendOf(of: number, prev: readonly [number, number], terms: readonly number[] = [], commit = 0): Partial<AppendRequest> {
  const entries = terms.map((each, at) => entryOf(prev[0] + 1 + at, each))
  return { kind: 'append', term: term(of), prevIndex: index(prev[0]), prevTerm: term(prev[1]), entries, commit: index(commit) }
}

const vote = (of: number, lastIndex: number, lastTerm: number): Record<string, unknown> => ({ kind: 'vote', term: of, lastIndex, lastTerm })
const preVote = (of: number, lastIndex: number, lastTerm: number): Record<string, unknown> => ({ ...vote(of, lastIndex, lastTerm), kind: 'pre-vote' })
const heartbeat = (of: number, context = 1): Record<string, unknown> => ({ kind: 'heartbeat', term: of, commit: 0, context })

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
    expect(bench.hear(2, appendOf(4, [0, 0], [4])).settle()).toEqual(['1->2 append-response term=5 rejected index=0 hint=0/0'])
    expect(bench.hear(2, heartbeat(4)).settle()).toEqual(['1->2 append-response term=5 rejected index=0 hint=0/0'])
    expect(bench.raft.lastIndex()).toBe(1)
  })

  it('term and vote are on disk before anything that follows from them leaves', () => {
    const bench = new Bench()
    const [ready] = bench.pass(timeout).hear(2, vote(3, 0, 0)).take()
    expect(ready?.state).toMatchObject({ term: 3, vote: 2 })
    expect(ready?.messages).toEqual([])
    expect(ready?.afterPersist.map(formatMessage)).toEqual(['1->2 vote-response term=3 granted'])
  })
})

describe('paper 5.2, leader election', () => {
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

  it('who has no vote is not heard', () => {
    const bench = new Bench()
    expect(bench.hear(9, vote(5, 9, 9)).hear(9, appendOf(5, [0, 0], [5])).settle()).toEqual([])
    expect(bench.raft.status()).toMatchObject({ term: 0, last: 0 })
  })
})

describe('paper 5.3, log replication', () => {
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
    expect(bench.hear(2, appendOf(2, [3, 2], [2])).settle()).toEqual(['1->2 append-response term=2 rejected index=3 hint=2/1'])
    expect(bench.hear(2, appendOf(2, [2, 2], [2])).settle()).toEqual(['1->2 append-response term=2 rejected index=2 hint=2/1'])
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

  it('an append whose entries have a gap, or terms that fall or are not its sender\'s yet, is not taken', () => {
    const bench = new Bench({ term: 2 })
    const [one, three] = [entryOf(1, 2), entryOf(3, 2)]
    bench.hear(2, { ...appendOf(2, [0, 0]), entries: [one, three] })
    bench.hear(2, appendOf(2, [0, 0], [2, 1]))
    bench.hear(2, appendOf(2, [0, 0], [3]))
    expect(bench.settle()).toEqual([])
    expect(bench.raft.lastIndex()).toBe(0)
  })

  it('an acknowledgement of what the leader doesn\'t have is ignored', () => {
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
    expect(bench.hear(2, preVote(9, at, of)).settle()).toEqual([`1->2 pre-vote-response term=${granted ? 9 : 3} ${answer}`])
    expect(bench.hear(2, vote(9, at, of)).settle()).toEqual([`1->2 vote-response term=9 ${answer}`])
  })

  it('5.4.2: an earlier term\'s entries are committed by one of the own term, not by counting', () => {
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
    expect(bench.hear(3, vote(5, 9, 9)).hear(3, preVote(5, 9, 9)).settle()).toEqual([])
    expect(bench.raft.term).toBe(1)
    bench.now = plus(bench.now, micros(1))
    expect(bench.hear(3, vote(5, 9, 9)).settle()).toEqual(['1->3 vote-response term=5 granted'])
  })

  it('6.2: a leader with its quorum is not deposed by a higher term\'s request', () => {
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

describe('thesis 6.4, reads', () => {
  it('step 1: no read is answered before the term\'s first commit', () => {
    const bench = new Bench().win(2)
    bench.settle()
    bench.do((raft) => raft.readIndex(1, bench.now))
    bench.pass(millis(100)).settle()
    bench.hear(2, { kind: 'heartbeat-response', term: 1, context: bench.now })
    expect(bench.take().flatMap((ready) => ready.reads)).toEqual([])
  })

  it('step 3: a read waits for a quorum\'s answer to a round made after it', () => {
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
    expect(bench.take().flatMap((ready) => ready.reads).map((read) => read.context)).toEqual([0, 1])
  })

  it('without a leader a question is lost', () => {
    const bench = new Bench()
    bench.do((raft) => raft.readIndex(1, bench.now))
    expect(bench.take()).toEqual([])
  })
})

describe('bounds', () => {
  it('appends: entries, bytes and appends in flight', () => {
    const overrides = { maxAppendEntries: 3, maxAppendBytes: 80, maxInflight: 2 }
    const bench = new Bench({ overrides }).win(2)
    bench.settle()
    bench.acknowledge(2, 1).settle()
    for (let i = 0; i < 10; i++) bench.propose('01234567')
    const sizes = bench.take().flatMap((ready) => ready.messages).flatMap((message) => {
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
    const bench = new Bench({ term: 1, overrides: { maxCommittedBytes: 80 } }).hear(2, appendOf(1, [0, 0], [1, 1, 1, 1, 1], 5))
    expect(bench.take().map((ready) => ready.committed.length)).toEqual([2, 2, 1])
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
