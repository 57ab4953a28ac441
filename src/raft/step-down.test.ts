// A replica whose disk takes nothing: it gives up leading and doesn't campaign, and is a follower in all else.

import { describe, expect, it } from 'vitest'
import { millis } from '../base/instant.ts'
import { Bench, appendOf, heartbeat, timeout, vote } from './testing/bench.ts'

const stepDown = (bench: Bench): Bench => {
  bench.do((raft) => raft.stepDown(bench.now))
  return bench
}

describe('stepDown', () => {
  it('a leader gives up leading in its term, and takes no proposal', () => {
    const bench = stepDown(new Bench().win(2))
    expect(bench.raft.status()).toMatchObject({ role: 'follower', leader: null, term: 1, vote: 1 })
    expect(bench.propose('x')).toBe(false)
  })

  it('...and sends no heartbeat, so that the others elect another', () => {
    const bench = new Bench().win(2)
    bench.settle()
    stepDown(bench)
    for (let i = 0; i < 30; i++) expect(bench.pass(millis(100)).settle()).toEqual([])
  })

  it('a campaign ends: late votes make no leader', () => {
    const bench = new Bench().pass(timeout)
    bench.settle()
    bench.hear(2, { kind: 'pre-vote-response', term: 1, granted: true }).settle()
    expect(bench.role).toBe('candidate')
    stepDown(bench).hear(2, { kind: 'vote-response', term: 1, granted: true })
    expect(bench.role).toBe('follower')
    expect(bench.pass(3 * timeout).settle()).toEqual([])
  })

  it('its election timeout only makes it forget a leader that fell silent', () => {
    const bench = stepDown(new Bench({ term: 1 }).hear(2, heartbeat(1)))
    expect(bench.raft.leader).toBe(2)
    bench.pass(timeout)
    expect(bench.raft.status()).toMatchObject({ role: 'follower', leader: null, term: 1 })
    expect(bench.raft.deadline()).toBeGreaterThan(bench.now)
  })

  it('follows and votes on: what needs the disk waits for it', () => {
    const bench = stepDown(new Bench())
    const [ready] = bench
      .pass(timeout)
      .hear(2, vote(1, 0, 0))
      .take()
    expect([ready?.messages, ready?.afterPersist.length]).toEqual([[], 1])
    const [next] = bench.hear(2, appendOf(1, [0, 0], [1])).take()
    expect([next?.messages, next?.entries.length, next?.afterPersist.length]).toEqual([[], 1, 1])
  })

  it('what it appended as leader may still be committed, by the next one', () => {
    const bench = new Bench().win(2)
    bench.propose('x')
    bench.settle()
    stepDown(bench).hear(2, appendOf(2, [2, 1], [2], 3))
    expect(bench.take().flatMap(({ committed }) => committed.map(({ index }) => index))).toEqual([1, 2, 3])
  })

  it('after standAgain it campaigns as any other, once its timeout passes', () => {
    const bench = stepDown(new Bench().win(2))
    bench.settle()
    bench.do((raft) => raft.standAgain(bench.now))
    expect(bench.settle()).toEqual([])
    bench.pass(timeout)
    expect(bench.settle()).toContain('1->2 pre-vote term=2 last=1/1')
  })

  it('a set of one leads again', () => {
    const bench = new Bench({ size: 1 }).pass(timeout)
    bench.settle()
    expect(bench.role).toBe('leader')
    stepDown(bench).pass(3 * timeout)
    expect(bench.role).toBe('follower')
    bench.do((raft) => raft.standAgain(bench.now))
    bench.pass(2 * timeout).settle()
    expect(bench.role).toBe('leader')
  })
})
