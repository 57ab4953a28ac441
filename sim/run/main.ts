// `holdfast sim`: seeds, scenarios and mutants over all cores; what was found, and the command that shows it again.

import { availableParallelism } from 'node:os'
import { settingFlows } from '../crash-points.ts'
import { flows, reliableFlows } from '../flows.ts'
import { forkFlows } from '../fork-flows.ts'
import { routingFlows } from '../routing-flows.ts'
import { lifetimeFlows } from '../lifetime-flows.ts'
import { mutants } from '../mutants/list.ts'
import type { Mutant } from '../mutants/mutant.ts'
import { planOf } from '../own/own-plan.ts'
import { describePlan, drawPlan, moduleOf } from '../plan.ts'
import type { Plan } from '../plan.ts'
import { scenarios } from '../scenarios.ts'
import { schedules } from '../schedules.ts'
import type { Failure } from '../simulate.ts'
import { runCrashPoints } from './crash-runs.ts'
import type { CrashPoints } from './crash-tally.ts'
import { runDetection } from './detection.ts'
import { tellDifference } from './difference.ts'
import { reportFailure, reportRun } from './failure-report.ts'
import type { Interrupted } from './interrupted.ts'
import { OwnFault, loadSimulation } from './own-module.ts'
import { runLong } from './long-run.ts'
import { markTable, unreached } from './mark-report.ts'
import { runMutants } from './mutant-hunt.ts'
import { help, readSimOptions } from './options.ts'
import type { SimOptions } from './options.ts'
import { outputTrouble } from './output-file.ts'
import { readPlan } from './plan-file.ts'
import type { Recorded } from './plan-file.ts'
import { seedsOf } from './pool.ts'
import { Progress } from './progress.ts'
import { runSpeed } from './speed.ts'
import { Tally, failureLine } from './tally.ts'
import type { Summary } from './tally.ts'
import { writeTrace } from './trace-file.ts'
import { runTwice } from './twice.ts'

const exits = { nothing: 0, broke: 1, safety: 2, liveness: 3, usage: 64 } as const satisfies Record<string, number>

/** Signals this close together are one. */
const sameSignalMs = 1_000

/** Runs the command; the code to exit with. */
export async function simMain(args: readonly string[]): Promise<number> {
  const options = readSimOptions(args)
  if (typeof options === 'string') {
    process.stderr.write(`holdfast sim: ${options}\n`)
    return exits.usage
  }
  const { what, trace, html } = options
  if (what.kind === 'help') return say(help)
  if (what.kind === 'list') return say(list())
  const trouble =
    (trace === null ? null : await outputTrouble('trace', trace)) ??
    (html === null ? null : await outputTrouble('html', html))
  if (trouble !== null) {
    process.stderr.write(`holdfast sim: ${trouble}\n`)
    return exits.usage
  }
  const interrupted = { yes: false }
  let asked = 0
  // One Ctrl-C under npm comes twice, from the terminal and passed on by npm; only a later one ends it hard.
  process.on('SIGINT', () => {
    if (interrupted.yes && performance.now() - asked > sameSignalMs) process.exit(130)
    if (!interrupted.yes) asked = performance.now()
    interrupted.yes = true
  })
  try {
    if (what.kind === 'mutants' && options.detect) {
      await runDetection(what, options.json, interrupted)
      return exits.nothing
    }
    if (what.kind === 'mutants') return exits[await runMutants(what, options, interrupted)]
    if (what.kind === 'minutes') {
      const { summary, unreached: missing } = await runLong(what, options, interrupted)
      return summary.failure !== null ? exits[summary.failure.kind] : missing.length > 0 ? exits.broke : exits.nothing
    }
    if (what.kind === 'speed') return exits[await runSpeed(what, options.json, interrupted)]
    if (what.kind === 'crash-points') return exits[await runCrashPoints(await withFlows(what), options, interrupted)]
    if (what.kind === 'own') return await runPlans(await ownPlans(what), options, interrupted)
    if (what.kind === 'replay') {
      const recorded = await readPlan(what.file)
      if (typeof recorded !== 'string') return await runPlans(replayRun(what.file, recorded), options, interrupted)
      process.stderr.write(`holdfast sim: ${recorded}\n`)
      return exits.usage
    }
    return await runPlans(plansOf(what), options, interrupted)
  } catch (error) {
    if (error instanceof OwnFault) {
      process.stderr.write(`holdfast sim: ${error.message}\n`)
      return exits.usage
    }
    process.stderr.write(`holdfast sim broke: ${error instanceof Error ? error.stack : String(error)}\n`)
    return exits.broke
  }
}

