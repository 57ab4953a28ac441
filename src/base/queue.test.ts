import { expect, test } from 'vitest'
import fc from 'fast-check'
import { Queue } from './queue.ts'

test('it gives back what came in, in that order, whatever happens between', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), item: fc.nat({ max: 9 }) }),
    fc.constant({ kind: 'shift' as const }),
    fc.constant({ kind: 'shift' as const }),
    fc.record({ kind: fc.constant('keep' as const), least: fc.nat({ max: 9 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new Queue<number>()
      let model: number[] = []
      for (const one of steps) {
        if (one.kind === 'push') {
          queue.push(one.item)
          model.push(one.item)
        } else if (one.kind === 'shift') expect(queue.shift()).toBe(model.shift())
        else {
          queue.keep((item) => item >= one.least)
          model = model.filter((item) => item >= one.least)
        }
        expect(queue.length).toBe(model.length)
      }
      queue.clear()
      expect([queue.length, queue.shift()]).toEqual([0, undefined])
    }),
  )
})
