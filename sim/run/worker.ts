// One thread or process of a long run: takes plans, gives results. With a mutant it loads the simulator with that bug in it.

import { parentPort, workerData } from 'node:worker_threads'
import type { CountedPoint } from '../census.ts'
import type { Count, CrashRun } from '../crash-points.ts'
import type { Mutant } from '../mutants/mutant.ts'
import type { SimulationOptions } from '../own/simulate-applications.ts'
import type { Plan } from '../plan.ts'
import type { Chronicle } from '../report/chronicle.ts'
import type { RunResult } from '../simulate.ts'
import type { Listener } from '../trace.ts'
import { plantInThisThread } from './plant.ts'

/** No lines; lines; or each with what of the event goes into the hash: two events may read alike. */
export type Traced = 'no' | 'lines' | 'contents'

/** What a worker is asked and what it answers. */
export type Task =
  | { readonly kind: 'plan'; readonly plan: Plan; readonly trace: Traced }
  /** The crash points of a flow under a seed. */
  | { readonly kind: 'census'; readonly flow: string; readonly seed: number; readonly module: string | null }
  /** Where a second death can follow. */
  | { readonly kind: 'second-census'; readonly run: CrashRun }
  /** One run, told for a report. */
  | { readonly kind: 'record'; readonly plan: Plan }
export type Answer =
  | { readonly kind: 'result'; readonly result: RunResult; readonly lines: readonly string[] }
  | { readonly kind: 'points'; readonly points: readonly CountedPoint[] }
  | { readonly kind: 'chronicle'; readonly chronicle: Chronicle }
  /** The simulator itself failed. */
  | { readonly kind: 'error'; readonly seed: number; readonly text: string }

const given = parentPort === null ? (JSON.parse(process.argv[2] ?? '{}') as unknown) : workerData
const { mutant = null } = given as { readonly mutant?: Mutant | null }
if (mutant !== null) plantInThisThread(mutant)

if (parentPort === null) {
  process.on('message', (task: Task) => void answer(task).then((result) => process.send?.(result)))
  // Ctrl-C reaches the whole group; the parent says when this ends, by closing the channel.
  process.on('SIGINT', () => undefined)
} else {
  const port = parentPort
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  port.on('message', (task: Task) => void answer(task).then((result) => port.postMessage(result)))
}

async function answer(task: Task): Promise<Answer> {
  try {
    if (task.kind === 'census') {
      const { countOf } = await import('../crash-points.ts')
      return { kind: 'points', points: await counted(countOf(task.flow, task.seed, task.module)) }
    }
    if (task.kind === 'second-census') {
      const { secondCountOf } = await import('../crash-points.ts')
      return { kind: 'points', points: await counted(secondCountOf(task.run)) }
    }
    if (task.kind === 'record') {
      const { Recorder } = await import('../report/recorder.ts')
      const recorder = new Recorder()
      const result = await run(task.plan, { listen: recorder.listen, witness: recorder })
      return { kind: 'chronicle', chronicle: recorder.chronicle(task.plan, result) }
    }
    const lines: string[] = []
    const listen: Listener = (line, content) =>
      lines.push(task.trace === 'contents' ? `${line} #${(content >>> 0).toString(16)}` : line)
    const result = await run(task.plan, { listen: task.trace === 'no' ? null : listen })
    return { kind: 'result', result, lines }
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { kind: 'error', seed: seedOf(task), text }
  }
}

/** A plan with the simulator's applications, or a user's. */
async function run(plan: Plan, options: Omit<SimulationOptions, 'wait'>): Promise<RunResult> {
  // Nothing of the simulator is loaded before a mutant is planted.
  const { application } = plan
  if (typeof application !== 'object') {
    const { simulate } = await import('../simulate.ts')
    return simulate(plan, options.listen, options.census, options.witness)
  }
  const { bounded, loadSimulation } = await import('./own-module.ts')
  const { simulateApplications } = await import('../own/simulate-applications.ts')
  // What handlers say there is said a hundred times over here.
  for (const level of ['debug', 'info', 'log'] as const) console[level] = () => undefined
  return simulateApplications(await loadSimulation(application.module), plan, { ...options, wait: bounded })
}

async function counted({ plan, census, points }: Count): Promise<readonly CountedPoint[]> {
  const { failure } = await run(plan, { census })
  return points(failure)
}

function seedOf(task: Task): number {
  if (task.kind === 'plan' || task.kind === 'record') return task.plan.seed
  return task.kind === 'census' ? task.seed : task.run.seed
}