/** Plans to run, and how to ask for one of them again. */
interface PlansToRun {
  readonly plans: readonly Plan[]
  readonly mutant: Mutant | null
  /** What a run gave that came from a file. */
  readonly recorded: (Recorded & { readonly file: string }) | null
  again(seed: number): string
}

function plansOf(what: Extract<SimOptions['what'], { kind: 'seeds' | 'scenario' | 'schedule' }>): PlansToRun {
  const common = { mutant: null, recorded: null }
  if (what.kind === 'scenario') {
    return { ...common, plans: [what.scenario.plan], again: () => `--scenario ${what.scenario.name}` }
  }
  if (what.kind === 'schedule') {
    const { schedule, first, last } = what
    const plans = seedsOf(first, last).map((seed) => schedule.plan(seed))
    return { ...common, plans, again: (seed) => `--scenario ${schedule.name} --seed ${seed}` }
  }
  return { ...common, plans: seedsOf(what.first, what.last).map(drawPlan), again: (seed) => `--seed ${seed}` }
}

/** Of a user's simulation. */
async function ownPlans({ own, first, last }: Extract<SimOptions['what'], { kind: 'own' }>): Promise<PlansToRun> {
  const simulation = await loadSimulation(own)
  const plans = seedsOf(first, last).map((seed) => planOf(simulation, seed, own))
  return { plans, mutant: null, recorded: null, again: (seed) => `--own ${own} --seed ${seed}` }
}

/** The calls whose crash points are meant, of a user's simulation. */
async function withFlows(what: CrashPoints): Promise<CrashPoints> {
  if (what.own === null) return what
  const names = [...(await loadSimulation(what.own)).calls.keys()]
  const unknown = what.flows.find((flow) => !names.includes(flow))
  if (unknown !== undefined)
    throw new OwnFault(`--own ${what.own} has no calls named ${unknown}; it has ${names.join(', ')}`)
  return what.flows.length > 0 ? what : { ...what, flows: names }
}

function replayRun(file: string, recorded: Recorded): PlansToRun {
  return {
    plans: [recorded.plan],
    mutant: recorded.mutant,
    recorded: { ...recorded, file },
    again: () => `--replay ${file}`,
  }
}

