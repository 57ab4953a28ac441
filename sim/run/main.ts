// `holdfast sim`: seeds, scenarios and mutants over all cores; what was found, and the command that shows it again.

import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { flows } from '../flows.ts'
import { mutants } from '../mutants/list.ts'
import type { Mutant } from '../mutants/mutant.ts'
import { drawPlan } from '../plan.ts'
import type { Plan } from '../plan.ts'
import { scenarios } from '../scenarios.ts'
import type { Failure } from '../simulate.ts'
import { formatTime } from '../trace.ts'
import { help, readSimOptions } from './options.ts'
import type { SimOptions } from './options.ts'
import { runPool } from './pool.ts'
import { Progress } from './progress.ts'
import { Tally } from './tally.ts'
import type { MutantVerdict, Summary } from './tally.ts'
import type { Answer } from './worker.ts'

const exits = { nothing: 0, broke: 1, safety: 2, liveness: 3, usage: 64 } as const

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
    if (what.kind === 'mutants') return await runMutants(what, options, interrupted)
    return await runPlans(what, options, interrupted)
  } catch (error) {
    process.stderr.write(`holdfast sim broke: ${error instanceof Error ? error.stack : String(error)}\n`)
    return exits.broke
  }
}

type Plans = Extract<SimOptions['what'], { kind: 'seeds' | 'scenario' }>
type Mutants = Extract<SimOptions['what'], { kind: 'mutants' }>
interface Interrupted {
  yes: boolean
}

async function runPlans(what: Plans, options: SimOptions, interrupted: Interrupted): Promise<number> {
  const plans = what.kind === 'scenario' ? [what.scenario.plan] : seedsOf(what.first, what.last).map(drawPlan)
  const [only] = plans
  if (plans.length === 1 && only !== undefined && !options.json) process.stdout.write(describePlan(only))
  const tally = new Tally()
  const progress = new Progress(plans.length * 2)
  let ran = 0
  const count = (answer: Answer, take: (answer: Answer & { kind: 'result' }) => void): boolean => {
    if (answer.kind === 'error') throw new Error(`seed ${answer.seed}: ${answer.text}`)
    take(answer)
    progress.show('seeds', ++ran, tally)
    return tally.failure === null && !interrupted.yes
  }
  const pool = { mutant: null, trace: false }
  await runPool(plans, { ...pool, onAnswer: (answer) => count(answer, ({ result }) => tally.add(result)) })
  if (tally.failure === null) {
    // Again in other threads, backwards: what leaks from one run into the next comes in another order.
    const again = plans.toReversed()
    await runPool(again, { ...pool, onAnswer: (answer) => count(answer, ({ result }) => tally.compare(result)) })
  }
  progress.end()
  if (options.trace !== null) {
    const traced = plans.find(({ seed }) => seed === tally.failure?.seed) ?? only
    if (traced !== undefined) await writeTrace(traced, options.trace)
  }
  const summary = tally.summary(null, progress.seconds, (failure) => replayOf(what, failure))
  report(summary, options)
  if (summary.failure !== null) return exits[summary.failure.kind]
  return exits.nothing
}

async function writeTrace(plan: Plan, file: string): Promise<void> {
  const onAnswer = (answer: Answer): boolean => {
    if (answer.kind === 'result') lines = answer.lines
    return true
  }
  let lines: readonly string[] = []
  await runPool([plan], { mutant: null, trace: true, onAnswer })
  const legend =
    '# true time in seconds, then: "A ~> B  message" a datagram leaves, "~> [n]" it reaches replica n;\n' +
    '# "[n] -> [m]" a frame leaves, "[n] <- life" it arrives; "[n] writes" to disk, "[n] persisted" it is synced\n'
  await writeFile(file, `${legend}${lines.join('\n')}\n`)
}

async function runMutants(what: Mutants, options: SimOptions, interrupted: Interrupted): Promise<number> {
  const progress = new Progress(what.mutants.length)
  const verdicts: MutantVerdict[] = []
  const all = new Tally()
  for (const mutant of what.mutants) {
    if (interrupted.yes) break
    const verdict = await hunt(mutant, what, all, interrupted)
    verdicts.push(verdict)
    progress.show('mutants', verdicts.length, null)
    if (!options.json) process.stdout.write(`${verdictLine(verdict, mutant)}\n`)
  }
  progress.end()
  const name = what.mutants.length === 1 ? (what.mutants[0]?.name ?? null) : null
  const summary = all.summary(name, progress.seconds, () => '')
  const found = verdicts.filter((verdict) => verdict.found).length
  // A mutant's failure is what was looked for; a mutant that survives is the failure.
  if (options.json) process.stdout.write(`${JSON.stringify({ ...summary, failure: null, mutants: verdicts })}\n`)
  else process.stdout.write(`${found} of ${what.mutants.length} mutants found in ${progress.seconds.toFixed(1)} s\n`)
  return found === what.mutants.length ? exits.nothing : exits.safety
}

/** Runs seeds with the bug in until one fails; the lowest such seed counts, whichever thread was faster. */
async function hunt(
  mutant: Mutant,
  { first, last }: Mutants,
  all: Tally,
  interrupted: Interrupted,
): Promise<MutantVerdict> {
  const tally = new Tally()
  const onAnswer = (answer: Answer): boolean => {
    if (answer.kind === 'error') throw new Error(`mutant ${mutant.name}, seed ${answer.seed}: ${answer.text}`)
    tally.add(answer.result)
    all.add(answer.result)
    return tally.failure === null && !interrupted.yes
  }
  await runPool(seedsOf(first, last).map(drawPlan), { mutant, trace: false, onAnswer })
  const { failure } = tally
  const seeds = failure === null ? tally.done : failure.seed - first + 1
  return { name: mutant.name, found: failure !== null, seeds, caughtBy: failure?.promise ?? null }
}

function verdictLine({ found, seeds, caughtBy }: MutantVerdict, mutant: Mutant): string {
  const outcome = found ? `found by ${caughtBy} in ${seeds} seeds` : `SURVIVED ${seeds} seeds`
  return `${mutant.name.padEnd(36)} ${mutant.room.padEnd(10)} ${outcome}`
}

function seedsOf(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
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
    place.write(
      `seed ${failure.seed} broke ${failure.promise} at ${formatTime(failure.at).trim()} s: ${failure.text}\n`,
    )
    place.write(`${failure.replay}\n`)
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
  const lines = faults.map((fault) => `  ${formatTime(fault.at)} ${JSON.stringify(fault)}`)
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
