// One thread of a long run: takes plans, gives results. With a mutant it loads the simulator with that bug in it.

import { parentPort, workerData } from 'node:worker_threads'
import type { CountedPoint } from '../census.ts'
import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import type { RunResult } from '../simulate.ts'
import { plantInThisThread } from './plant.ts'

/** What a thread is asked and what it answers. */
export type Task =
  | { readonly kind: 'plan'; readonly plan: Plan; readonly trace: boolean }
  /** The crash points of a flow under a seed. */
  | { readonly kind: 'census'; readonly flow: string; readonly seed: number }
export type Answer =
  | { readonly kind: 'result'; readonly result: RunResult; readonly lines: readonly string[] }
  | { readonly kind: 'points'; readonly points: readonly CountedPoint[] }
  /** The simulator itself failed. */
  | { readonly kind: 'error'; readonly seed: number; readonly text: string }

const { mutant } = workerData as { readonly mutant: Mutant | null }
if (mutant !== null) plantInThisThread(mutant)

parentPort?.on('message', (task: Task) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  void answer(task).then((given) => parentPort?.postMessage(given))
})

async function answer(task: Task): Promise<Answer> {
  try {
    if (task.kind === 'census') {
      const { crashPointsOf } = await import('../crash-points.ts')
      return { kind: 'points', points: crashPointsOf(task.flow, task.seed) }
    }
    const { simulate } = await import('../simulate.ts')
    const lines: string[] = []
    const result = simulate(task.plan, task.trace ? (line) => lines.push(line) : null)
    return { kind: 'result', result, lines }
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { kind: 'error', seed: task.kind === 'plan' ? task.plan.seed : task.seed, text }
  }
}
