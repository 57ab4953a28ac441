import { describe, expect, it } from 'vitest'
import { Census } from './census.ts'
import {
  crashFlows,
  flowOf,
  countOf,
  crashPlan,
  crashRunsOf,
  nameOfRun,
  pairFlows,
  pairsOf,
  readRun,
  secondCountOf,
} from './crash-points.ts'
import type { Count, CrashRun } from './crash-points.ts'
import { flowNames } from './flows.ts'
import { calm } from './scenarios.ts'
import { simulate } from './simulate.ts'
import type { RunResult } from './simulate.ts'

const points = counted(countOf('refused', 1))
const runs = crashRunsOf('refused', 1, points, true)

function counted({ plan, census, points }: Count): ReturnType<Count['points']> {
  return points(simulate(plan, null, census).failure)
}

describe('crash points (proof.md)', () => {
  it('are at every replica, each once, between the effects of an input too', () => {
    expect(new Set(points.map(({ replica }) => replica))).toEqual(new Set([1, 2, 3]))
    expect(new Set(runs.map(nameOfRun)).size).toBe(runs.length)
    expect(points.some(({ place }) => place > 0)).toBe(true)
  })

  it('have a tail to lose exactly where something is written and not synced', () => {
    expect(points.some(({ hasTail }) => hasTail)).toBe(true)
    expect(runs.filter(({ strikes: [strike] }) => strike?.how === 'lost')).toHaveLength(
      points.filter(({ hasTail }) => hasTail).length,
    )
  })

  it('are no more of a set at rest, however long it rests', () => {
    const restingUntil = (seconds: number): number => {
      const census = new Census({ kind: 'from', at: 0 })
      simulate({ ...calm(1, [], []), safetyUntil: seconds * 1_000_000 }, null, census)
      expect(new Set(census.points.map(({ replica }) => replica))).toEqual(new Set([1, 2, 3]))
      return census.points.length
    }
    expect(restingUntil(8)).toBe(restingUntil(16))
  })

  it('are reached again by their name', () => {
    // A few of them: all are the command's.
    for (const run of runs.filter((_, i) => i % 35 === 0)) {
      expect(readRun(nameOfRun(run))).toEqual(run)
      const { failure, kills, faults } = simulate(crashPlan(run))
      expect([nameOfRun(run), failure]).toEqual([nameOfRun(run), null])
      expect(faults).toBe(1)
      const how = run.strikes[0]?.how
      expect(kills).toBe(how === 'kept' || how === 'lost' ? 1 : 0)
    }
  })

  it('that are not reached are a failure', () => {
    const [run] = runs
    const gone = { ...run, strikes: [{ point: { replica: 1, input: 9_999_999, place: 0 }, how: 'kept' }] } as CrashRun
    expect(simulate(crashPlan(gone)).failure).toMatchObject({ promise: 'determinism' })
  })

  it('are of calls through a ban of their caller, and through replicas that hear of no quorum, too', () => {
    const reached = (flow: string): RunResult['marks'] => {
      const { failure, marks } = simulate(crashPlan({ flow, seed: 1, strikes: [] }))
      expect([flow, failure]).toEqual([flow, null])
      return marks
    }
    expect(reached('small-talk-banned')['dropped-banned']).toBeGreaterThan(0)
    expect(reached('small-talk-detached')['relayed-detached']).toBeGreaterThan(0)
  })

  it('are of at least fifteen flows by default, all of the catalogue', () => {
    expect(new Set(crashFlows).size).toBeGreaterThanOrEqual(15)
    expect(crashFlows.filter((flow) => !flowNames.includes(flowOf(flow)))).toEqual([])
  })
})

describe('pairs of deaths', () => {
  const [first] = crashRunsOf('refused', 1, points.slice(20), false) as [CrashRun]
  const seconds = counted(secondCountOf(first))
  const pairs = pairsOf(first, seconds)

  it('are of the five flows with the fewest lines', () => {
    expect(pairFlows).toEqual(['nobody-there', 'cancelled-at-once', 'refused', 'at-once', 'cancelled'])
  })

  it('strike again while the first one is away, at whoever lives, the one that came back included', () => {
    expect(new Set(seconds.map(({ replica }) => replica))).toEqual(new Set([1, 2, 3]))
    expect(new Set(pairs.map(nameOfRun)).size).toBe(pairs.length)
    const dead = first.strikes[0]?.point as { readonly replica: number; readonly input: number }
    const back = seconds.filter(({ replica }) => replica === dead.replica)
    expect(back.every(({ input }) => input > dead.input)).toBe(true)
  })

  it('are reached by their name, both of them, and nothing is lost', () => {
    for (const pair of pairs.filter((_, i) => i % 40 === 0)) {
      expect(readRun(nameOfRun(pair))).toEqual(pair)
      const { failure, kills } = simulate(crashPlan(pair))
      expect([nameOfRun(pair), failure, kills]).toEqual([nameOfRun(pair), null, 2])
    }
  })
})
