// `--mutants`: plants each known bug in turn and looks for what finds it: the schedule it names, if it names one, then
// seeds, then every crash point of a few flows.

import { crashPlan, crashRunsOf } from '../crash-points.ts'
import type { Mutant } from '../mutants/mutant.ts'
import { drawPlan } from '../plan.ts'
import type { Plan } from '../plan.ts'
import type { Failure, RunResult } from '../simulate.ts'
import { scheduleNamed } from '../schedules.ts'
import { reportFailure } from './failure-report.ts'
import type { FailedRun } from './failure-report.ts'
import type { Interrupted } from './interrupted.ts'
import type { SimOptions } from './options.ts'
import { plansAsTasks, runPool, seedsOf } from './pool.ts'
import { verdictHead, verdictLine, verdictOf, verdictTable } from './mutant-table.ts'
import { Progress } from './progress.ts'
import { Tally } from './tally.ts'
import type { MutantVerdict } from './tally.ts'
import { runTwice } from './twice.ts'
import type { Answer } from './worker.ts'

type Mutants = Extract<SimOptions['what'], { kind: 'mutants' }>

/** Deaths at the crash points of these flows, under these seeds, are tried when seeds alone find nothing. */
const crashFlows: readonly string[] = ['basic', 'ringing-long', 'cancelled', 'refused']
const crashSeeds: readonly number[] = [1]

/** Of a schedule that a mutant names, so many seeds are tried before any other. */
const scheduleSeeds = 80

const nothing = { seeds: 0, schedules: 0, crashPoints: 0, caughtBy: null }

/** Seeds run forwards and then backwards, where only the comparison tells. */
const seedsAtOnce = 4

export async function runMutants(
  what: Mutants,
  options: SimOptions,
  interrupted: Interrupted,
): Promise<'nothing' | 'safety'> {
  const { json } = options
  const progress = new Progress(what.mutants.length)
  if (!json && !options.markdown) process.stdout.write(verdictHead)
  const verdicts: MutantVerdict[] = []
  let failed: FailedRun | null = null
  const all = new Tally()
  for (const mutant of what.mutants) {
    if (interrupted.yes) break
    const since = performance.now()
    const hunted = await hunt(mutant, what, all, interrupted)
    failed = hunted.failed
    const verdict = verdictOf(mutant, hunted, (performance.now() - since) / 1_000)
    verdicts.push(verdict)
    progress.show('mutants', verdicts.length, null)
    if (!json && !options.markdown) process.stdout.write(verdictLine(verdict))
  }
  progress.end()
  const name = what.mutants.length === 1 ? (what.mutants[0]?.name ?? null) : null
  const summary = { ...all.summary(name, progress.seconds, () => ''), interrupted: interrupted.yes }
  const found = verdicts.filter((verdict) => verdict.found).length
  // A planted bug's failure is told if it is the only one, and was asked for by name.
  if ((!json || options.html !== null) && failed !== null && name !== null)
    await reportFailure(failed, options, interrupted)
  // A mutant's failure is what was looked for; a mutant that survives is the failure.
  if (json) process.stdout.write(`${JSON.stringify({ ...summary, failure: null, mutants: verdicts })}\n`)
  else if (options.markdown) process.stdout.write(verdictTable(verdicts, progress.seconds))
  else process.stdout.write(`${found} of ${what.mutants.length} mutants found in ${progress.seconds.toFixed(1)} s\n`)
  return found === what.mutants.length ? 'nothing' : 'safety'
}

/** Runs plans with the bug in until one fails; the first such plan counts, whichever thread was faster. */
async function hunt(mutant: Mutant, { first, last }: Mutants, all: Tally, interrupted: Interrupted): Promise<Hunt> {
  const seeds = seedsOf(first, last)
  if (mutant.promise === 'determinism') {
    return { tried: { ...nothing, ...(await huntTwice(mutant, seeds, interrupted)) }, failed: null }
  }
  const tried = { ...nothing }
  const schedule = mutant.schedule === undefined ? undefined : scheduleNamed(mutant.schedule)
  if (schedule !== undefined) {
    const plans = seeds.slice(0, scheduleSeeds).map((seed) => schedule.plan(seed))
    const hunted = await firstFailure(mutant, plans, interrupted, () => {})
    tried.schedules = hunted.tried
    if (hunted.failed !== null || interrupted.yes) return caught(tried, hunted.failed)
  }
  const drawn = await firstFailure(mutant, seeds.map(drawPlan), interrupted, (result) => all.add(result))
  tried.seeds = drawn.tried
  if (drawn.failed !== null || interrupted.yes) return caught(tried, drawn.failed)
  const points = await firstFailure(mutant, await crashPlans(mutant), interrupted, () => {})
  tried.crashPoints = points.tried
  return caught(tried, points.failed)
}

function caught(tried: Hunt['tried'], failed: FailedRun | null): Hunt {
  return { tried: { ...tried, caughtBy: failed?.result.failure?.promise ?? null }, failed }
}

/** What breaks no promise but that two runs of a seed are one: found by a pair of runs that differ. */
async function huntTwice(
  mutant: Mutant,
  seeds: readonly number[],
  interrupted: Interrupted,
): Promise<Pick<Hunt['tried'], 'seeds' | 'caughtBy'>> {
  let tried = 0
  let failure: Failure | null = null
  for (let at = 0; at < seeds.length && failure === null && !interrupted.yes; at += seedsAtOnce) {
    const plans = seeds.slice(at, at + seedsAtOnce).map(drawPlan)
    const tally = new Tally()
    await runTwice(plans, tally, { mutant, goOn: () => !interrupted.yes })
    tried += plans.length
    failure = tally.failure
  }
  return { seeds: tried, caughtBy: failure?.promise ?? null }
}

interface Hunt {
  readonly tried: Pick<MutantVerdict, 'seeds' | 'schedules' | 'crashPoints' | 'caughtBy'>
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
  const places = crashFlows.flatMap((flow) =>
    crashSeeds.map((seed) => ({ kind: 'census', flow, seed, module: null }) as const),
  )
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
