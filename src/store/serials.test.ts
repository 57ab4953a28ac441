import { describe, expect, test } from 'vitest'
import { index } from '../base/brand.ts'
import type { Life } from '../base/brand.ts'
import { dialog, group, groupOf, put, served, start } from './testing/log.ts'

const G = group(1)

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

  test('of who is out of the set for good nothing is kept, once it serves no more', () => {
    const log = served()
    log.append({ kind: 'raise', format: 2 })
    const lives = (): readonly Life[] => {
      const [head] = log.store.snapshot(1_000_000).next(1_000_000, (part) => part)
      return head?.kind === 'head' ? head.serials.map(({ life }) => life) : []
    }
    const row = { place: 1, generation: 1, incarnation: '', gone: 1, wanted: true, awaited: true, peer: '', admin: '' }
    log.append({ kind: 'book', replaces: index(0), rows: [row] })
    expect(lives()).toEqual([start(1), start(2), start(3)])
    log.serving([], [start(1)])
    expect(lives()).toEqual([start(2), start(3)])
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
