import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { index } from '../base/brand.ts'
import { Inflights } from './inflights.ts'

describe('inflights', () => {
  it('counts what a naive list counts, and is full at either bound', () => {
    const move = fc.oneof(
      fc.record({
        kind: fc.constant('add' as const),
        more: fc.integer({ min: 1, max: 3 }),
        bytes: fc.nat({ max: 50 }),
      }),
      fc.record({ kind: fc.constant('free' as const), at: fc.nat({ max: 40 }) }),
      fc.record({ kind: fc.constant('reset' as const) }),
    )
    fc.assert(
      fc.property(fc.array(move), (moves) => {
        const inflights = new Inflights(4, 100)
        let naive: { last: number; bytes: number }[] = []
        let last = 0
        for (const each of moves) {
          if (each.kind === 'add' && !inflights.full) {
            last += each.more
            inflights.add(index(last), each.bytes)
            naive.push({ last, bytes: each.bytes })
          }
          if (each.kind === 'free') {
            inflights.freeTo(index(each.at))
            naive = naive.filter((append) => append.last > each.at)
          }
          if (each.kind === 'reset') {
            inflights.reset()
            naive = []
          }
          const bytes = naive.reduce((sum, append) => sum + append.bytes, 0)
          expect([inflights.count, inflights.bytes]).toEqual([naive.length, bytes])
          expect(inflights.full).toBe(naive.length >= 4 || bytes >= 100)
        }
      }),
    )
  })
})
