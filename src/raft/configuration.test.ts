import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { index, replicaId, term } from '../base/brand.ts'
import {
  configuration,
  configurationFault,
  decodeConfiguration,
  encodeConfiguration,
  formatConfiguration,
} from './configuration.ts'
import { entryFault, Membership } from './membership.ts'
import type { RaftEntry } from './message.ts'

const ids = fc
  .uniqueArray(fc.integer({ min: 1, max: 999_999 }).map(replicaId), { maxLength: 6 })
  .map((each) => each.sort((a, b) => a - b))
const some = fc.record({
  voters: fc.record({ incoming: ids, outgoing: ids }),
  learners: ids,
  learnersNext: ids,
  autoLeave: fc.boolean(),
})
const valid = some.filter((config) => configurationFault(config) === null)

function entryOf(at: number, voters: readonly number[] | null): RaftEntry {
  const data = voters === null ? new Uint8Array(0) : encodeConfiguration(configuration(voters.map(replicaId)))
  return { index: index(at), term: term(1), kind: voters === null ? 'normal' : 'configuration', data }
}

describe('configuration', () => {
  it('is encoded and decoded to the same', () => {
    fc.assert(
      fc.property(valid, (config) => {
        expect(decodeConfiguration(encodeConfiguration(config))).toEqual({ ok: true, value: config })
      }),
    )
  })

  it('is decoded only if it is one: any bytes give a configuration or a reason', () => {
    fc.assert(
      fc.property(some, fc.nat(), fc.nat({ max: 255 }), (config, at, value) => {
        const bytes = encodeConfiguration(config)
        bytes[at % bytes.length] = value
        const result = decodeConfiguration(bytes)
        expect(result.ok ? configurationFault(result.value) : null).toBeNull()
      }),
    )
    fc.assert(
      fc.property(valid, fc.nat(), (config, cut) => {
        const bytes = encodeConfiguration(config)
        expect(decodeConfiguration(bytes.subarray(0, cut % bytes.length)).ok).toBe(false)
      }),
    )
  })

  it('of another version is refused, and says so', () => {
    const bytes = encodeConfiguration(configuration([replicaId(1)]))
    bytes[0] = 9
    expect(decodeConfiguration(bytes)).toEqual({ ok: false, error: 'a configuration of version 9, known is 1' })
    const entry: RaftEntry = { index: index(4), term: term(1), kind: 'configuration', data: bytes }
    expect(entryFault(entry)).toContain('entry 4 holds a configuration of version 9')
  })
})

describe('membership', () => {
  it('the newest configuration in the log is in force, and cutting it off brings the one before back', () => {
    const membership = new Membership(index(0), configuration([replicaId(1)]))
    membership.append([entryOf(1, null), entryOf(2, [1, 2]), entryOf(3, null), entryOf(4, [1, 2, 3])])
    expect(formatConfiguration(membership.latest)).toBe('voters=1,2,3')
    membership.truncate(index(4))
    expect([formatConfiguration(membership.latest), membership.latestIndex]).toEqual(['voters=1,2', 2])
    membership.truncate(index(1))
    expect([formatConfiguration(membership.latest), membership.latestIndex]).toEqual(['voters=1', 0])
  })

  it('agrees with a naive one, whatever is appended, cut, compacted', () => {
    const move = fc.record({
      cut: fc.nat({ max: 3 }),
      append: fc.array(fc.option(fc.integer({ min: 1, max: 5 })), { maxLength: 4 }),
      compact: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(move), (moves) => {
        const membership = new Membership(index(0), configuration([replicaId(1)]))
        // Who votes at each index, the start among them.
        let naive = [1]
        let purged = 0
        for (const { cut, append, compact } of moves) {
          const from = Math.max(purged + 1, naive.length - cut)
          membership.truncate(index(from))
          naive = naive.slice(0, from)
          for (const voter of append) {
            membership.append([entryOf(naive.length, voter === null ? null : [voter])])
            naive.push(voter ?? (naive.at(-1) as number))
          }
          if (compact) {
            purged = naive.length - 1
            membership.compact(index(purged))
          }
          expect(membership.latest.voters.incoming).toEqual([naive.at(-1)])
          for (let at = purged; at < naive.length; at++)
            expect(membership.at(index(at)).voters.incoming).toEqual([naive[at]])
        }
      }),
    )
  })
})
