import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { index } from '../base/brand.ts'
import { hashKey } from '../base/hash.ts'
import { micros, stamp } from '../base/instant.ts'
import { Store } from './store.ts'
import { TestLog, callback, deletion, dialog, group, put, start } from './testing/log.ts'

const G = group(1)
const three = [start(1), start(2), start(3)]

/** A log whose three replicas serve since index 1. */
function served(options?: ConstructorParameters<typeof TestLog>[0]): TestLog {
  const log = new TestLog(options)
  log.serving(three)
  return log
}

/** A group that this life owns among those serving. */
function groupOf(log: TestLog, life: string): ReturnType<typeof group> {
  for (let n = 1; ; n++) if (log.store.ownerOf(group(n)) === life) return group(n)
}

describe('design.md 2: a commit applies whole or not at all', () => {
  test('an entity’s version is +1 per commit that puts it, a group’s +1 per commit', () => {
    const log = served()
    log.commit(G, { puts: [put(0, 'd'), put(0, 'e')] })
    log.now = stamp(2_000)
    log.commit(G, { puts: [put(1, 'd', [7])] })
    const view = log.store.group(G)
    expect(view?.version).toBe(2)
    expect(view?.entities).toEqual([
      { tree: 'Dialog', id: 'd', version: 2, stamp: 2_000, bytes: Uint8Array.of(7) },
      { tree: 'Dialog', id: 'e', version: 1, stamp: 1_000, bytes: Uint8Array.of(0) },
    ])
  })

  test('one wrong version, of the group, a put or a delete, and nothing of the commit happens', () => {
    const log = served()
    log.commit(G, { puts: [put(0, 'd'), put(0, 'e')] })
    const before = log.store.group(G)
    const effects = { timers: [callback('t', 5)], holds: [{ counter: 'c', limit: null }], opened: [{ id: 'i', bytes: new Uint8Array(1) }] }
    expect(log.commit(G, { ...effects, expected: 0, puts: [put(1, 'd')] })).toBe('version')
    expect(log.commit(G, { ...effects, puts: [put(1, 'd'), put(0, 'e')] })).toBe('version')
    expect(log.commit(G, { ...effects, puts: [put(1, 'd')], deletes: [{ ...dialog('e'), expected: 2 }] })).toBe('version')
    expect(log.commit(G, { ...effects, puts: [put(1, 'x')] })).toBe('version')
    expect(log.commit(G, { ...effects, puts: [put(1, 'd'), put(1, 'd')] })).toBe('version')
    expect(log.store.group(G)).toEqual(before)
    expect(log.store.counter('c')).toBe(0)
    expect(log.store.counts()).toMatchObject({ timersPending: 0, intentsOpen: 0 })
  })

  test('a group with no entity left goes with its timers, holds and intents', () => {
    const log = served()
    log.commit(G, {
      puts: [put(0)],
      timers: [callback('t', 5), deletion('u', 6, dialog())],
      holds: [{ counter: 'calls', limit: null }],
      opened: [{ id: 'i', bytes: new Uint8Array(1) }],
    })
    expect(log.store.counts()).toEqual({ groups: 1, entities: 1, timersPending: 2, timersFired: 0, intentsOpen: 1 })
    log.commit(G, { deletes: [{ ...dialog(), expected: 1 }], timers: [callback('v', 1)] })
    expect(log.store.counts()).toEqual({ groups: 0, entities: 0, timersPending: 0, timersFired: 0, intentsOpen: 0 })
    expect(log.store.group(G)).toBe(null)
    expect(log.store.groupVersion(G)).toBe(0)
    expect(log.store.counter('calls')).toBe(0)
    expect(log.store.nextDeadline()).toBe(null)
  })

  test('values are copies: what the caller does to its bytes later changes nothing', () => {
    const log = served()
    const bytes = Uint8Array.of(1)
    log.commit(G, { puts: [{ ...put(0), bytes }], opened: [{ id: 'i', bytes }] })
    const hash = log.store.hash()
    bytes[0] = 9
    expect(log.store.group(G)?.entities[0]?.bytes).toEqual(Uint8Array.of(1))
    expect(log.store.group(G)?.intents[0]?.bytes).toEqual(Uint8Array.of(1))
    log.commit(G, { deletes: [{ ...dialog(), expected: 1 }] })
    log.commit(G, { puts: [{ ...put(0), bytes: Uint8Array.of(1) }] })
    expect(log.store.hash()).not.toBe(hash)
  })
})

