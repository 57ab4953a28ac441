// `holdfast sim`: seeds, scenarios and mutants over all cores; what was found, and the command that shows it again.

import { availableParallelism } from 'node:os'
import { flows } from '../flows.ts'
import { mutants } from '../mutants/list.ts'
import { drawPlan, timeOf } from '../plan.ts'
import type { Plan } from '../plan.ts'
import { scenarios } from '../scenarios.ts'
import type { Failure } from '../simulate.ts'
import { formatTime } from '../trace.ts'
import { runCrashPoints } from './crash-runs.ts'
import { tellDifference } from './difference.ts'
import type { Interrupted } from './interrupted.ts'
import { runMutants } from './mutant-hunt.ts'
import { help, readSimOptions } from './options.ts'
import type { SimOptions } from './options.ts'
import { seedsOf } from './pool.ts'
import { Progress } from './progress.ts'
import { Tally, failureLine } from './tally.ts'
import type { Summary } from './tally.ts'
import { writeTrace } from './trace-file.ts'
import { runTwice } from './twice.ts'

const exits = { nothing: 0, broke: 1, safety: 2, liveness: 3, usage: 64 } as const satisfies Record<string, number>

/** Runs the command; the code to exit with. */
export async function simMain(args: readonly string[]): Promise<number> {
  const options = readSimOptions(args)
  if (typeof options === 'string') {
    process.stderr.write(`holdfast sim: ${options}\n`)
    return exits.usage
  }
  const { what } = options
  if (what.kind === 'help') return say(help)
  if (what.kind === 'list') return say(list())
  const interrupted = { yes: false }
  process.once('SIGINT', () => {
    interrupted.yes = true
  })
  try {
    if (what.kind === 'mutants') return exits[await runMutants(what, options.json, interrupted)]
    if (what.kind === 'crash-points') return exits[await runCrashPoints(what, options, interrupted)]
    return await runPlans(what, options, interrupted)
  } catch (error) {
    process.stderr.write(`holdfast sim broke: ${error instanceof Error ? error.stack : String(error)}\n`)
    return exits.broke
  }
}

type Plans = Extract<SimOptions['what'], { kind: 'seeds' | 'scenario' }>
async function runPlans(what: Plans, options: SimOptions, interrupted: Interrupted): Promise<number> {
  const plans = what.kind === 'scenario' ? [what.scenario.plan] : seedsOf(what.first, what.last).map(drawPlan)
  const [only] = plans
  if (plans.length === 1 && only !== undefined && !options.json) process.stdout.write(describePlan(only))
  const tally = new Tally()
  const progress = new Progress(plans.length * 2)
  let ran = 0
  const goOn = (): boolean => {
    progress.show('seeds', ++ran, tally)
    return !interrupted.yes
  }
  await runTwice(plans, tally, { mutant: null, goOn })
  progress.end()
  if (options.trace !== null) {
    const traced = plans.find(({ seed }) => seed === tally.failure?.seed) ?? only
    if (traced !== undefined) await writeTrace(traced, options.trace)
  }
  const summary = tally.summary(null, progress.seconds, (failure) => replayOf(what, failure))
  report(summary, options)
  if (summary.failure?.promise === 'determinism') await reportDifference(plans, summary.failure.seed)
  if (summary.failure !== null) return exits[summary.failure.kind]
  return exits.nothing
}

async function reportDifference(plans: readonly Plan[], seed: number): Promise<void> {
  const at = plans.findIndex((plan) => plan.seed === seed)
  const plan = plans[at]
  // Those that came before it, backwards; or any, if it was the last.
  const others = [...plans.slice(at + 1, at + 3).toReversed(), ...plans.slice(Math.max(0, at - 1), at)]
  if (plan !== undefined) process.stderr.write(await tellDifference(plan, others))
}

function replayOf(what: Plans, failure: Failure): string {
  const which = what.kind === 'scenario' ? `--scenario ${what.scenario.name}` : `--seed ${failure.seed}`
  return `holdfast sim ${which} --trace trace.txt`
}

function report(summary: Summary, options: SimOptions): void {
  const { failure } = summary
  const place = options.json ? process.stderr : process.stdout
  if (!options.json) place.write(table(summary))
  if (failure !== null) {
    place.write(`${failureLine(failure)}\n${failure.replay}\n`)
  }
  if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
}

function table(summary: Summary): string {
  const speed = summary.simulatedSeconds / Math.max(summary.wallSeconds, 0.1)
  const rows: readonly (readonly [string, string])[] = [
    ['seeds', `${summary.seeds}, each run twice`],
    ['calls', `${summary.calls}`],
    ['kills, other faults', `${summary.kills}, ${summary.faults - summary.kills}`],
    ['lost', `${summary.lost}`],
    ['excused', `${summary.excused} (no quorum could hold them)`],
    [
      'simulated',
      `${summary.simulatedSeconds} s in ${summary.wallSeconds} s on ${availableParallelism()} cores (${Math.round(2 * speed)}x)`,
    ],
    ['trace hash', summary.traceHash],
  ]
  return rows.map(([name, value]) => `${name.padEnd(20)} ${value}\n`).join('')
}

function describePlan(plan: Plan): string {
  const { faults, calls, ...rest } = plan
  const lines = faults.map((fault) => `  ${formatTime(timeOf(fault))} ${JSON.stringify(fault)}`)
  const flowLines = calls.map(({ at, flow }) => `  ${formatTime(at)} call ${flow}`)
  return [`plan ${JSON.stringify(rest)}`, ...lines, ...flowLines, ''].join('\n')
}

function list(): string {
  const rows = (title: string, all: readonly (readonly [string, string])[]): string =>
    `${title}\n${all.map(([name, text]) => `  ${name.padEnd(36)} ${text}`).join('\n')}\n`
  return [
    rows(
      'flows',
      flows.map(({ name, steps }) => [name, `${steps.length} steps`] as const),
    ),
    rows(
      'scenarios',
      scenarios.map(({ name, story }) => [name, story] as const),
    ),
    rows(
      'mutants',
      mutants.map(({ name, story }) => [name, story] as const),
    ),
  ].join('\n')
}

function say(text: string): number {
  process.stdout.write(text)
  return exits.nothing
}
