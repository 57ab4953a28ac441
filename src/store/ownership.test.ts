import { describe, expect, test } from 'vitest'
import { index } from '../base/brand.ts'
import { micros } from '../base/instant.ts'
import { TestLog, callback, group, groupOf, put, served, start } from './testing/log.ts'

const G = group(1)
const three = [start(1), start(2), start(3)]

describe('design.md 3: serving', () => {
  test('schedule: the first serving entry needs nobody to serve before it', () => {
    const log = new TestLog()
    expect(log.store.serving()).toEqual({ version: 0, members: [] })
    expect(log.store.ownerOf(G)).toBe(null)
    expect(log.commit(G, { puts: [put(0)] })).toBe('not-owner')
    expect(log.serving([start(2), start(1)])).toBe(true)
    expect(log.store.serving()).toEqual({
      version: 2,
      members: [
        { life: start(1), since: 2 },
        { life: start(2), since: 2 },
      ],
    })
    expect(log.store.sinceOf(start(1))).toBe(2)
    expect(log.store.sinceOf(start(3))).toBe(null)
  })

  test('an entry names the serving version that it replaces', () => {
    const log = served()
    expect(log.serving([], [start(1)], index(0))).toBe(false)
    expect(log.serving([], [start(1)], index(1))).toBe(true)
    expect(log.serving([], [start(2)], index(1))).toBe(false)
    expect(log.store.serving().members.map(({ life }) => life)).toEqual([start(2), start(3)])
  })

  test('the last serving life is never removed', () => {
    const log = served()
    expect(log.serving([], three)).toBe(false)
    expect(log.serving([], [start(1), start(2)])).toBe(true)
    expect(log.serving([], [start(3)])).toBe(false)
    expect(log.store.serving().members).toEqual([{ life: start(3), since: 1 }])
  })

  test('a later life of a replica removes the earlier one and is admitted anew', () => {
    const log = served()
    expect(log.serving([start(1, 2)])).toBe(true)
    expect(log.store.serving().members).toEqual([
      { life: start(1, 2), since: 2 },
      { life: start(2), since: 1 },
      { life: start(3), since: 1 },
    ])
  })

  test('schedule: all three restarted from disk: the entry makes each the owner of its groups again', () => {
    const log = served()
    const owners = [1, 2, 3, 4, 5, 6].map((n) => log.store.ownerOf(group(n)))
    log.serving(three.map((_, i) => start(i + 1, 2)))
    const again = [1, 2, 3, 4, 5, 6].map((n) => log.store.ownerOf(group(n)))
    expect(again).toEqual(owners.map((owner) => owner?.replace(/1$/, '2')))
    // A new life's serials start at 1 again, and are new.
    expect(log.commit(G, { puts: [put(0)], serial: 1 })).toBe('accepted')
  })

  test('an earlier life never comes back, nor do two lives of one replica serve', () => {
    const log = served()
    log.serving([start(1, 3)])
    expect(log.serving([start(1, 2)])).toBe(false)
    expect(log.serving([start(2, 2), start(2, 3)])).toBe(false)
    log.serving([], [start(1, 3)])
    expect(log.serving([start(1, 1)])).toBe(false)
    expect(log.serving([start(1, 3)])).toBe(true)
  })

  test('a replaced life is forgotten: nothing of it is accepted ever again, and nothing of it is kept', () => {
    const log = served()
    const key = groupOf(log, start(1))
    const old = [1, 2].map(() => log.prepare(key, { puts: [put(0)] }))
    log.serving([start(1, 2)])
    const hash = log.store.hash()
    for (const commit of old) expect(log.give(commit)).toBe('not-owner')
    expect(log.store.hash()).toBe(hash)
  })

  test('admitting a life that serves leaves its since; removed and admitted in one entry, it is admitted anew', () => {
    const log = served()
    expect(log.serving([start(1)])).toBe(true)
    expect(log.store.sinceOf(start(1))).toBe(1)
    expect(log.serving([start(1)], [start(1)])).toBe(true)
    expect(log.store.sinceOf(start(1))).toBe(3)
  })

  test('a join touches only the groups that move, and about its share of them', () => {
    const log = new TestLog()
    log.serving([start(1), start(2)])
    const before = log.store.serving()
    log.serving([start(3)])
    const moved = Array.from({ length: 900 }, (_, n) => group(n)).filter((key) => {
      const [was, is] = [log.store.ownerUnder(before, key), log.store.ownerOf(key)]
      expect([was, start(3)]).toContain(is)
      return was !== is
    })
    expect(moved.length).toBeGreaterThan(200)
    expect(moved.length).toBeLessThan(400)
  })
})