describe('design.md 2: serials', () => {
  test('schedule: created, deleted, and a replayed proposal matches 0 again: the dead call stays dead', () => {
    const log = served()
    const create = log.prepare(G, { puts: [put(0)] })
    expect(log.give(create)).toBe('accepted')
    expect(log.commit(G, { deletes: [{ ...dialog(), expected: 1 }] })).toBe('accepted')
    expect(log.give(create)).toBe('duplicate')
    expect(log.store.group(G)).toBe(null)
  })

  test('...also after lowestOpen has passed it and its serial is forgotten', () => {
    const log = served()
    const create = log.prepare(G, { puts: [put(0)] })
    log.give(create)
    log.commit(G, { deletes: [{ ...dialog(), expected: 1 }], lowestOpen: 2 })
    log.commit(group(2), { proposer: create.proposer, lowestOpen: 3, serial: 3 })
    expect(log.give(create)).toBe('duplicate')
  })

  test('a rejected serial is consumed: its replay is a duplicate even when it would fit', () => {
    const log = served()
    const early = log.prepare(G, { expected: 1, puts: [put(1)] })
    expect(log.give(early)).toBe('version')
    const { proposer } = early
    expect(log.commit(G, { proposer, puts: [put(0)] })).toBe('accepted')
    expect(log.give(early)).toBe('duplicate')
    const full = log.prepare(G, { puts: [put(1)], holds: [{ counter: 'c', limit: 0 }] })
    expect(log.give(full)).toBe('limit')
    expect(log.give(full)).toBe('duplicate')
    const strange = log.prepare(G, { puts: [put(1)], judged: index(0) })
    expect(log.give(strange)).toBe('not-owner')
    expect(log.give(strange)).toBe('duplicate')
  })

  test('serials may come out of order; each is taken once', () => {
    const log = served()
    const commits = [3, 1, 2].map((serial) => log.prepare(G, { serial, expected: serial, puts: [put(serial - 1)] }))
    for (const commit of commits) expect(log.give(commit)).toBe('version')
    for (const commit of commits) expect(log.give(commit)).toBe('duplicate')
  })

  test('a serial or lowestOpen that leaps is bounded work and bounded memory', () => {
    const log = served()
    const { proposer } = log.prepare(G)
    expect(log.commit(G, { proposer, serial: 5, puts: [put(0)] })).toBe('accepted')
    expect(log.commit(G, { proposer, serial: 2 ** 52, lowestOpen: 1, puts: [put(1)] })).toBe('accepted')
    expect(log.commit(G, { proposer, serial: 6, lowestOpen: 1, puts: [put(2)] })).toBe('duplicate')
    expect(log.commit(G, { proposer, serial: 2 ** 52 + 1, lowestOpen: 2 ** 53 - 1, puts: [put(2)] })).toBe('accepted')
    expect(log.commit(G, { proposer, serial: 2 ** 52 + 2, lowestOpen: 1, puts: [put(3)] })).toBe('duplicate')
  })

  test('a life that was removed and admitted again goes on counting', () => {
    const log = served()
    const key = groupOf(log, start(1))
    const first = log.prepare(key, { puts: [put(0)] })
    expect(log.give(first)).toBe('accepted')
    log.serving([], [start(1)])
    expect(log.give(first)).toBe('duplicate')
    log.serving([start(1)])
    expect(log.give({ ...first, since: index(5), judged: index(5), expected: 1, puts: [put(1)] })).toBe('duplicate')
    expect(log.commit(key, { puts: [put(1)] })).toBe('accepted')
  })
})

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

