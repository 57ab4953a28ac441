// One replica against the sentences of the Raft paper (extended version) and of Ongaro's thesis, by section: changes of the set.

import { describe, expect, it } from 'vitest'
import { index, replicaId, term } from '../base/brand.ts'
import { millis } from '../base/instant.ts'
import type { ConfChange, ConfChanges } from './conf-change.ts'
import { configuration, encodeConfiguration, formatConfiguration } from './configuration.ts'
import type { RaftEntry } from './message.ts'
import { appendOf, Bench, heartbeat, timeout, vote } from './testing/bench.ts'

/** `v4` adds a voter, `l4` a learner, `r4` removes. */
function change(bench: Bench, words: string, transition: ConfChanges['transition'] = 'auto'): string {
  const kinds = { v: 'add-voter', l: 'add-learner', r: 'remove' } as const
  const changes = words.split(' ').map((word): ConfChange => {
    return { kind: kinds[word[0] as keyof typeof kinds], replica: replicaId(Number(word.slice(1))) }
  })
  const result = bench.do((raft) => raft.proposeConfChange({ changes, transition }, bench.now))
  return result.ok ? `at ${result.value}` : result.error
}

const inForce = (bench: Bench): string => formatConfiguration(bench.raft.status().configuration)

/** Replica 1 leads 1, 2 and 3, and its no-op is committed. */
function leading(): Bench {
  const bench = new Bench().win(2)
  bench.settle()
  for (const from of [2, 3]) bench.acknowledge(from, 1).settle()
  return bench
}

const entryOf = (at: number, of: number, voters: readonly number[]): RaftEntry => ({
  index: index(at),
  term: term(of),
  kind: 'configuration',
  data: encodeConfiguration(configuration(voters.map(replicaId))),
})

describe('paper 6 and thesis 4.3, joint consensus', () => {
  it('configurations are entries of the log, replicated to all servers of both configurations', () => {
    const bench = leading()
    expect(change(bench, 'r3 v4 v5')).toBe('at 2')
    const lines = bench.settle().filter((line) => line.includes('append'))
    for (const to of [2, 3]) expect(lines.some((line) => line.startsWith(`1->${to} append`))).toBe(true)
    for (const to of [4, 5]) expect(lines.some((line) => line.startsWith(`1->${to} append`))).toBe(true)
  })

  it('agreement needs a majority of the old and one of the new', () => {
    const bench = leading()
    change(bench, 'r3 v4 v5', 'explicit')
    bench.settle()
    // Old: 1, 2 of 1, 2, 3. New: 1, 2 of 1, 2, 4, 5.
    bench.acknowledge(2, 2)
    expect(bench.raft.commitIndex).toBe(1)
    bench.acknowledge(4, 2)
    expect(bench.raft.commitIndex).toBe(2)
  })

  it('...and so does an election', () => {
    const joint = { ...configuration([1, 4, 5].map(replicaId)).voters, outgoing: [1, 2, 3].map(replicaId) }
    const data = encodeConfiguration({ ...configuration([replicaId(1)]), voters: joint })
    const bench = new Bench({ term: 1, log: [1] })
    const entry: RaftEntry = { index: index(2), term: term(1), kind: 'configuration', data }
    bench.hear(2, { ...appendOf(1, [1, 1]), entries: [entry] }).settle()
    bench.pass(timeout).settle()
    bench.hear(2, { kind: 'pre-vote-response', term: 2, granted: true })
    bench.hear(3, { kind: 'pre-vote-response', term: 2, granted: true })
    expect(bench.role).toBe('pre-candidate')
    bench.hear(5, { kind: 'pre-vote-response', term: 2, granted: true })
    expect(bench.role).toBe('candidate')
  })

  it('any server of either configuration may lead', () => {
    const bench = leading()
    change(bench, 'r1 v4', 'explicit')
    bench.settle()
    expect(bench.propose('x')).toBe(true)
    for (const from of [2, 3, 4]) bench.acknowledge(from, 3)
    expect(bench.raft.commitIndex).toBe(3)
    expect(bench.role).toBe('leader')
  })

  it('a server uses the latest configuration in its log, committed or not', () => {
    const bench = new Bench({ term: 1 }).hear(2, { ...appendOf(1, [0, 0]), entries: [entryOf(1, 1, [1, 2, 3, 4])] })
    expect([bench.raft.commitIndex, inForce(bench)]).toEqual([0, 'voters=1,2,3,4'])
  })

  it('thesis 4.1: if the entry is removed, the one before it is in force again', () => {
    const bench = new Bench({ term: 1 }).hear(2, { ...appendOf(1, [0, 0]), entries: [entryOf(1, 1, [1, 2, 3, 4])] })
    bench.settle()
    bench.hear(3, appendOf(2, [0, 0], [2]))
    expect(inForce(bench)).toBe('voters=1,2,3')
  })

  it('once the joint configuration is committed, the leader makes the new one', () => {
    const bench = leading()
    change(bench, 'v4 v5')
    bench.settle()
    for (const from of [2, 3]) bench.acknowledge(from, 2)
    expect(inForce(bench)).toBe('voters=1,2,3,4,5')
    expect(bench.raft.lastIndex()).toBe(3)
  })

  it('...but one that was asked for explicitly only when it is told', () => {
    const bench = leading()
    change(bench, 'v4', 'explicit')
    bench.settle()
    for (const from of [2, 3, 4]) bench.acknowledge(from, 2)
    expect(inForce(bench)).toBe('voters=1,2,3,4&1,2,3')
    expect(bench.do((raft) => raft.leaveJoint(bench.now))).toEqual({ ok: true, value: 3 })
    expect(inForce(bench)).toBe('voters=1,2,3,4')
  })

  it('a new leader finishes what the old one began', () => {
    const joint = { ...configuration([1, 4].map(replicaId)).voters, outgoing: [1, 2, 3].map(replicaId) }
    const data = encodeConfiguration({ ...configuration([replicaId(1)]), voters: joint, autoLeave: true })
    const bench = new Bench({ term: 1, log: [1] })
    const entry: RaftEntry = { index: index(2), term: term(1), kind: 'configuration', data }
    bench.hear(2, { ...appendOf(1, [1, 1]), entries: [entry] }).settle()
    bench.pass(timeout).win(2, 3, 4)
    bench.settle()
    bench.acknowledge(2, 3).acknowledge(4, 3)
    expect(inForce(bench)).toBe('voters=1,4')
  })
})

