// `--mutants --detect`: how likely one seed finds each planted bug, and so how many seeds find the hardest with 95 %. That is
// how many continuous integration runs; what can't be had for that is left to crash points, to schedules and to long runs.

import type { Mutant } from '../mutants/mutant.ts'
import { drawPlan } from '../plan.ts'
import type { Interrupted } from './interrupted.ts'
import type { SimOptions } from './options.ts'
import { plansAsTasks, runPool, seedsOf } from './pool.ts'
import { Progress } from './progress.ts'
import type { Answer } from './worker.ts'

type Mutants = Extract<SimOptions['what'], { kind: 'mutants' }>

/** Seeds are run until this many have found it: an easy one is known soon. */
const enough = 5
const confidence = 0.95

export interface Detection {
  readonly name: string
  /** Seeds that were run, and those among them that found it. */
  readonly seeds: number
  readonly found: number
  /** Seeds that find it with 95 %; null = none did. */
  readonly needed: number | null
}

/** Seeds until one finds it with 95 %, if each does with probability `chance`. */
export function seedsNeeded(chance: number): number {
  return chance >= 1 ? 1 : Math.ceil(Math.log(1 - confidence) / Math.log(1 - chance))
}

/** Prints a line a mutant, the hardest last. */
export async function runDetection(what: Mutants, json: boolean, interrupted: Interrupted): Promise<void> {
  const progress = new Progress(what.mutants.length)
  const detections: Detection[] = []
  // What breaks nothing but that two runs are one is found by pairs of runs (twice.ts).
  for (const mutant of what.mutants.filter(({ promise }) => promise !== 'determinism')) {
    if (interrupted.yes) break
    const detection = await detect(mutant, what, interrupted)
    if (interrupted.yes) break
    detections.push(detection)
    progress.show('mutants', detections.length, null)
    if (!json) process.stdout.write(`${lineOf(detection)}\n`)
  }
  progress.end()
  const needed = detections.map((one) => one.needed).filter((seeds) => seeds !== null)
  const most = needed.length === 0 ? null : Math.max(...needed)
  const hardest = detections.find((one) => one.needed === most)?.name ?? null
  if (json)
    process.stdout.write(`${JSON.stringify({ detections, hardest, seeds: most, interrupted: interrupted.yes })}\n`)
  else if (hardest !== null) process.stdout.write(`the hardest that seeds find: ${hardest}, ${most} seeds for 95 %\n`)
}

async function detect(mutant: Mutant, { first, last }: Mutants, interrupted: Interrupted): Promise<Detection> {
  let [seeds, found] = [0, 0]
  const onAnswer = (answer: Answer): boolean => {
    if (answer.kind === 'error') throw new Error(`mutant ${mutant.name}, seed ${answer.seed}: ${answer.text}`)
    if (answer.kind !== 'result' || found >= enough) return false
    seeds++
    if (answer.result.failure !== null) found++
    return found < enough && !interrupted.yes
  }
  await runPool(plansAsTasks(seedsOf(first, last).map(drawPlan)), { mutant, onAnswer })
  // Stopped at the k-th of n: (k - 1) / (n - 1) is the unbiased estimate.
  const chance = found < enough ? found / seeds : seeds === found ? 1 : (found - 1) / (seeds - 1)
  return { name: mutant.name, seeds, found, needed: found === 0 ? null : seedsNeeded(chance) }
}

function lineOf({ name, seeds, found, needed }: Detection): string {
  const outcome = needed === null ? 'no seed finds it' : `${needed} seeds for 95 %`
  return `${name.padEnd(36)} ${String(found).padStart(3)} of ${String(seeds).padStart(4)} seeds   ${outcome}`
}
