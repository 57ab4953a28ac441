import { describe, expect, test } from 'vitest'
import { assert } from '../base/assert.ts'
import { index } from '../base/brand.ts'
import type { GroupKey } from '../base/brand.ts'
import { micros, stamp } from '../base/instant.ts'
import type { Commit, EntryBody } from '../wire/entry.ts'
import { Store } from './store.ts'
import { callback, deletion, dialog, group, put, served, start } from './testing/log.ts'
import type { Applied, FiredTimer } from './view.ts'

const G = group(1)

describe('design.md 5: timers fire once, in the log', () => {
  test('commits carry durations; apply computes deadlines', () => {
    const log = served()
    log.commit(G, { puts: [put(0)], timers: [callback('t', 500)] })
    expect(log.store.group(G)?.timers).toEqual([{ id: 't', deadline: 1_500, action: { kind: 'callback' } }])
    expect(log.store.nextDeadline()).toBe(1_500)
  })

  test('only a pulse fires, at the deadline and not before, and once', () => {
    const log = served()
    log.commit(G, { puts: [put(0)], timers: [callback('t', 500)] })
    log.now = stamp(5_000)
    log.commit(group(2), { puts: [put(0)] })
    expect(log.store.counts()).toMatchObject({ timersPending: 1, timersFired: 0 })
    const early = served()
    early.commit(G, { puts: [put(0)], timers: [callback('t', 500)] })
    expect(early.pulse(1_499)).toEqual([])
    expect(early.store.groupVersion(G)).toBe(1)
    expect(early.pulse(1_500).map(({ id }) => id)).toEqual(['t'])
    expect(early.pulse(1_501)).toEqual([])
    expect(early.store.counts()).toMatchObject({ timersPending: 0, timersFired: 1 })
  })

  test('a callback opens an intent with the timer’s id in the same apply', () => {
    const log = served()
    log.commit(G, { puts: [put(0)], timers: [callback('t', 5)] })
    log.pulse(2_000)
    expect(log.store.group(G)?.intents).toEqual([{ id: 't', bytes: new Uint8Array(0), opened: 3 }])
  })

  test('a delete timer removes those of its targets that still exist, and the group with the last', () => {
    const log = served()
    log.commit(G, {
      puts: [put(0, 'd'), put(0, 'e'), put(0, 'f')],
      timers: [deletion('t', 5, dialog('d'), dialog('e')), deletion('u', 6, dialog('f'), dialog('gone'))],
      holds: [{ counter: 'c', limit: null }],
    })
    log.commit(G, { deletes: [{ ...dialog('d'), expected: 1 }] })
    log.pulse(1_005)
    expect(log.store.group(G)?.entities.map(({ id }) => id)).toEqual(['f'])
    expect(log.store.groupVersion(G)).toBe(3)
    log.pulse(1_006)
    expect(log.store.group(G)).toBe(null)
    expect(log.store.counter('c')).toBe(0)
  })

  test('those that fire next are told in the order that they will fire, and go on pending', () => {
    const log = served()
    log.commit(G, { puts: [put(0)], timers: [callback('late', 900), deletion('soon', 100, dialog('d'))] })
    log.commit(group(2), { puts: [put(0)], timers: [callback('b', 300), callback('a', 300)] })
    const next = log.store.upcomingTimers(3)
    expect(next.map(({ id }) => id)).toEqual(['soon', 'a', 'b'])
    expect(log.store.upcomingTimers(9).map(({ id }) => id)).toEqual(['soon', 'a', 'b', 'late'])
    expect(log.pulse(1_400).map(({ id }) => id)).toEqual(['soon', 'a', 'b'])
  })

  test('in (deadline, group, id) order, whatever the kind and the order in which they were set', () => {
    const log = served()
    log.commit(group(2), { puts: [put(0)], timers: [callback('b', 5), deletion('a', 5), callback('c', 4)] })
    log.commit(group(1), { puts: [put(0)], timers: [deletion('z', 5), callback('a', 6), callback('10', 5)] })
    expect(log.pulse(9_000).map((fired) => `${fired.deadline} ${Number(fired.group)} ${fired.id}`)).toEqual([
      '1004 2 c',
      '1005 1 10',
      '1005 1 z',
      '1005 2 a',
      '1005 2 b',
      '1006 1 a',
    ])
  })

  test('a bounded number per entry, and the rest with the next', () => {
    const log = served()
    log.commit(G, { puts: [put(0)], timers: [1, 2, 3].map((n) => callback(`t${n}`, n)) })
    log.now = stamp(9_000)
    const applied = log.append({ kind: 'pulse', limit: 2, audit: null })
    expect(applied).toMatchObject({ kind: 'pulse', fired: [{ id: 't1' }, { id: 't2' }], more: true })
    expect(log.append({ kind: 'pulse', limit: 2, audit: null })).toMatchObject({ fired: [{ id: 't3' }], more: false })
  })

  test('a group’s version is +1 per pulse that fires in it, however many timers', () => {
    const log = served()
    log.commit(G, { puts: [put(0)], timers: [callback('a', 1), callback('b', 2)] })
    log.commit(group(2), { puts: [put(0)], timers: [callback('a', 100_000)] })
    log.pulse(2_000)
    expect(log.store.groupVersion(G)).toBe(2)
    expect(log.store.groupVersion(group(2))).toBe(1)
  })

  test('cancel wins if its index is smaller', () => {
    const log = served()
    log.commit(G, { puts: [put(0)], timers: [callback('t', 5)] })
    // Due by its stamp, but the cancel is before the pulse.
    log.now = stamp(9_000)
    expect(log.commit(G, { puts: [put(1)], cancels: ['t', 'unknown'] })).toBe('accepted')
    expect(log.pulse(9_000)).toEqual([])
    const other = served()
    other.commit(G, { puts: [put(0)], timers: [callback('t', 5)] })
    other.pulse(9_000)
    expect(other.commit(G, { puts: [put(1)], cancels: ['t'] })).toBe('accepted')
    // The cancel came after: its intent stays until it is done.
    expect(other.store.group(G)?.intents.map(({ id }) => id)).toEqual(['t'])
  })

  test('setting a pending id replaces it; cancelled and set in one commit, it is set', () => {
    const log = served()
    log.commit(G, { puts: [put(0)], timers: [callback('t', 5)] })
    log.commit(G, { puts: [put(1)], timers: [deletion('t', 50)], cancels: ['t'] })
    expect(log.store.group(G)?.timers).toEqual([{ id: 't', deadline: 1_050, action: { kind: 'delete', targets: [] } }])
    expect(log.pulse(1_049)).toEqual([])
    expect(log.pulse(1_050)).toHaveLength(1)
  })

  test('a timer whose group went earlier in the same pulse doesn’t fire', () => {
    const log = served()
    log.commit(G, { puts: [put(0)], timers: [deletion('a', 1, dialog()), callback('b', 2)] })
    expect(log.pulse(9_000).map(({ id }) => id)).toEqual(['a'])
    expect(log.store.counts()).toEqual({ groups: 0, entities: 0, timersPending: 0, timersFired: 1, intentsOpen: 0 })
  })

  test('callbacks want their pulse to the microsecond, deletions a little later, together', () => {
    const log = served({ deleteSlack: micros(100), history: 64 })
    log.commit(G, { puts: [put(0)], timers: [deletion('d', 10)] })
    expect(log.store.nextDeadline()).toBe(1_110)
    log.commit(G, { puts: [put(1)], timers: [callback('c', 50)] })
    expect(log.store.nextDeadline()).toBe(1_050)
    expect(log.pulse(1_050).map(({ id }) => id)).toEqual(['d', 'c'])
  })

  test('stamps never fall: an entry with a lower one counts as having the last', () => {
    const log = served()
    log.now = stamp(5_000)
    log.commit(G, { puts: [put(0)] })
    log.now = stamp(1_000)
    log.commit(G, { puts: [put(1)], timers: [callback('t', 5)] })
    expect(log.store.lastStamp).toBe(5_000)
    expect(log.store.group(G)?.timers[0]?.deadline).toBe(5_005)
    expect(log.store.group(G)?.entities[0]?.stamp).toBe(5_000)
  })
})

