// What is shown of a failure: the plan is shrunk, and printed as a scenario and as a ladder; written to a file, it can be
// replayed. With `--doom` also when it was lost, with `--html` all of it as a page.

import { writeFile } from 'node:fs/promises'
import type { DoomPoint } from '../doom.ts'
import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import type { Chronicle } from '../report/chronicle.ts'
import { doomText } from '../report/doom-text.ts'
import { ladderText } from '../report/ladder-text.ts'
import { pageHtml } from '../report/page.ts'
import { scenarioText } from '../report/scenario-text.ts'
import type { RunResult } from '../simulate.ts'
import { openBench } from './bench.ts'
import type { Bench } from './bench.ts'
import { findDoom } from './doom-runs.ts'
import type { Interrupted } from './interrupted.ts'
import type { SimOptions } from './options.ts'
import { writePlan } from './plan-file.ts'
import { shrink } from './shrinker.ts'
import type { Failing } from './shrinker.ts'

/** Shrinking ends here, whatever is left to try. */
const runsMost = 500
const secondsMost = 60
/** So does the search for the moment of doom. */
const doomSecondsMost = 60

export interface FailedRun {
  readonly plan: Plan
  readonly result: RunResult
  readonly mutant: Mutant | null
  /** The file it came from: it is shrunk already, and written. */
  readonly file?: string
}

/** Tells about the failure of a run, on standard output or, if JSON goes there, on standard error. */
export async function reportFailure(
  { plan, result, mutant, file }: FailedRun,
  options: SimOptions,
  interrupted: Interrupted,
): Promise<void> {
  const { failure } = result
  // Two runs that differ have no plan to shrink: it is what they share.
  if (failure === null || failure.promise === 'determinism') return
  const place = options.json ? process.stderr : process.stdout
  const bench = openBench(mutant)
  try {
    const failing = { plan, result, failure }
    const smallest = options.shrink && file === undefined ? await shrunk(failing, bench, interrupted) : failing
    const scenario = scenarioText(nameOf(smallest, mutant), storyOf(smallest, mutant), smallest.plan)
    const chronicle = await bench.record(smallest.plan)
    place.write(`\n${scenario}\n${ladderText(chronicle)}\n`)
    const doom = options.doom ? await doomed(smallest, mutant, interrupted) : []
    if (options.doom) place.write(`${doomText(doom, chronicle)}\n`)
    const written = file ?? `failure-seed-${plan.seed}.json`
    if (file === undefined) await writePlan(written, smallest, mutant)
    const command = `holdfast sim --replay ${written}`
    if (options.html !== null) await writePage(options.html, chronicle, { command, scenario, doom })
    if (file === undefined) place.write(`${command} runs it again\n`)
  } finally {
    await bench.close()
  }
}

/** The page of a run, failed or not. */
async function writePage(
  file: string,
  chronicle: Chronicle,
  about: { readonly command: string; readonly scenario: string; readonly doom: readonly DoomPoint[] },
): Promise<void> {
  await writeFile(file, pageHtml(chronicle, about))
  process.stderr.write(`${file} shows it; it is one file and needs no network\n`)
}

/** The page of a run that broke nothing. */
export async function reportRun(plan: Plan, mutant: Mutant | null, file: string, command: string): Promise<void> {
  const bench = openBench(mutant)
  try {
    const chronicle = await bench.record(plan)
    const scenario = scenarioText(`seed-${plan.seed}`, 'a run that broke nothing', plan)
    await writePage(file, chronicle, { command, scenario, doom: [] })
  } finally {
    await bench.close()
  }
}

async function shrunk(failing: Failing, bench: Bench, interrupted: Interrupted): Promise<Failing> {
  const small = await shrink(failing, {
    run: (plan) => bench.run(plan),
    runsMost,
    secondsMost,
    interrupted,
    onRun: (runs, plan) => tell(`shrinking: ${sizeOf(plan)} after ${count(runs, 'run')}`),
  })
  const end = small.isMinimal ? 'no simpler one fails' : 'stopped early'
  tell('')
  process.stderr.write(
    `shrunk from ${sizeOf(failing.plan)} to ${sizeOf(small.plan)} in ${count(small.runs, 'run')}; ${end}\n`,
  )
  return small
}

async function doomed(
  { plan, failure }: Failing,
  mutant: Mutant | null,
  interrupted: Interrupted,
): Promise<readonly DoomPoint[]> {
  const onPoint = (points: readonly DoomPoint[]): void =>
    tell(`looking for the moment of doom: ${points.length} times tried`)
  const points = await findDoom(plan, failure.at, { mutant, interrupted, secondsMost: doomSecondsMost, onPoint })
  tell('')
  return points
}

/** One line that is written over, on a terminal only. */
function tell(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`)
}

function sizeOf({ calls, faults }: Plan): string {
  return `${count(calls.length, 'call')} and ${count(faults.length, 'fault')}`
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`
}

function nameOf({ plan, failure }: Failing, mutant: Mutant | null): string {
  return mutant === null ? `seed-${plan.seed}-${failure.promise.toLowerCase()}` : `${mutant.name}-seed-${plan.seed}`
}

function storyOf({ failure: { promise, text } }: Failing, mutant: Mutant | null): string {
  const [first = ''] = text.split('\n')
  return `${mutant === null ? '' : `with ${mutant.name} planted, `}${promise}: ${first}`
}
