import { describe, expect, test } from 'vitest'
import { dialog, group, put, served } from './testing/log.ts'

const G = group(1)

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
    log.commit(G, {
      puts: [put(0)],
      opened: [
        { id: 'bye', bytes },
        { id: 'a', bytes },
      ],
    })
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
