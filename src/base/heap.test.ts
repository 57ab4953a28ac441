import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap } from './heap.ts'

const command = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(fc.constant('set' as const), fc.nat(30), fc.nat(8)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('delete' as const), fc.nat(30), fc.constant(0)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('pop' as const), fc.constant(0), fc.constant(0)) },
)

/** What leaves next from a plain map: least priority, then least id. */
function first(model: ReadonlyMap<number, number>): number | undefined {
  return [...model].sort(([a, pa], [b, pb]) => pa - pb || a - b)[0]?.[0]
}

/** What the command returns from a plain map. */
function apply(model: Map<number, number>, name: 'set' | 'delete' | 'pop', id: number, priority: number): unknown {
  if (name === 'delete') return model.delete(id)
  if (name === 'set') return void model.set(id, priority)
  const next = first(model)
  if (next !== undefined) model.delete(next)
  return next
}

test('a heap behaves like a map that is sorted by (priority, id) at each look', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      const heap = new Heap<number>()
      const model = new Map<number, number>()
      for (const [name, id, priority] of commands) {
        if (name === 'set') heap.set(id, priority)
        const left = name === 'pop' ? heap.pop() : name === 'delete' ? heap.delete(id) : undefined
        expect(left).toBe(apply(model, name, id, priority))
        const next = first(model)
        expect(heap.size).toBe(model.size)
        expect(heap.peek()).toBe(next)
        expect(heap.peekPriority()).toBe(next === undefined ? undefined : model.get(next))
        expect(heap.priorityOf(id)).toBe(model.get(id))
        const sorted = [...model].sort(([a, pa], [b, pb]) => pa - pb || a - b).map(([one]) => one)
        expect(heap.first(5)).toEqual(sorted.slice(0, 5))
      }
    }),
    { numRuns: 200 },
  )
})

test('what leaves does not depend on the order of arrival', () => {
  const ids = ['c', 'a', 'd', 'b', 'e']
  const drain = (order: readonly string[]): string[] => {
    const heap = new Heap<string>()
    for (const id of order) heap.set(id, id === 'e' ? 1 : 2)
    const out: string[] = []
    for (let id = heap.pop(); id !== undefined; id = heap.pop()) out.push(id)
    return out
  }
  expect(drain(ids)).toEqual(['e', 'a', 'b', 'c', 'd'])
  expect(drain([...ids].reverse())).toEqual(drain(ids))
})
