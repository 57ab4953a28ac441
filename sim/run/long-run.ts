// `--minutes N`: seeds one after another until time is up. Each runs once, on threads that live as long as the run; at the end
// the last of them run again, backwards and in fresh processes, which finds what such a thread gathers.

import { execFileSync } from 'node:child_process'
import { faultKinds } from '../fault-kinds.ts'
import { drawPlan } from '../plan.ts'
import { reportFailure } from './failure-report.ts'
import type { Interrupted } from './interrupted.ts'
import { markTable, unreached } from './mark-report.ts'
import type { SimOptions } from './options.ts'
import { runPool } from './pool.ts'
import { Progress } from './progress.ts'
import { Tally, failureLine } from './tally.ts'
import type { Summary } from './tally.ts'
import type { Answer, Task } from './worker.ts'

type Long = Extract<SimOptions['what'], { kind: 'minutes' }>

/** The part of the time for the first runs; the rest is for repeating the last of them. */
const onward = 0.94

export interface LongRun {
  readonly summary: Summary
  /** Rare moments that no seed reached, though there were enough. */
  readonly unreached: readonly string[]
}

/** Runs, shows progress on standard error, and prints what was done, whether time was up, Ctrl-C came, or a seed failed. */
export async function runLong(
  { minutes, first }: Long,
  options: SimOptions,
  interrupted: Interrupted,
): Promise<LongRun> {
  const tally = new Tally()
  const kinds = new Set<string>()
  const progress = new Progress({ minutes })
  const goesOn = (part: number): boolean =>
    !interrupted.yes && tally.failure === null && progress.seconds < minutes * 60 * part
  const taking = (part: number, take: (answer: Answer & { kind: 'result' }) => void) => (answer: Answer) => {
    if (answer.kind === 'error') throw new Error(`seed ${answer.seed}: ${answer.text}`)
    if (answer.kind === 'result') take(answer)
    progress.show('seeds', tally.done, tally)
    return goesOn(part)
  }
  let last = first
  function* seeds(): Generator<Task> {
    for (; goesOn(onward); last++) {
      const plan = drawPlan(last)
      for (const kind of faultKinds(plan)) kinds.add(kind)
      yield { kind: 'plan', plan, trace: 'no' }
    }
  }
  function* again(): Generator<Task> {
    for (let seed = last - 1; seed >= first && goesOn(1); seed--)
      yield { kind: 'plan', plan: drawPlan(seed), trace: 'no' }
  }
  await runPool(seeds(), { mutant: null, onAnswer: taking(onward, ({ result }) => tally.add(result)) })
  let repeated = 0
  const compare = taking(1, ({ result }) => {
    tally.compare(result)
    repeated++
  })
  if (tally.failure === null) await runPool(again(), { mutant: null, place: 'processes', onAnswer: compare })
  progress.end()
  const replay = ({ seed }: { readonly seed: number }): string => `holdfast sim --seed ${seed} --trace trace.txt`
  const marks = tally.marks()
  const summary = { ...tally.summary(null, progress.seconds, replay), interrupted: interrupted.yes, marks }
  const missing = summary.failure === null ? unreached(marks, summary.seeds) : []
  await report({ summary, repeated, kinds: [...kinds].sort(), missing }, options, tally, interrupted)
  return { summary, unreached: missing }
}

interface Done {
  readonly summary: Summary
  readonly repeated: number
  readonly kinds: readonly string[]
  readonly missing: readonly string[]
}

async function report(done: Done, options: SimOptions, tally: Tally, interrupted: Interrupted): Promise<void> {
  const { summary, repeated, kinds, missing } = done
  const { failure } = summary
  const place = options.json ? process.stderr : process.stdout
  if (options.marks) place.write(markTable(summary.marks ?? {}))
  if (missing.length > 0) place.write(`never reached: ${missing.join(', ')}\n`)
  place.write(`fault kinds: ${kinds.join(', ')}\n${repeated} seeds ran a second time, in other processes, backwards\n`)
  if (failure !== null) {
    const result = tally.resultOf(failure.seed)
    if (result !== null)
      await reportFailure({ plan: drawPlan(failure.seed), result, mutant: null }, options, interrupted)
    place.write(`${failureLine(failure)}\n${failure.replay}\n`)
  }
  const closing = closingLine(summary, kinds.length)
  if (options.json) process.stdout.write(`${JSON.stringify({ ...summary, closing })}\n`)
  else process.stdout.write(`${closing}\n`)
}

/** What a run may claim, and no more (proof.md, "Wording"). The rule of three: none of N, so at 95 % below 3/N. */
function closingLine({ seeds, simulatedSeconds, calls, kills, lost, failure }: Summary, kinds: number): string {
  const days = (simulatedSeconds / 86_400).toFixed(1)
  const done = `${commit()}, ${seeds} seeds (${days} simulated days, faults of ${kinds} kinds, ${kills} kills, ${calls} calls)`
  if (failure !== null) return `${done}: seed ${failure.seed} broke ${failure.promise}`
  const bound = `the chance per seed is below 3/${seeds} under this fault model`
  return `${done}, ${lost} lost; at 95 % confidence ${bound}`
}

function commit(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, {
      cwd: new URL('.', import.meta.url),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ', changed'
    return `commit ${git('rev-parse', '--short', 'HEAD').trim()}${changed}`
  } catch {
    return 'not in a checkout'
  }
}