test('[JSR 20] 10,000 timers of one second fire in order, a hundred with an entry, and commits are accepted between those entries', () => {
  const [groups, each, limit] = [100, 100, 100]
  const store = new Store()
  const owner = start(1)
  let serial = 0
  const append = (now: number, body: EntryBody): Applied =>
    store.apply(index(store.appliedIndex + 1), { stamp: stamp(now), body })
  append(0, { kind: 'serving', replaces: index(0), admit: [owner], remove: [] })
  const commit = (now: number, key: GroupKey, parts: Partial<Commit>): Applied => {
    serial++
    const since = store.sinceOf(owner) ?? index(0)
    const envelope = { kind: 'commit' as const, group: key, expected: store.groupVersion(key), proposer: owner, since }
    const none = { puts: [], deletes: [], timers: [], cancels: [], holds: null, opened: [], done: [] }
    return append(now, { ...envelope, judged: since, serial, lowestOpen: serial, onto: 0, ...none, ...parts })
  }
  for (let n = 0; n < groups; n++) {
    // Scattered over the second, and not in the order in which they are set.
    const timers = Array.from({ length: each }, (_, i) =>
      callback(`t${i}`, 1 + ((n * 7_919 + i * 104_729) % 1_000_000)),
    )
    commit(0, group(n), { puts: [put(0)], timers })
  }
  const fired: FiredTimer[] = []
  for (let more = true; more;) {
    const pulse = append(1_000_000, { kind: 'pulse', limit, audit: null })
    assert(pulse.kind === 'pulse' && pulse.fired.length <= limit, 'a pulse within its limit')
    fired.push(...pulse.fired)
    more = pulse.more
    // A call's own commit is the next entry: no timer that is due is in its way.
    const other = group(groups + fired.length)
    expect(commit(1_000_000, other, { puts: [put(0)] })).toMatchObject({ outcome: 'accepted' })
  }
  expect(fired).toHaveLength(groups * each)
  const places = fired.map(({ deadline, group: key, id }) => `${String(deadline).padStart(7, '0')} ${key} ${id}`)
  expect(places).toEqual([...places].sort())
  expect(store.counts()).toMatchObject({ timersPending: 0, timersFired: groups * each, intentsOpen: groups * each })
})