async function runPlans(toRun: PlansToRun, options: SimOptions, interrupted: Interrupted): Promise<number> {
  const { plans, mutant } = toRun
  const [only] = plans
  if (plans.length === 1 && only !== undefined && !options.json)
    process.stdout.write(`${describePlan(only).join('\n')}\n`)
  const tally = new Tally()
  const progress = new Progress(plans.length * 2)
  let ran = 0
  const goOn = (): boolean => {
    progress.show('seeds', ++ran, tally)
    return !interrupted.yes
  }
  await runTwice(plans, tally, { mutant, goOn })
  progress.end()
  if (options.trace !== null) {
    const traced = plans.find(({ seed }) => seed === tally.failure?.seed) ?? only
    if (traced !== undefined) await writeTrace(traced, options.trace, mutant)
  }
  const replay = ({ seed }: Failure): string => `holdfast sim ${toRun.again(seed)} --trace trace.txt`
  const marks = tally.marks()
  const summary = {
    ...tally.summary(mutant?.name ?? null, progress.seconds, replay),
    interrupted: interrupted.yes,
    marks,
  }
  if (!options.json) process.stdout.write(table(summary))
  if (interrupted.yes) process.stderr.write(`stopped after ${ran} of ${plans.length * 2} runs\n`)
  if (toRun.recorded !== null) process.stderr.write(comparison(toRun.recorded, tally))
  const failed = plans.find(({ seed }) => seed === summary.failure?.seed)
  const result = failed === undefined ? null : tally.resultOf(failed.seed)
  if (failed !== undefined && result !== null && result.failure !== null) {
    const from = toRun.recorded === null ? {} : { file: toRun.recorded.file }
    await reportFailure({ plan: failed, result, mutant, ...from }, options, interrupted)
  } else if (options.html !== null) {
    await reportOnly(toRun, options.html)
  }
  report(summary, options)
  if (summary.failure?.promise === 'determinism') await reportDifference(toRun, summary.failure.seed)
  if (options.marks && !options.json) process.stdout.write(markTable(marks))
  if (summary.failure !== null) return exits[summary.failure.kind]
  // What a user's calls reach is for him to say.
  const missing = toRun.plans.some((plan) => moduleOf(plan) !== null) ? [] : unreached(marks, summary.seeds)
  if (missing.length === 0) return exits.nothing
  process.stderr.write(`never reached in ${summary.seeds} seeds: ${missing.join(', ')}\n`)
  return exits.broke
}

async function reportDifference({ plans, mutant }: PlansToRun, seed: number): Promise<void> {
  const at = plans.findIndex((plan) => plan.seed === seed)
  const plan = plans[at]
  // Those that came before it, backwards; or any, if it was the last.
  const others = [...plans.slice(at + 1, at + 3).toReversed(), ...plans.slice(Math.max(0, at - 1), at)]
  if (plan !== undefined) process.stderr.write(await tellDifference(plan, others, mutant))
}

/** The page of the only run, which broke nothing. */
async function reportOnly({ plans, mutant, again }: PlansToRun, file: string): Promise<void> {
  const [plan] = plans
  if (plan !== undefined && plans.length === 1) await reportRun(plan, mutant, file, `holdfast sim ${again(plan.seed)}`)
  else
    process.stderr.write(`no seed failed, so ${file} is not written; --seed N --html ${file} shows one that passes\n`)
}

/** Whether a recorded run happened again. */
function comparison({ plan, promise, traceHash }: Recorded, tally: Tally): string {
  const result = tally.resultOf(plan.seed)
  if (result === null) return ''
  const now = result.failure === null ? 'nothing breaks' : `${result.failure.promise} breaks`
  return result.traceHash === traceHash
    ? `the same trace as recorded: ${now}\n`
    : `another trace than recorded, when ${promise} broke: the code is another; now ${now}\n`
}

function report(summary: Summary, options: SimOptions): void {
  const { failure } = summary
  const place = options.json ? process.stderr : process.stdout
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

function list(): string {
  const rows = (title: string, all: readonly (readonly [string, string])[]): string =>
    `${title}\n${all.map(([name, text]) => `  ${name.padEnd(36)} ${text}`).join('\n')}\n`
  return [
    rows(
      'flows',
      flows.map(({ name, steps }) => [name, `${steps.length} steps`] as const),
    ),
    rows(
      'flows with reliable 1xx',
      reliableFlows.map(({ name, steps }) => [name, `${steps.length} steps`] as const),
    ),
    rows(
      'flows that fork',
      [...forkFlows, ...routingFlows].map(({ name, fork }) => [name, `to ${fork?.forks}`] as const),
    ),
    rows(
      'flows with a lifetime',
      lifetimeFlows.map(({ name, lifetime }) => [name, JSON.stringify(lifetime)] as const),
    ),
    rows(
      'flows in another setting',
      settingFlows.map((name) => [name, ''] as const),
    ),
    rows(
      'scenarios',
      scenarios.map(({ name, story }) => [name, story] as const),
    ),
    rows(
      'schedules',
      schedules.map(({ name, story }) => [name, story] as const),
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
