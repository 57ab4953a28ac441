// Looks for a planted bug's counterexample in a thread of its own, because what is loaded is loaded: `findBug` is the test's end of
// it, `answerHunt` the thread's.

import { once } from 'node:events'
import { Worker, parentPort, workerData } from 'node:worker_threads'
import type { Mutant } from '../sim/mutants/mutant.ts'
import { plantInThisThread } from '../sim/run/plant.ts'

interface Hunt<Options> {
  readonly mutant: Mutant
  readonly options: Options
}

/** What the thread of that file finds with the bug in; null = nothing. */
export async function findBug<Options>(thread: URL, mutant: Mutant, options: Options): Promise<string | null> {
  const worker = new Worker(thread, { workerData: { mutant, options } satisfies Hunt<Options> })
  const [found] = (await once(worker, 'message')) as [string | null]
  await worker.terminate()
  return found
}

/** `search`: for what breaks that promise; it imports the product itself, with the bug in. */
export async function answerHunt<Options>(
  search: (promise: string | undefined, options: Options) => Promise<string | null>,
): Promise<void> {
  const { mutant, options } = workerData as Hunt<Options>
  plantInThisThread(mutant)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(await search(mutant.promise, options))
}
