import { describe, expect, it } from 'vitest'
import { crashPlan, crashPointsOf, crashRunsOf, nameOfRun, readRun } from './crash-points.ts'
import { simulate } from './simulate.ts'

const points = crashPointsOf('refused', 1)
const runs = crashRunsOf('refused', 1, points, true)

describe('crash points (proof.md)', () => {
  it('are at every replica, each once, between the effects of an input too', () => {
    expect(new Set(points.map(({ replica }) => replica))).toEqual(new Set([1, 2, 3]))
    expect(new Set(runs.map(nameOfRun)).size).toBe(runs.length)
    expect(points.some(({ place }) => place > 0)).toBe(true)
  })

  it('have a tail to lose exactly where something is written and not synced', () => {
    expect(points.some(({ hasTail }) => hasTail)).toBe(true)
    expect(runs.filter(({ how }) => how === 'lost')).toHaveLength(points.filter(({ hasTail }) => hasTail).length)
  })

  it('are reached again by their name', () => {
    // A few of them: all are the command's.
    for (const run of runs.filter((_, i) => i % 35 === 0)) {
      expect(readRun(nameOfRun(run))).toEqual(run)
      const { failure, kills, faults } = simulate(crashPlan(run))
      expect([nameOfRun(run), failure]).toEqual([nameOfRun(run), null])
      expect(faults).toBe(1)
      expect(kills).toBe(run.how === 'kept' || run.how === 'lost' ? 1 : 0)
    }
  })

  it('that are not reached are a failure', () => {
    const [run] = runs
    const gone = { ...run, point: { replica: 1, input: 9_999_999, place: 0 } } as NonNullable<typeof run>
    expect(simulate(crashPlan(gone)).failure).toMatchObject({ promise: 'determinism' })
  })
})
