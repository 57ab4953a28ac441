// Looks for a bug's counterexample with the bug in: a thread, because what is loaded is loaded.

import { parentPort, workerData } from 'node:worker_threads'
import { must } from '../../src/base/assert.ts'
import type { Mutant } from '../../sim/mutants/mutant.ts'
import { plantInThisThread } from '../../sim/run/plant.ts'
import type { Search } from './properties.ts'

/** What this thread is asked. */
export interface BugHunt {
  readonly mutant: Mutant
  readonly options: Search
}

const { mutant, options } = workerData as BugHunt
plantInThisThread(mutant)
const { properties, search } = await import('./properties.ts')
const property = must(
  properties.find(({ promise }) => promise === mutant.promise),
  'a property for each bug',
)
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(await search(property, options))
