import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { index, term } from '../base/brand.ts'
import type { HardState } from './message.ts'
import { Persistence } from './persistence.ts'

const state: HardState = { term: term(1), vote: null, commit: index(0) }

describe('persistence', () => {
  it('counts nothing from a write whose index was replaced since (ABA)', () => {
    const disk = new Persistence(state, index(4))
    disk.hand(1, state, index(5))
    disk.truncated(index(5))
    disk.hand(2, { ...state, term: term(2) }, index(5))
    disk.truncated(index(5))
    disk.hand(3, { ...state, term: term(3) }, index(5))
    disk.acknowledge(1)
    expect(disk).toMatchObject({ stable: 4, durableTerm: 1 })
    disk.acknowledge(2)
    expect(disk).toMatchObject({ stable: 4, durableTerm: 2 })
    disk.acknowledge(3)
    expect(disk).toMatchObject({ stable: 5, durableTerm: 3, isIdle: true })
  })

  it('says exactly what is on a disk that writes in order', () => {
    const move = fc.record({ cut: fc.nat({ max: 4 }), add: fc.integer({ min: 1, max: 4 }), syncs: fc.nat({ max: 3 }) })
    fc.assert(
      fc.property(fc.array(move), (moves) => {
        const disk = new Persistence(state, index(0))
        // Each entry of the log is a number of its own; a write is (where it starts, entries).
        let log: number[] = []
        let onDisk: number[] = []
        const writes: [number, number[]][] = []
        let made = 0
        let number = 0
        let done = 0
        for (const { cut, add, syncs } of moves) {
          const from = Math.max(0, log.length - cut)
          if (from < log.length) disk.truncated(index(from + 1))
          log = log.slice(0, from)
          for (let i = 0; i < add; i++) log.push(++made)
          writes.push([from, log.slice(from)])
          disk.hand(++number, state, index(log.length))
          for (let i = 0; i < syncs && done < number; i++) {
            const [start, entries] = writes[done++] as [number, number[]]
            onDisk = [...onDisk.slice(0, start), ...entries]
            disk.acknowledge(done)
            expect(log.slice(0, disk.stable)).toEqual(onDisk.slice(0, disk.stable))
          }
        }
        disk.acknowledge(number)
        expect(disk.stable).toBe(log.length)
      }),
    )
  })
})
