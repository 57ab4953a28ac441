import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { replicaId } from '../base/brand.ts'
import type { ConfChange, ConfChanges } from './conf-change.ts'
import { applyChanges, leaveJoint } from './conf-change.ts'
import type { Configuration } from './configuration.ts'
import { configuration, configurationFault, formatConfiguration, isJoint, membersOf } from './configuration.ts'
import { intersect } from './testing/usable.ts'

const id = fc.integer({ min: 1, max: 7 }).map(replicaId)
const change: fc.Arbitrary<ConfChange> = fc.record({
  kind: fc.constantFrom('add-voter', 'add-learner', 'remove'),
  replica: id,
})
const changes: fc.Arbitrary<ConfChanges> = fc.record({
  changes: fc.array(change, { maxLength: 5 }),
  transition: fc.constantFrom('auto', 'implicit', 'explicit'),
})
/** A walk: each element changes the configuration, or leaves the joint one. */
const walk = fc.array(fc.oneof({ weight: 3, arbitrary: changes }, fc.constant<'leave'>('leave')), { maxLength: 12 })

describe('an id that can not be written', () => {
  it.each([
    ['zero', [0]],
    ['negative', [-1]],
    ['a fraction', [1.5]],
    ['of more than 32 bits', [2 ** 32]],
    ['one of 256', Array.from({ length: 256 }, (_, i) => 10 + i)],
  ])('%s: the change is refused before anything is appended', (_what, ids) => {
    const wanted = ids.map((each) => ({ kind: 'add-learner', replica: replicaId(each) }) as const)
    const result = applyChanges(configuration([1, 2, 3].map(replicaId)), { changes: wanted, transition: 'auto' })
    expect(result).toEqual({ ok: false, error: 'not-encodable' })
  })
})

function next(config: Configuration, move: ConfChanges | 'leave'): Configuration {
  const result = move === 'leave' ? leaveJoint(config) : applyChanges(config, move)
  return result.ok ? result.value : config
}

/** What the changes mean, said naively: who votes and who learns when all of it is over. */
function naive(config: Configuration, wanted: readonly ConfChange[]): ReadonlyMap<number, 'voter' | 'learner'> {
  const roles = new Map<number, 'voter' | 'learner'>()
  for (const voter of config.voters.incoming) roles.set(voter, 'voter')
  for (const learner of config.learners) roles.set(learner, 'learner')
  for (const { kind, replica } of wanted) {
    if (kind === 'remove') roles.delete(replica)
    else roles.set(replica, kind === 'add-voter' ? 'voter' : 'learner')
  }
  return roles
}

function rolesOf(config: Configuration): ReadonlyMap<number, 'voter' | 'learner'> {
  const voters = config.voters.incoming.map((each) => [each, 'voter'] as const)
  return new Map<number, 'voter' | 'learner'>([...voters, ...config.learners.map((each) => [each, 'learner'] as const)])
}

const sorted = (roles: ReadonlyMap<number, string>): readonly (readonly [number, string])[] =>
  [...roles].sort(([a], [b]) => a - b)

describe('configuration changes', () => {
  it('invariant 8: on any walk, each configuration shares a voter with the one before it in every two quorums', () => {
    fc.assert(
      fc.property(walk, (moves) => {
        let config = configuration([replicaId(1), replicaId(2), replicaId(3)])
        for (const move of moves) {
          const after = next(config, move)
          expect(configurationFault(after)).toBeNull()
          expect(intersect(config, after)).toBe(true)
          config = after
        }
      }),
    )
  })

  it('simple or through a joint configuration, what comes out is what was asked for', () => {
    fc.assert(
      fc.property(walk, changes, (moves, wanted) => {
        let start = moves.reduce(next, configuration([replicaId(1), replicaId(2), replicaId(3)]))
        if (isJoint(start)) start = next(start, 'leave')
        const roles = naive(start, wanted.changes)
        const result = applyChanges(start, wanted)
        if (!result.ok) {
          expect(result.error).toBe('no-voters')
          expect([...roles.values()]).not.toContain('voter')
          return
        }
        const end = isJoint(result.value) ? next(result.value, 'leave') : result.value
        expect(sorted(rolesOf(end))).toEqual(sorted(roles))
      }),
    )
  })

  it('thesis 4.3: while a configuration is joint, all of both have the log, and the outgoing half keeps its votes', () => {
    fc.assert(
      fc.property(changes, (wanted) => {
        const start = configuration([1, 2, 3].map(replicaId), [replicaId(4)])
        const result = applyChanges(start, { ...wanted, transition: 'explicit' })
        if (!result.ok) return
        expect(result.value.voters.outgoing).toEqual([1, 2, 3])
        expect(membersOf(result.value)).toEqual(expect.arrayContaining([1, 2, 3]))
      }),
    )
  })

  it('thesis 4.1: one voter more or less needs no joint configuration; two do, and so does what is asked to', () => {
    const start = configuration([1, 2, 3].map(replicaId))
    const add = (...ids: number[]): ConfChange[] => ids.map((each) => ({ kind: 'add-voter', replica: replicaId(each) }))
    const shown = (wanted: ConfChanges): string => {
      const result = applyChanges(start, wanted)
      return result.ok ? formatConfiguration(result.value) : result.error
    }
    expect(shown({ changes: add(4), transition: 'auto' })).toBe('voters=1,2,3,4')
    expect(shown({ changes: add(4, 5), transition: 'auto' })).toBe('voters=1,2,3,4,5&1,2,3 auto-leave')
    expect(shown({ changes: add(4), transition: 'implicit' })).toBe('voters=1,2,3,4&1,2,3 auto-leave')
    expect(shown({ changes: add(4), transition: 'explicit' })).toBe('voters=1,2,3,4&1,2,3')
  })

  it('a joint configuration is left before anything else; where there is none, none is left', () => {
    const start = configuration([1, 2, 3].map(replicaId))
    const joint = next(start, { changes: [{ kind: 'remove', replica: replicaId(1) }], transition: 'explicit' })
    expect(applyChanges(joint, { changes: [], transition: 'auto' })).toEqual({ ok: false, error: 'joint' })
    expect(leaveJoint(start)).toEqual({ ok: false, error: 'not-joint' })
  })
})
