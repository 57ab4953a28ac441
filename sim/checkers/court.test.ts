import { describe, expect, it } from 'vitest'
import type { Fault } from '../fault.ts'
import type { Plan } from '../plan.ts'
import { calm } from '../scenarios.ts'
import { simulate } from '../simulate.ts'

const second = 1_000_000

/** One call from 3 s on. */
function plan(faults: readonly Fault[]): Plan {
  return calm(5, [{ flow: 'basic', at: 3 * second }], faults, 60)
}

/** Nobody reaches anybody. */
function apart(from: number, until: number): Fault {
  return { kind: 'split', at: from * second, until: until * second, groups: [[1], [2], [3]], resets: true }
}

describe('a loss', () => {
  it('is excused only with a certificate that no quorum could hold the call', () => {
    const { failure, excused } = simulate(plan([apart(2.9, 45)]))
    expect(failure).toBeNull()
    expect(excused).toBe(1)
  })

  it('without one stays a failure: a set that is whole, and a network that loses all', () => {
    const calmPlan = plan([])
    const dead = { ...calmPlan.udp, straggle: 1_000_000, delayLeast: 40 * second, straggleMost: 40 * second }
    const { failure, excused } = simulate({ ...calmPlan, udp: dead })
    expect(failure?.promise).toMatch(/^C[12]$/)
    expect(excused).toBe(0)
  })

  it('is not needed where the quorum is away for less than a phone bears', () => {
    const { failure, excused } = simulate(plan([apart(2.9, 12)]))
    expect(failure).toBeNull()
    expect(excused).toBe(0)
  })

  it('with two full disks of three has its certificate: a quorum needs disks', () => {
    const full = [1, 2].map((replica): Fault => ({ kind: 'disk-full', at: 2.9 * second, until: 45 * second, replica }))
    const { failure, excused } = simulate(plan(full))
    expect(failure).toBeNull()
    expect(excused).toBe(1)
  })
})
