// One survivor goes on alone, by an operator's word.

import { describe, expect, it } from 'vitest'
import { Bench, heartbeat, timeout } from './testing/bench.ts'

describe('rebootstrap', () => {
  it('a follower without a leader becomes one by itself: its whole log is committed, and it is the only voter', () => {
    const bench = new Bench().win(2)
    bench.propose('x')
    bench.settle()
    bench.do((raft) => raft.stepDown(bench.now))
    bench.do((raft) => raft.standAgain(bench.now))
    expect(bench.raft.commitIndex).toBe(0)
    bench.do((raft) => expect(raft.rebootstrap(bench.now)).toBeNull())
    bench.settle()
    bench.settle()
    expect(bench.raft.status()).toMatchObject({ role: 'leader', leader: 1, term: 3 })
    expect(bench.raft.configuration.voters.incoming).toEqual([1])
    expect(bench.raft.commitIndex).toBe(bench.raft.lastIndex())
  })

  it('not while somebody leads', () => {
    const bench = new Bench({ term: 1 }).hear(2, heartbeat(1))
    bench.do((raft) => expect(raft.rebootstrap(bench.now)).toBe('has-leader'))
    bench.pass(timeout)
    expect(bench.raft.leader).toBeNull()
    bench.do((raft) => expect(raft.rebootstrap(bench.now)).toBeNull())
  })

  it('no earlier than its vote is on the disk', () => {
    const bench = new Bench().pass(timeout)
    bench.settle()
    bench.do((raft) => raft.rebootstrap(bench.now))
    expect(bench.role).toBe('candidate')
  })
})
