import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { groupKey, index, life, replicaId } from '../base/brand.ts'
import { micros, stamp } from '../base/instant.ts'
import type { EntryBody } from '../wire/entry.ts'
import { NEWEST_FORMAT } from '../wire/formats.ts'
import type { SnapshotPart } from '../wire/snapshot.ts'
import { SlabIndex } from './slab-index.ts'
import { Store } from './store.ts'
import type { Follow } from './tail.ts'

const OWNER = life(replicaId(1), 'tail', 1)

/** Tells each put as its id, what was there before, and what is there now. */
const follow: Follow = {
  tree: 'SipSession',
  committed: ({ puts }, at, before) =>
    puts.map(({ tree, id, bytes }) => `${at} ${id} ${before(tree, id)?.bytes.join('')} ${bytes.join('')}`),
  fired: (timers) => timers.map(({ id }) => `fired ${id}`),
}

class Log {
  readonly store: Store
  /** What was wrong with each part that it was restored from. */
  readonly faults: (string | null)[] = []
  #serial = 0

  constructor(keep: number, from: Log | null = null) {
    this.store = new Store(new SlabIndex(), { deleteSlack: micros(0), history: 64, follow: { by: follow, keep } })
    if (from !== null) this.#serial = from.#serial
    else {
      this.apply({ kind: 'raise', format: NEWEST_FORMAT })
      this.apply({ kind: 'serving', replaces: index(0), admit: [OWNER], remove: [] })
    }
  }

  apply(body: EntryBody): void {
    const at = index(this.store.appliedIndex + 1)
    this.store.apply(at, { stamp: stamp(at), body })
  }

  /** A commit that puts a session, or one that is rejected. */
  put(group: number, value: number, isRejected = false): void {
    const key = groupKey(group.toString(16).padStart(16, '0'))
    const version = this.store.groupVersion(key)
    this.apply({
      kind: 'commit',
      group: key,
      expected: isRejected ? version + 1 : version,
      proposer: OWNER,
      since: index(2),
      judged: index(2),
      serial: ++this.#serial,
      lowestOpen: this.#serial,
      onto: 0,
      puts: [{ tree: 'SipSession', id: 's', expected: version, bytes: Uint8Array.of(value) }],
      deletes: [],
      timers: [],
      cancels: [],
      holds: null,
      opened: [],
      done: [],
    })
  }

  /** What a process has that starts from a snapshot of this one. */
  restarted(keep: number): Log {
    const next = new Log(keep, this)
    const cursor = this.store.snapshot(1_000_000)
    while (cursor.state === 'open') {
      for (const part of cursor.next(50, copied)) next.faults.push(next.store.restore(part))
    }
    return next
  }

  get told(): readonly string[] {
    return (
      this.store.tail?.since(index(0)).flatMap(({ index: at, texts }) => texts.map((text) => `${at} ${text}`)) ?? []
    )
  }
}

/** A part's bytes are the store's own. */
function copied(part: SnapshotPart): SnapshotPart {
  return structuredClone(part)
}

describe('what is told of the log', () => {
  test('an accepted commit is told with what was before it; a rejected one is not', () => {
    const log = new Log(100)
    log.put(1, 5)
    log.put(1, 6, true)
    log.put(1, 7)
    expect(log.told).toEqual(['3 3 s undefined 5', '5 5 s 5 7'])
  })

  test('the oldest go first, and it says from where on it has all', () => {
    const log = new Log(2)
    for (let i = 0; i < 5; i++) log.put(1, i)
    expect(log.told.map((text) => text.split(' ')[0])).toEqual(['6', '7'])
    expect(log.store.tail?.after).toEqual({ index: 5, n: 1 })
    expect(log.store.tail?.since(index(7)).map((item) => item.index)).toEqual([7])
  })

  test('wherever a replica starts again from a snapshot, it tells the same as one that never did', () => {
    const step = fc.record({
      group: fc.nat({ max: 3 }),
      value: fc.nat({ max: 9 }),
      isRejected: fc.boolean(),
      restarts: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), (steps, keep) => {
        const always = new Log(keep)
        let other = new Log(keep)
        for (const { group, value, isRejected, restarts } of steps) {
          always.put(group, value, isRejected)
          other.put(group, value, isRejected)
          if (restarts) other = other.restarted(keep)
          expect(other.faults.filter((fault) => fault !== null)).toEqual([])
          expect(other.told).toEqual(always.told)
          expect(other.store.tail?.after).toEqual(always.store.tail?.after)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('a snapshot without events, as an older release makes it, leaves none: that is said', () => {
    const log = new Log(100)
    log.put(1, 5)
    const next = new Log(100, log)
    for (const part of log.store.snapshot(1_000_000).next(1_000_000, copied)) {
      if (part.kind !== 'events') expect(next.store.restore(part)).toBeNull()
    }
    expect([next.told, next.store.tail?.after.index]).toEqual([[], 3])
  })

  test('events that are none of the snapshot are refused', () => {
    const { store } = new Log(100)
    const part = (after: number, ...at: number[]): SnapshotPart => ({
      kind: 'events',
      after: index(after),
      told: 1,
      items: at.map((one) => ({ index: index(one), texts: ['x'] })),
    })
    expect(store.restore(part(9))).toBe('its events are not of its entries')
    expect(store.restore(part(1, 2, 2))).toBe('its events are out of order')
  })
})