describe('design.md 4: holds and intents', () => {
  const hold = (counter: string, limit: number | null = null) => ({ counter, limit })

  test('a counter is the number of holds that living groups own', () => {
    const log = served()
    log.commit(group(1), { puts: [put(0)], holds: [hold('calls'), hold('alice')] })
    log.commit(group(2), { puts: [put(0)], holds: [hold('calls')] })
    expect([log.store.counter('calls'), log.store.counter('alice')]).toEqual([2, 1])
    log.commit(group(1), { puts: [put(1)], holds: [hold('calls')] })
    expect([log.store.counter('calls'), log.store.counter('alice')]).toEqual([2, 0])
    log.commit(group(1), { puts: [put(2)] })
    expect(log.store.group(group(1))?.holds).toEqual([hold('calls')])
    log.commit(group(1), { deletes: [{ ...dialog(), expected: 3 }] })
    expect(log.store.counter('calls')).toBe(1)
  })

  test('the limit is checked in apply, and deletion makes room again', () => {
    const log = served()
    const holds = [hold('calls', 2)]
    for (const n of [1, 2]) expect(log.commit(group(n), { puts: [put(0)], holds })).toBe('accepted')
    expect(log.commit(group(3), { puts: [put(0)], holds })).toBe('limit')
    expect(log.store.group(group(3))).toBe(null)
    expect(log.commit(group(1), { deletes: [{ ...dialog(), expected: 1 }], holds })).toBe('accepted')
    expect(log.commit(group(3), { puts: [put(0)], holds })).toBe('accepted')
  })

  test('a limit that was lowered doesn’t stop calls that hold already', () => {
    const log = served()
    for (const n of [1, 2]) log.commit(group(n), { puts: [put(0)], holds: [hold('calls', 2)] })
    expect(log.commit(group(1), { puts: [put(1)], holds: [hold('calls', 1)] })).toBe('accepted')
    expect(log.commit(group(1), { puts: [put(2)], holds: [hold('calls', 1), hold('calls', 1)] })).toBe('limit')
  })

  test('an intent is open from the commit that opens it to the one that says it is done', () => {
    const log = served()
    const bytes = Uint8Array.of(5)
    log.commit(G, { puts: [put(0)], opened: [{ id: 'bye', bytes }, { id: 'a', bytes }] })
    expect(log.store.group(G)?.intents).toEqual([
      { id: 'a', bytes, opened: 2 },
      { id: 'bye', bytes, opened: 2 },
    ])
    log.commit(G, { puts: [put(1)], done: ['bye', 'unknown'] })
    expect(log.store.group(G)?.intents).toEqual([{ id: 'a', bytes, opened: 2 }])
    // Done before opened: the same id in one commit is a new intent.
    log.commit(G, { puts: [put(2)], done: ['a'], opened: [{ id: 'a', bytes: new Uint8Array(0) }] })
    expect(log.store.group(G)?.intents).toEqual([{ id: 'a', bytes: new Uint8Array(0), opened: 4 }])
    expect(log.store.counts().intentsOpen).toBe(1)
  })
})

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
    const applied = log.append({ kind: 'pulse', limit: 2 })
    expect(applied).toMatchObject({ kind: 'pulse', fired: [{ id: 't1' }, { id: 't2' }], more: true })
    expect(log.append({ kind: 'pulse', limit: 2 })).toMatchObject({ fired: [{ id: 't3' }], more: false })
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

describe('set keys', () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i)

  test('exactly the next generation is taken, the first of two that come together', () => {
    const log = new TestLog()
    const add = (generation: number, bytes = key) => log.append({ kind: 'key', generation, key: bytes })
    expect(log.store.keyGeneration).toBe(0)
    expect(add(2)).toEqual({ kind: 'key', accepted: false })
    expect(add(1)).toEqual({ kind: 'key', accepted: true })
    expect(add(1, new Uint8Array(16))).toEqual({ kind: 'key', accepted: false })
    expect(add(2, new Uint8Array(16))).toEqual({ kind: 'key', accepted: true })
    expect(log.store.keyGeneration).toBe(2)
    expect(log.store.key(1)).toEqual(hashKey(key))
    expect(log.store.key(3)).toBe(null)
    expect(log.store.key(0)).toBe(null)
  })
})

describe('the order of entries', () => {
  test('no-ops count, gaps and repetitions are a bug of the caller', () => {
    const store = new Store()
    store.applyNoOp(index(1))
    expect(store.appliedIndex).toBe(1)
    expect(() => store.applyNoOp(index(1))).toThrow('in order')
    expect(() => store.apply(index(3), { stamp: stamp(1), body: { kind: 'pulse', limit: 1 } })).toThrow('in order')
  })
})

