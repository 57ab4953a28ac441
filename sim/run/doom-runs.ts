// `--doom`: runs a failing plan with everything after a time drawn again: at times over the whole run first, and then closer
// and closer to where its chances turn.

import { availableParallelism } from 'node:os'
import { momentOfDoom, redrawnAfter } from '../doom.ts'
import type { DoomPoint } from '../doom.ts'
import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import type { RunResult } from '../simulate.ts'
import { openBench } from './bench.ts'
import type { Bench } from './bench.ts'
import type { Interrupted } from './interrupted.ts'

const timesAtFirst = 6
const runsEach = 16
/** Closer than this nothing is told apart. */
const closest = 500

export interface DoomOptions {
  readonly mutant: Mutant | null
  readonly interrupted: Interrupted
  readonly secondsMost: number
  onPoint(points: readonly DoomPoint[]): void
}

/** The points by time; the last one is the failure itself. */
export async function findDoom(plan: Plan, failedAt: number, options: DoomOptions): Promise<readonly DoomPoint[]> {
  const started = performance.now()
  const mayGoOn = (): boolean => performance.now() - started < options.secondsMost * 1_000 && !options.interrupted.yes
  const benches = Array.from({ length: availableParallelism() }, () => openBench(options.mutant))
  let points: readonly DoomPoint[] = [{ at: failedAt, runs: 1, failed: 1 }]
  const add = async (at: number): Promise<void> => {
    points = [...points, await measure(plan, at, benches)].sort((a, b) => a.at - b.at)
    options.onPoint(points)
  }
  try {
    for (let i = 0; i < timesAtFirst && mayGoOn(); i++) await add(Math.floor((failedAt * i) / timesAtFirst))
    while (mayGoOn()) {
      const moment = momentOfDoom(points)
      if (moment === null) break
      const [open, lost] = moment
      if (lost.at - open.at <= closest) break
      await add(Math.floor((open.at + lost.at) / 2))
    }
  } finally {
    await Promise.all(benches.map((bench) => bench.close()))
  }
  return points
}

/** Runs the plan again and again, each time drawn otherwise after `at`. */
async function measure(plan: Plan, at: number, benches: readonly Bench[]): Promise<DoomPoint> {
  let started = 0
  let failed = 0
  const work = async (bench: Bench): Promise<void> => {
    while (started < runsEach) {
      const result = await bench.run(redrawnAfter(plan, at, firstSeed + started++))
      if (breaksPromise(result)) failed++
    }
  }
  await Promise.all(benches.map(work))
  return { at, runs: runsEach, failed }
}

/** A crash point that is not reached any more breaks nothing. */
function breaksPromise({ failure }: RunResult): boolean {
  return failure !== null && failure.promise !== 'determinism'
}

/** Seeds that nobody asks for by number. */
const firstSeed = 900_000_000