describe('design.md 3: one owner per group, fenced in the log', () => {
  test('a commit of another than the owner is not applied', () => {
    const log = served()
    const key = groupOf(log, start(1))
    expect(log.commit(key, { proposer: start(2), puts: [put(0)] })).toBe('not-owner')
    expect(log.commit(key, { proposer: start(1, 2), puts: [put(0)] })).toBe('not-owner')
    expect(log.commit(key, { proposer: start(4), puts: [put(0)] })).toBe('not-owner')
    expect(log.store.group(key)).toBe(null)
  })

  test('a commit with another since is not applied', () => {
    const log = served()
    const key = groupOf(log, start(1))
    log.serving([], [start(1)])
    log.serving([start(1)])
    expect(log.commit(key, { since: index(1), puts: [put(0)] })).toBe('not-owner')
    expect(log.commit(key, { since: index(3), puts: [put(0)] })).toBe('accepted')
  })

  test('schedule: the group moved away and back between judgement and apply', () => {
    const log = new TestLog()
    log.serving([start(1), start(2)])
    const joined = new TestLog()
    joined.serving(three)
    // A group of 1 that 3 takes when it joins.
    let n = 1
    while (log.store.ownerOf(group(n)) !== start(1) || joined.store.ownerOf(group(n)) !== start(3)) n++
    const late = log.prepare(group(n), { puts: [put(0)] })
    log.serving([start(3)])
    log.serving([], [start(3)])
    expect(log.store.ownerOf(group(n))).toBe(start(1))
    expect(log.store.sinceOf(start(1))).toBe(late.since)
    expect(log.give(late)).toBe('not-owner')
    expect(log.commit(group(n), { puts: [put(0)] })).toBe('accepted')
  })

  test('a join leaves the commits of groups that stay alone', () => {
    const log = new TestLog()
    log.serving([start(1), start(2)])
    const joined = new TestLog()
    joined.serving(three)
    let n = 1
    while (log.store.ownerOf(group(n)) !== start(1) || joined.store.ownerOf(group(n)) !== start(1)) n++
    const inFlight = log.prepare(group(n), { puts: [put(0)] })
    log.serving([start(3)])
    expect(log.give(inFlight)).toBe('accepted')
  })

  test('only serving entries that are kept, and that were one, can be judged by', () => {
    const log = served({ deleteSlack: micros(0), history: 3 })
    const key = groupOf(log, start(1))
    const inFlight = [1, 2, 3].map(() => log.prepare(key, { puts: [put(0)] }))
    for (let i = 0; i < 2; i++) log.serving([])
    expect(log.give(inFlight[0] as never)).toBe('accepted')
    log.serving([])
    expect(log.give(inFlight[1] as never)).toBe('not-owner')
    expect(log.commit(key, { judged: index(10_000), puts: [put(1)] })).toBe('not-owner')
  })

  test('schedule: pipelining, and a pulse that hits the group between two commits', () => {
    const log = served()
    log.commit(G, { puts: [put(0, 'd'), put(0, 'e')], timers: [callback('t', 10)] })
    const first = log.prepare(G, { puts: [put(1, 'd')] })
    const second = log.prepare(G, { expected: 2, onto: first.serial, puts: [put(1, 'e')] })
    log.pulse(2_000)
    expect(log.give(first)).toBe('version')
    // Its expected version matches by the pulse's +1; what it builds on fell.
    expect(log.store.groupVersion(G)).toBe(2)
    expect(log.give(second)).toBe('version')
  })

  test('a commit built on an open one is applied after exactly that one', () => {
    const log = served()
    const first = log.prepare(G, { puts: [put(0)] })
    const second = log.prepare(G, { expected: 1, onto: first.serial, puts: [put(1)] })
    const third = log.prepare(G, { expected: 2, onto: second.serial, puts: [put(2)] })
    expect([first, second, third].map((commit) => log.give(commit))).toEqual(['accepted', 'accepted', 'accepted'])
    expect(log.commit(G, { onto: first.serial, puts: [put(3)] })).toBe('version')
  })
})
