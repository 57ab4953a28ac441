import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type TestLog, callback, deletion, dialog, group, put, served, start } from './testing/log.ts'

const G = group(1)

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
