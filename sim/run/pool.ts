// Plans over threads, one plan at a time each. Results come in any order.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import type { Answer, Task } from './worker.ts'

// In the published package it is JavaScript.
const workerFile = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'

export interface PoolOptions {
  readonly mutant: Mutant | null
  readonly trace: boolean
  /** Given each answer as it comes; false = no more plans are to be started. */
  onAnswer(answer: Answer): boolean
}

/** Runs the plans in their order on fresh threads, and ends those. */
export async function runPool(plans: Iterable<Plan>, options: PoolOptions): Promise<void> {
  const queue = plans[Symbol.iterator]()
  let goOn = true
  const next = (): Plan | null => {
    const item = goOn ? queue.next() : null
    return item === null || item.done === true ? null : item.value
  }
  const serve = async (first: Plan): Promise<void> => {
    const worker = new Worker(new URL(workerFile, import.meta.url), { workerData: { mutant: options.mutant } })
    try {
      for (let plan: Plan | null = first; plan !== null; plan = next()) {
        const answer = await ask(worker, { plan, trace: options.trace })
        if (!options.onAnswer(answer)) goOn = false
      }
    } finally {
      await worker.terminate()
    }
  }
  const lanes: Promise<void>[] = []
  for (let i = 0; i < availableParallelism(); i++) {
    const first = next()
    if (first !== null) lanes.push(serve(first))
  }
  await Promise.all(lanes)
}

async function ask(worker: Worker, task: Task): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onMessage = (answer: Answer): void => settle(() => resolve(answer))
    const onError = (error: unknown): void => settle(() => reject(error as Error))
    const onExit = (code: number): void => settle(() => reject(new Error(`a worker ended with ${code}`)))
    const settle = (then: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      then()
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(task)
  })
}
