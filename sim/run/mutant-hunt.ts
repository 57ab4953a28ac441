// `--mutants`: plants each known bug in turn and looks for what finds it: seeds first, then every crash point of a few flows.

import { crashFlows, crashPlan, crashRunsOf } from '../crash-points.ts'
import type { Mutant } from '../mutants/mutant.ts'
import { drawPlan } from '../plan.ts'
import type { Plan } from '../plan.ts'
import type { Failure, RunResult } from '../simulate.ts'
import { reportFailure } from './failure-report.ts'
import type { FailedRun } from './failure-report.ts'
import type { Interrupted } from './interrupted.ts'
import type { SimOptions } from './options.ts'
import { plansAsTasks, runPool, seedsOf } from './pool.ts'
import { Progress } from './progress.ts'
import { Tally } from './tally.ts'
import type { MutantVerdict } from './tally.ts'
import { runTwice } from './twice.ts'
import type { Answer } from './worker.ts'

type Mutants = Extract<SimOptions['what'], { kind: 'mutants' }>

/** The deaths at crash points of these seeds are tried when seeds alone find nothing. */
const crashSeeds: readonly number[] = [1]

/** Seeds run forwards and then backwards, where only the comparison tells. */
const seedsAtOnce = 4

export async function runMutants(
  what: Mutants,
  options: SimOptions,
  interrupted: Interrupted,
): Promise<'nothing' | 'safety'> {
  const { json } = options
  const progress = new Progress(what.mutants.length)
  const verdicts: MutantVerdict[] = []
  let failed: FailedRun | null = null
  const all = new Tally()
  for (const mutant of what.mutants) {
    if (interrupted.yes) break
    const hunted = await hunt(mutant, what, all, interrupted)
    const { verdict } = hunted
    failed = hunted.failed
    verdicts.push(verdict)
    progress.show('mutants', verdicts.length, null)
    if (!json) process.stdout.write(`${verdictLine(verdict, mutant)}\n`)
  }
  progress.end()
  const name = what.mutants.length === 1 ? (what.mutants[0]?.name ?? null) : null
  const summary = all.summary(name, progress.seconds, () => '')
  const found = verdicts.filter((verdict) => verdict.found).length
  // A planted bug's failure is told if it is the only one, and was asked for by name.
  if (!json && failed !== null && name !== null) await reportFailure(failed, options, interrupted)
  // A mutant's failure is what was looked for; a mutant that survives is the failure.
  if (json) process.stdout.write(`${JSON.stringify({ ...summary, failure: null, mutants: verdicts })}\n`)
  else process.stdout.write(`${found} of ${what.mutants.length} mutants found in ${progress.seconds.toFixed(1)} s\n`)
  return found === what.mutants.length ? 'nothing' : 'safety'
}

/** Runs plans with the bug in until one fails; the first such plan counts, whichever thread was faster. */
async function hunt(mutant: Mutant, { first, last }: Mutants, all: Tally, interrupted: Interrupted): Promise<Hunt> {
  if (mutant.promise === 'determinism') {
    return { verdict: await huntTwice(mutant, seedsOf(first, last), interrupted), failed: null }
  }
  const seeds = await firstFailure(mutant, seedsOf(first, last).map(drawPlan), interrupted, (result) => all.add(result))
  const { failed } = seeds
  const caughtBy = failed?.result.failure?.promise ?? null
  const verdict = { name: mutant.name, seeds: seeds.tried, found: failed !== null, crashPoints: 0, caughtBy }
  if (failed !== null || interrupted.yes) return { verdict, failed }
  const points = await firstFailure(mutant, await crashPlans(mutant), interrupted, () => {})
  const found = points.failed !== null
  const pointCaughtBy = points.failed?.result.failure?.promise ?? null
  return {
    verdict: { ...verdict, found, crashPoints: points.tried, caughtBy: pointCaughtBy },
    failed: points.failed,
  }
}

/** What breaks no promise but that two runs of a seed are one: found by a pair of runs that differ. */
async function huntTwice(mutant: Mutant, seeds: readonly number[], interrupted: Interrupted): Promise<MutantVerdict> {
  let tried = 0
  let failure: Failure | null = null
  for (let at = 0; at < seeds.length && failure === null && !interrupted.yes; at += seedsAtOnce) {
    const plans = seeds.slice(at, at + seedsAtOnce).map(drawPlan)
    const tally = new Tally()
    await runTwice(plans, tally, { mutant, goOn: () => !interrupted.yes })
    tried += plans.length
    failure = tally.failure
  }
  return {
    name: mutant.name,
    found: failure !== null,
    seeds: tried,
    crashPoints: 0,
    caughtBy: failure?.promise ?? null,
  }
}

interface Hunt {
  readonly verdict: MutantVerdict
  readonly failed: FailedRun | null
}

interface Hunted {
  readonly failed: FailedRun | null
  /** How many were needed, or all. */
  readonly tried: number
}

async function firstFailure(
  mutant: Mutant,
  plans: readonly Plan[],
  interrupted: Interrupted,
  onResult: (result: RunResult) => void,
): Promise<Hunted> {
  let failed: FailedRun | null = null
  let tried = plans.length
  const onAnswer = (answer: Answer, at: number): boolean => {
    if (answer.kind === 'error') throw new Error(`mutant ${mutant.name}, seed ${answer.seed}: ${answer.text}`)
    if (answer.kind !== 'result') return true
    onResult(answer.result)
    if (answer.result.failure !== null && (failed === null || at + 1 < tried)) {
      failed = { plan: plans[at] as Plan, result: answer.result, mutant }
      tried = at + 1
    }
    return failed === null && !interrupted.yes
  }
  await runPool(plansAsTasks(plans), { mutant, onAnswer })
  return { failed, tried }
}

/** The points are counted with the bug in: it may change what happens without a fault. */
async function crashPlans(mutant: Mutant): Promise<readonly Plan[]> {
  const places = crashFlows.flatMap((flow) => crashSeeds.map((seed) => ({ kind: 'census' as const, flow, seed })))
  const plans: (readonly Plan[])[] = []
  const onAnswer = (answer: Answer, at: number): boolean => {
    if (answer.kind === 'error') throw new Error(`mutant ${mutant.name}: ${answer.text}`)
    const { flow, seed } = places[at] as (typeof places)[number]
    if (answer.kind === 'points') plans[at] = crashRunsOf(flow, seed, answer.points, false).map(crashPlan)
    return true
  }
  await runPool(places, { mutant, onAnswer })
  return plans.flat()
}

function verdictLine({ found, seeds, crashPoints, caughtBy }: MutantVerdict, mutant: Mutant): string {
  const tried = crashPoints === 0 ? `${seeds} seeds` : `${seeds} seeds and ${crashPoints} crash points`
  const outcome = found ? `found by ${caughtBy} in ${tried}` : `SURVIVED ${tried}`
  return `${mutant.name.padEnd(36)} ${mutant.room.padEnd(12)} ${outcome}`
}
