import { describe, expect, test } from 'vitest'
import { index } from '../base/brand.ts'
import { hashKey } from '../base/hash.ts'
import { stamp } from '../base/instant.ts'
import { Store } from './store.ts'
import { TestLog, callback, deletion, dialog, group, put, served } from './testing/log.ts'

const G = group(1)

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
    const effects = {
      timers: [callback('t', 5)],
      holds: [{ counter: 'c', limit: null }],
      opened: [{ id: 'i', bytes: new Uint8Array(1) }],
    }
    expect(log.commit(G, { ...effects, expected: 0, puts: [put(1, 'd')] })).toBe('version')
    expect(log.commit(G, { ...effects, puts: [put(1, 'd'), put(0, 'e')] })).toBe('version')
    expect(log.commit(G, { ...effects, puts: [put(1, 'd')], deletes: [{ ...dialog('e'), expected: 2 }] })).toBe(
      'version',
    )
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
    expect(() => store.apply(index(3), { stamp: stamp(1), body: { kind: 'pulse', limit: 1, audit: null } })).toThrow(
      'in order',
    )
  })
})
