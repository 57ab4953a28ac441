// One thread of a long run: takes plans, gives results. With a mutant it loads the simulator with that bug in it.

import { parentPort, workerData } from 'node:worker_threads'
import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import type { RunResult } from '../simulate.ts'
import { plantInThisThread } from './plant.ts'

/** What a thread is asked and what it answers. */
export interface Task {
  readonly plan: Plan
  /** Whether the trace is wanted. */
  readonly trace: boolean
}
export type Answer =
  | { readonly kind: 'result'; readonly result: RunResult; readonly lines: readonly string[] }
  /** The simulator itself failed. */
  | { readonly kind: 'error'; readonly seed: number; readonly text: string }

const { mutant } = workerData as { readonly mutant: Mutant | null }
if (mutant !== null) plantInThisThread(mutant)

parentPort?.on('message', (task: Task) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  void answer(task).then((given) => parentPort?.postMessage(given))
})

async function answer({ plan, trace }: Task): Promise<Answer> {
  try {
    const { simulate } = await import('../simulate.ts')
    const lines: string[] = []
    const result = simulate(plan, trace ? (line) => lines.push(line) : null)
    return { kind: 'result', result, lines }
  } catch (error) {
    return {
      kind: 'error',
      seed: plan.seed,
      text: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }
  }
}
