import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Term } from '../base/brand.ts'
import { index, term } from '../base/brand.ts'
import { entryBytes, RaftLog } from './log.ts'
import type { RaftEntry } from './message.ts'

function entry(at: number, of: number, size = 0): RaftEntry {
  return { index: index(at), term: term(of), kind: 'normal', data: new Uint8Array(size) }
}

function logOf(terms: readonly number[]): RaftLog {
  return new RaftLog(
    terms.map((of, at) => entry(at + 1, of)),
    index(0),
  )
}

/** Terms of a log: they never fall. */
const terms = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 12 }).map((each) => each.sort((a, b) => a - b))

describe('log', () => {
  it('paper 5.4.1: the later last term is more up to date, whatever the length; then the longer log', () => {
    const log = logOf([1, 1, 3])
    expect(log.isUpToDate(index(1), term(4))).toBe(true)
    expect(log.isUpToDate(index(9), term(2))).toBe(false)
    expect(log.isUpToDate(index(3), term(3))).toBe(true)
    expect(log.isUpToDate(index(2), term(3))).toBe(false)
    expect(log.isUpToDate(index(4), term(3))).toBe(true)
  })

  it('of two logs at least one is as up to date as the other', () => {
    fc.assert(
      fc.property(terms, terms, (a, b) => {
        const [one, other] = [logOf(a), logOf(b)]
        const both = [one.isUpToDate(other.last, other.lastTerm), other.isUpToDate(one.last, one.lastTerm)]
        expect(both).toContain(true)
      }),
    )
  })

  it('paper 5.3: the hint by term is the largest index at which two logs may agree', () => {
    fc.assert(
      fc.property(terms, fc.nat({ max: 14 }), fc.integer({ min: 0, max: 7 }), (each, at, limit) => {
        const naive = each.slice(0, at).filter((of) => of <= limit).length
        expect(logOf(each).lastWithTermAtMost(index(at), term(limit))).toBe(naive)
      }),
    )
  })

  it('paper 5.3: the two hints never pass over the true point of agreement', () => {
    fc.assert(
      fc.property(terms, terms, terms, (shared, leaderTail, followerTail) => {
        // Log matching: logs share a prefix, and after it no (index, term).
        const low = shared.at(-1) ?? 0
        const odd = leaderTail.map((of) => of * 2 + low)
        const even = followerTail.map((of) => of * 2 + low + 1)
        const leader = logOf([...shared, ...odd])
        const follower = logOf([...shared, ...even])
        const prevTerm = leader.termAt(leader.last) as Term
        if (follower.termAt(leader.last) === prevTerm) return
        const hint = follower.lastWithTermAtMost(leader.last, prevTerm)
        const next = leader.lastWithTermAtMost(hint, follower.termAt(hint) as Term)
        expect(next).toBeGreaterThanOrEqual(shared.length)
        expect(next).toBeLessThan(leader.last)
      }),
    )
  })

  it('finds the first entry that is absent or of another term', () => {
    const log = logOf([1, 1, 2])
    expect(log.firstMissing([])).toBeNull()
    expect(log.firstMissing([entry(2, 1), entry(3, 2)])).toBeNull()
    expect(log.firstMissing([entry(2, 1), entry(3, 3), entry(4, 3)])?.index).toBe(3)
    expect(log.firstMissing([entry(3, 2), entry(4, 2)])?.index).toBe(4)
  })

  it('slices by count and bytes, and gives at least one entry', () => {
    const log = new RaftLog([entry(1, 1, 10), entry(2, 1, 10), entry(3, 1, 1_000), entry(4, 1)], index(0))
    const two = 2 * entryBytes(entry(1, 1, 10))
    const indexes = (entries: readonly RaftEntry[]): readonly number[] => entries.map((each) => each.index)
    expect(indexes(log.slice(index(1), index(4), 64, two))).toEqual([1, 2])
    expect(indexes(log.slice(index(1), index(4), 64, two - 1))).toEqual([1])
    expect(indexes(log.slice(index(3), index(4), 64, 1))).toEqual([3])
    expect(indexes(log.slice(index(1), index(4), 3, 10_000))).toEqual([1, 2, 3])
    expect(indexes(log.slice(index(2), index(2), 3, 10_000))).toEqual([2])
  })

  it('hands each committed entry out once, in order, bounded by bytes', () => {
    const log = logOf([1, 1, 1, 1])
    log.commitTo(index(3))
    const one = entryBytes(entry(1, 1))
    expect(log.takeCommitted(2 * one).map((each) => each.index)).toEqual([1, 2])
    expect(log.takeCommitted(2 * one).map((each) => each.index)).toEqual([3])
    expect(log.takeCommitted(2 * one)).toEqual([])
  })

  it('stops on what only a bug or a lost disk could cause', () => {
    const log = logOf([1, 1])
    log.commitTo(index(1))
    expect(() => log.truncate(index(1))).toThrow('committed')
    expect(() => log.commitTo(index(3))).toThrow('beyond the last entry')
    expect(() => log.append([entry(4, 1)])).toThrow('contiguous')
    expect(() => log.append([entry(3, 0)])).toThrow('terms never fall')
  })
})
