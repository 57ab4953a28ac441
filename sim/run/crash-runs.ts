// `--crash-points`: counts every crash point of some flows, and runs each one. Exhaustive, not sampled. First all is counted,
// so that it is known how long the rest takes; then it is run.

import { crashPlan, crashRunsOf, nameOfRun, pairsOf } from '../crash-points.ts'
import type { CrashRun } from '../crash-points.ts'
import type { Failure } from '../simulate.ts'
import { CrashTally } from './crash-tally.ts'
import type { CrashPoints } from './crash-tally.ts'
import { reportFailure, reportRun } from './failure-report.ts'
import type { Interrupted } from './interrupted.ts'
import type { SimOptions } from './options.ts'
import { plansAsTasks, runPool, seedsOf } from './pool.ts'
import { Progress } from './progress.ts'
import { failureLine } from './tally.ts'
import { writeTrace } from './trace-file.ts'
import type { Answer, Task } from './worker.ts'

export async function runCrashPoints(
  what: CrashPoints,
  options: SimOptions,
  interrupted: Interrupted,
): Promise<'nothing' | Failure['kind']> {
  const { json, trace } = options
  const tally = new CrashTally(what)
  const runs = what.only === null ? await countAll(what, tally, interrupted) : [what.only]
  const progress = new Progress(runs.length)
  const onAnswer = (answer: Answer, at: number): boolean => {
    const run = runs[at] as CrashRun
    if (answer.kind === 'error') throw new Error(`${nameOfRun(run)}: ${answer.text}`)
    if (answer.kind === 'result') tally.add(run, at, answer.result)
    progress.show('crash points', tally.runs, null)
    return tally.found === null && !interrupted.yes
  }
  await runPool(plansAsTasksLazily(runs), { mutant: null, onAnswer })
  progress.end()
  const { found } = tally
  const shown = found?.run ?? what.only
  if (trace !== null && shown !== null) await writeTrace(crashPlan(shown), trace)
  if (options.html !== null && found === null && what.only !== null) {
    const command = `holdfast sim --crash-points=${nameOfRun(what.only)}`
    await reportRun(crashPlan(what.only), null, options.html, command)
  }
  const summary = { ...tally.summary(progress.seconds, replayOf), interrupted: interrupted.yes }
  const aside = json ? process.stderr : process.stdout
  if (!json) process.stdout.write(tally.table(progress.seconds))
  if (interrupted.yes) aside.write(`stopped after ${tally.runs} of ${runs.length} runs\n`)
  if (found !== null) {
    await reportFailure({ plan: crashPlan(found.run), result: found.result, mutant: null }, options, interrupted)
    aside.write(`${nameOfRun(found.run)}: ${failureLine(found.failure)}\n${replayOf(found.run)}\n`)
  }
  if (json) process.stdout.write(`${JSON.stringify(summary)}\n`)
  return found === null ? 'nothing' : found.failure.kind
}

/** The plans are made when they are needed: there may be a hundred thousand. */
function* plansAsTasksLazily(runs: readonly CrashRun[]): Generator<Task> {
  for (const run of runs) yield* plansAsTasks([crashPlan(run)])
}

/** Every run there is: single deaths, then pairs. */
async function countAll(what: CrashPoints, tally: CrashTally, interrupted: Interrupted): Promise<readonly CrashRun[]> {
  const places = what.flows.flatMap((flow) =>
    seedsOf(what.first, what.last).map((seed) => ({ flow, seed, module: what.own })),
  )
  const tasks = places.map((place): Task => ({ kind: 'census', ...place }))
  const singles: CrashRun[][] = []
  const firsts: CrashRun[][] = []
  await countPoints('counting crash points', tasks, interrupted, (points, at) => {
    const { flow, seed, module } = places[at] as (typeof places)[number]
    tally.counted(flow, points.length)
    singles[at] = [...crashRunsOf(flow, seed, points, what.away && seed === what.first, module)]
    const isPaired = what.pairs.includes(flow) && seed === what.first
    firsts[at] = isPaired ? [...crashRunsOf(flow, seed, points, false, module)] : []
  })
  const paired = firsts.flat()
  const pairs: CrashRun[][] = []
  const seconds = paired.map((run): Task => ({ kind: 'second-census', run }))
  await countPoints('counting second deaths', seconds, interrupted, (points, at) => {
    pairs[at] = [...pairsOf(paired[at] as CrashRun, points)]
  })
  return [...singles.flat(), ...pairs.flat()]
}

type Points = Extract<Answer, { kind: 'points' }>['points']

async function countPoints(
  label: string,
  tasks: readonly Task[],
  interrupted: Interrupted,
  take: (points: Points, at: number) => void,
): Promise<void> {
  const progress = new Progress(tasks.length)
  let done = 0
  const onAnswer = (answer: Answer, at: number): boolean => {
    if (answer.kind === 'error') throw new Error(answer.text)
    if (answer.kind === 'points') take(answer.points, at)
    progress.show(label, ++done, null)
    return !interrupted.yes
  }
  await runPool(tasks, { mutant: null, onAnswer })
  progress.end()
}

function replayOf(run: CrashRun): string {
  const own = run.module === undefined ? '' : `--own ${run.module} `
  return `holdfast sim ${own}--crash-points=${nameOfRun(run)} --trace trace.txt`
}
