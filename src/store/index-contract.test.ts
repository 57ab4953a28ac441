// The contract of index-contract.ts, run over every implementation.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stamp } from '../base/instant.ts'
import type { Tree } from '../wire/entry.ts'
import type { EntityIndex, GroupRecord } from './index-contract.ts'
import { MemoryIndex } from './testing/memory-index.ts'
import { byText } from './order.ts'
import { SlabIndex } from './slab-index.ts'
import { dialog, group, start } from './testing/log.ts'
import type { Entity } from './view.ts'

const implementations: readonly { name: string; make: () => EntityIndex }[] = [
  { name: 'MemoryIndex', make: () => new MemoryIndex() },
  { name: 'SlabIndex', make: () => new SlabIndex() },
]

const hash = { high: 1, low: 2 }
const record: GroupRecord = { version: 1, by: start(1), serial: 1 }
const entity = (id: string, version = 1, tree: Tree = 'Dialog'): Entity => ({
  tree,
  id,
  version,
  stamp: stamp(version),
  bytes: Uint8Array.of(version),
})

describe.each(implementations)('$name', ({ make }) => {
  test('what is not there is null, empty or zero', () => {
    const made = make()
    expect(made.group(group(1))).toBe(null)
    expect(made.entity(group(1), dialog())).toBe(null)
    expect(made.entities(group(1))).toEqual([])
    expect(made.borrow(group(1))).toEqual([])
    expect(made.entitiesIn(group(1))).toBe(0)
    expect(made.delete(group(1), dialog())).toBe(false)
    expect([made.groupCount, made.entityCount]).toEqual([0, 0])
    expect([...made.groups()]).toEqual([])
  })

  test('entities come in (tree, id) order, by codes and not by locale', () => {
    const made = make()
    made.setGroup(group(1), record)
    for (const id of ['b', 'a', 'B', 'ä', '10', '9']) made.put(group(1), entity(id), hash)
    made.put(group(1), entity('z', 1, 'SipSession'), hash)
    made.put(group(1), entity('zz', 1, 'ServletContext'), hash)
    const order = made.entities(group(1)).map(({ tree, id }) => `${tree} ${id}`)
    expect(order).toEqual([
      'Dialog 10',
      'Dialog 9',
      'Dialog B',
      'Dialog a',
      'Dialog b',
      'Dialog ä',
      'ServletContext zz',
      'SipSession z',
    ])
  })

  test('bytes put are copied, and bytes got never change', () => {
    const made = make()
    made.setGroup(group(1), record)
    const bytes = Uint8Array.of(1, 2, 3)
    made.put(group(1), { ...entity('d'), bytes }, hash)
    bytes.fill(9)
    const got = made.entity(group(1), dialog())
    const all = made.entities(group(1))
    expect(got?.bytes).toEqual(Uint8Array.of(1, 2, 3))
    expect(made.borrow(group(1))).toEqual(all)
    made.put(group(1), { ...entity('d', 2), bytes: Uint8Array.of(4, 5, 6) }, hash)
    made.delete(group(1), dialog())
    for (const kept of [got, ...all]) expect(kept).toEqual({ ...entity('d'), bytes: Uint8Array.of(1, 2, 3) })
  })

  test('an id in one tree or group is not the same in another', () => {
    const made = make()
    for (const key of [group(1), group(2)]) made.setGroup(key, record)
    made.put(group(1), entity('d', 1), hash)
    made.put(group(1), entity('d', 2, 'SipSession'), hash)
    made.put(group(2), entity('d', 3), hash)
    made.delete(group(1), dialog())
    expect(made.entity(group(1), { tree: 'SipSession', id: 'd' })?.version).toBe(2)
    expect(made.entity(group(2), dialog())?.version).toBe(3)
    expect(made.entityCount).toBe(2)
  })

  test('it is a map of groups to records and entities', () => {
    const step = fc.record({
      key: fc.nat({ max: 3 }).map(group),
      id: fc.constantFrom('a', 'b', 'c'),
      version: fc.integer({ min: 1, max: 9 }),
      what: fc.constantFrom('set', 'put', 'delete', 'drop'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const made = make()
        const model = new Map<string, { record: GroupRecord; entities: Map<string, Entity> }>()
        const deleted: [boolean, boolean][] = []
        for (const { key, id, version, what } of steps) {
          const kept = model.get(key)
          if (what === 'set') {
            made.setGroup(key, { ...record, version })
            model.set(key, { record: { ...record, version }, entities: kept?.entities ?? new Map<string, Entity>() })
          } else if (what === 'put' && kept !== undefined) {
            made.put(key, entity(id, version), hash)
            kept.entities.set(id, entity(id, version))
          } else if (what === 'delete') {
            deleted.push([made.delete(key, dialog(id)), kept?.entities.delete(id) ?? false])
          } else if (what === 'drop' && kept !== undefined) {
            for (const gone of kept.entities.keys()) made.delete(key, dialog(gone))
            made.dropGroup(key)
            model.delete(key)
          }
        }
        for (const [was, should] of deleted) expect(was).toBe(should)
        expect([...made.groups()].sort()).toEqual([...model.keys()].sort())
        expect(made.groupCount).toBe(model.size)
        expect(made.entityCount).toBe([...model.values()].reduce((sum, { entities }) => sum + entities.size, 0))
        for (const [key, kept] of model) {
          const sorted = [...kept.entities.values()].sort((a, b) => byText(a.id, b.id))
          expect(made.group(key as never)).toEqual(kept.record)
          expect(made.entities(key as never)).toEqual(sorted)
          expect(made.entitiesIn(key as never)).toBe(sorted.length)
        }
      }),
    )
  })

  test('100,000 groups', () => {
    const made = make()
    for (let n = 0; n < 100_000; n++) made.setGroup(group(n * 0x9e37_79b1), record)
    expect(made.groupCount).toBe(100_000)
    expect(new Set(made.groups()).size).toBe(100_000)
    for (let n = 0; n < 100_000; n += 2) made.dropGroup(group(n * 0x9e37_79b1))
    expect(made.groupCount).toBe(50_000)
    expect(made.group(group(0))).toBe(null)
    expect(made.group(group(0x9e37_79b1))).toEqual(record)
  })
})