describe('hash', () => {
  const build = (order: readonly number[]) => {
    const log = served()
    for (const n of order) {
      const { proposer } = log.prepare(group(n), { serial: n })
      log.commit(group(n), {
        proposer,
        serial: n,
        puts: [put(0, `d${n}`), put(0, 'x')],
        timers: [callback('t', n), deletion('u', n, dialog('x'))],
        holds: [{ counter: 'c', limit: null }],
      })
    }
    return log
  }

  test('does not depend on the order in which groups came', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([1, 2, 3, 4, 5, 6], { minLength: 6 }), (order) => {
        expect(build(order).store.hash()).toBe(build([1, 2, 3, 4, 5, 6]).store.hash())
      }),
    )
  })

  test('is that of the same log without what came and went', () => {
    const log = build([1, 2])
    const hash = log.store.hash()
    expect(hash).toMatch(/^[0-9a-f]{16}$/)
    expect(log.commit(group(9), { puts: [put(0)], timers: [callback('t', 5)], serial: 100 })).toBe('accepted')
    expect(log.store.hash()).not.toBe(hash)
  })

  const empty = new Uint8Array(0)
  const plain = { serial: 50, puts: [put(1, 'd1')] }
  test.each([
    ['an entity’s bytes', { puts: [put(1, 'd1', [8])] }],
    ['another entity', { puts: [put(1, 'x')] }],
    ['a timer cancelled', { cancels: ['t'] }],
    ['a timer’s deadline', { timers: [callback('t', 2)] }],
    ['a timer’s targets', { timers: [deletion('u', 1, dialog('d1'))] }],
    ['a hold', { holds: [] }],
    ['a hold’s limit', { holds: [{ counter: 'c', limit: 9 }] }],
    ['an intent', { opened: [{ id: 'i', bytes: empty }] }],
    ['a serial', { serial: 51 }],
    ['lowestOpen', { lowestOpen: 2 }],
    ['a rejection', { expected: 7 }],
  ])('sees %s', (_, difference) => {
    const base = build([1, 2])
    expect(base.commit(G, plain)).toBe('accepted')
    const log = build([1, 2])
    expect(log.commit(G, { ...plain, ...difference })).not.toBe('duplicate')
    expect(log.store.hash()).not.toBe(base.store.hash())
  })

  test('sees intents’ bytes, serving entries, keys, stamps', () => {
    const hashes = [
      (log: TestLog) => log.commit(G, { ...plain, opened: [{ id: 'i', bytes: empty }] }),
      (log: TestLog) => log.commit(G, { ...plain, opened: [{ id: 'i', bytes: Uint8Array.of(1) }] }),
      (log: TestLog) => log.serving([]),
      (log: TestLog) => log.serving([], [start(1)]),
      (log: TestLog) => log.append({ kind: 'key', generation: 1, key: new Uint8Array(16) }),
      (log: TestLog) => log.append({ kind: 'key', generation: 1, key: new Uint8Array(16).fill(1) }),
      (log: TestLog) => log.pulse(1_000),
      (log: TestLog) => log.pulse(1_001),
    ].map((change) => {
      const log = build([1, 2])
      change(log)
      return log.store.hash()
    })
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  test('all that came went: a store without groups has the hash of its lives, keys and stamps alone', () => {
    // Two logs whose groups differ and are gone; what is left is equal.
    const [one, two] = [1, 2].map((n) => {
      const log = served()
      const proposer = start(1)
      const keys = Array.from({ length: 99 }, (_, i) => group(i)).filter((key) => log.store.ownerOf(key) === proposer)
      const key = keys[n] ?? G
      log.commit(key, {
        puts: [put(0, 'd', [n])],
        timers: [callback('t', 100 * n), deletion('u', n + 10_000, dialog())],
        holds: [{ counter: `c${n}`, limit: null }],
        opened: [{ id: `i${n}`, bytes: Uint8Array.of(n) }],
      })
      log.commit(key, { deletes: [{ ...dialog(), expected: 1 }] })
      return log.store
    })
    expect(one?.counts()).toEqual({ groups: 0, entities: 0, timersPending: 0, timersFired: 0, intentsOpen: 0 })
    expect(one?.hash()).toBe(two?.hash())
  })
})
