// What is shown of a failure: the plan is shrunk, and printed as a scenario and as a ladder; written to a file, it can be replayed.

import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import { ladderText } from '../report/ladder-text.ts'
import { scenarioText } from '../report/scenario-text.ts'
import type { RunResult } from '../simulate.ts'
import { openBench } from './bench.ts'
import type { Bench } from './bench.ts'
import type { Interrupted } from './interrupted.ts'
import type { SimOptions } from './options.ts'
import { writePlan } from './plan-file.ts'
import { shrink } from './shrinker.ts'
import type { Failing } from './shrinker.ts'

/** Shrinking ends here, whatever is left to try. */
const runsMost = 500
const secondsMost = 60

export interface FailedRun {
  readonly plan: Plan
  readonly result: RunResult
  readonly mutant: Mutant | null
  /** It came from a file: it is shrunk already, and written. */
  readonly recorded?: boolean
}

/** Tells about the failure of a run, on standard output or, if JSON goes there, on standard error. */
export async function reportFailure(
  { plan, result, mutant, recorded = false }: FailedRun,
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
    const smallest = options.shrink && !recorded ? await shrunk(failing, bench, interrupted) : failing
    const file = `failure-seed-${plan.seed}.json`
    place.write(`\n${scenarioText(nameOf(smallest, mutant), storyOf(smallest, mutant), smallest.plan)}\n`)
    const chronicle = await bench.record(smallest.plan)
    place.write(`${ladderText(chronicle)}\n`)
    if (recorded) return
    await writePlan(file, smallest, mutant)
    place.write(`holdfast sim --replay ${file} runs it again\n`)
  } finally {
    await bench.close()
  }
}

async function shrunk(failing: Failing, bench: Bench, interrupted: Interrupted): Promise<Failing> {
  const isTerminal = process.stderr.isTTY
  const show = (plan: Plan, runs: number): void => {
    if (isTerminal) process.stderr.write(`\r\u001b[Kshrinking: ${sizeOf(plan)} after ${runs} runs`)
  }
  const small = await shrink(failing, {
    run: (plan) => bench.run(plan),
    runsMost,
    secondsMost,
    interrupted,
    onRun: (runs, plan) => show(plan, runs),
  })
  const end = small.isMinimal ? 'no simpler one fails' : 'stopped early'
  process.stderr.write(
    `${isTerminal ? '\r\u001b[K' : ''}shrunk from ${sizeOf(failing.plan)} to ${sizeOf(small.plan)} in ${small.runs} runs; ${end}\n`,
  )
  return small
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
