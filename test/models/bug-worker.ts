// Looks with a model for a planted bug: a thread, because what is loaded is loaded.

import { parentPort, workerData } from 'node:worker_threads'
import { must } from '../../src/base/assert.ts'
import type { Mutant } from '../../sim/mutants/mutant.ts'
import { plantInThisThread } from '../../sim/run/plant.ts'
import type { Search } from './model.ts'

/** What this thread is asked. */
export interface BugHunt {
  readonly mutant: Mutant
  readonly options: Search
}

const { mutant, options } = workerData as BugHunt
plantInThisThread(mutant)
const { models } = await import('./properties.ts')
const model = must(
  models.find(({ key }) => key === mutant.promise),
  'a model for each bug',
)
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(await model.find(options))