describe('paper 6 and thesis 4.2, availability', () => {
  it('new servers first join as non-voting members: they get the log and are not counted', () => {
    const bench = leading()
    expect(change(bench, 'l4')).toBe('at 2')
    expect(bench.settle().some((line) => line.startsWith('1->4 append'))).toBe(true)
    bench.acknowledge(4, 2)
    expect(bench.raft.commitIndex).toBe(1)
    bench.acknowledge(2, 2)
    expect(bench.raft.commitIndex).toBe(2)
  })

  it('a leader that is not in the new configuration replicates and does not count itself', () => {
    const bench = leading()
    change(bench, 'r1')
    bench.settle()
    bench.acknowledge(2, 2)
    expect(bench.raft.commitIndex).toBe(1)
    expect(bench.role).toBe('leader')
  })

  it('...and goes on while only what is before that entry is committed', () => {
    const bench = leading()
    bench.propose('x')
    change(bench, 'r1')
    bench.settle()
    bench.acknowledge(2, 2).acknowledge(3, 2)
    expect([bench.raft.commitIndex, bench.role]).toEqual([2, 'leader'])
  })

  it('...and returns to follower state once that is committed', () => {
    const bench = leading()
    change(bench, 'r1')
    bench.settle()
    bench.acknowledge(2, 2).acknowledge(3, 2)
    expect(bench.raft.status()).toMatchObject({ role: 'follower', commit: 2, term: 1 })
    expect(bench.pass(3 * timeout).settle()).toEqual(['1->2 timeout-now term=1'])
  })

  it('thesis 4.2.2: a server not in its configuration campaigns until the entry is committed, without its own vote', () => {
    const bench = new Bench({ size: 2, term: 1 }).hear(2, { ...appendOf(1, [0, 0]), entries: [entryOf(1, 1, [2])] })
    bench.settle()
    bench.pass(timeout)
    expect(bench.role).toBe('pre-candidate')
    bench.hear(2, { kind: 'pre-vote-response', term: 2, granted: true })
    expect(bench.role).toBe('candidate')
  })

  it('...and not afterwards', () => {
    const bench = new Bench({ size: 2, term: 1 }).hear(2, { ...appendOf(1, [0, 0]), entries: [entryOf(1, 1, [2])] })
    bench.hear(2, { ...appendOf(1, [1, 1]), commit: 1 }).settle()
    expect(bench.pass(3 * timeout).settle()).toEqual([])
    expect(bench.role).toBe('follower')
  })

  it('thesis 4.2.3: a request for votes within the least election timeout of a leader changes neither term nor vote', () => {
    const bench = new Bench({ term: 1 }).hear(2, heartbeat(1))
    bench.settle()
    expect(bench.hear(9, vote(8, 99, 8)).settle()).toEqual([])
    expect(bench.raft.status()).toMatchObject({ term: 1, vote: null, leader: 2 })
  })

  it('...and each server waits at least that long before it starts an election', () => {
    const bench = new Bench({ term: 1 }).hear(2, heartbeat(1))
    expect(bench.raft.deadline() - bench.now).toBeGreaterThanOrEqual(timeout)
  })
})

describe('thesis 4.1, one change at a time', () => {
  it('a second change waits until the first is committed', () => {
    const bench = leading()
    expect([change(bench, 'v4'), change(bench, 'v5')]).toEqual(['at 2', 'pending'])
    bench.settle()
    for (const from of [2, 3]) bench.acknowledge(from, 2)
    expect(change(bench, 'v5')).toBe('at 3')
  })

  it('the first change of a term waits for an entry of the term', () => {
    const bench = new Bench({ term: 1, log: [1] }).win(2)
    bench.settle()
    expect(change(bench, 'v4')).toBe('new-leader')
    bench.acknowledge(2, 2)
    expect(change(bench, 'v4')).toBe('at 3')
  })

  it('only the leader changes the set, and not while it hands over', () => {
    expect(change(new Bench(), 'v4')).toBe('not-leader')
    const bench = leading()
    bench.do((raft) => raft.transferLeadership(replicaId(2), bench.now))
    expect(change(bench, 'v4')).toBe('transferring')
  })

  it('check-quorum gives new voters an election timeout from the change on', () => {
    const bench = new Bench({ size: 1 }).pass(0)
    bench.settle()
    bench.pass(5 * timeout)
    change(bench, 'v2')
    bench.settle()
    for (let i = 0; i < 4; i++) bench.pass(millis(100)).settle()
    expect(bench.role).toBe('leader')
    bench.pass(millis(100)).settle()
    expect(bench.role).toBe('follower')
  })
})
