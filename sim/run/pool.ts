// Runs over threads, one at a time each. Results come in any order.

import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import type { Answer, Task } from './worker.ts'

// In the published package it is JavaScript.
const workerFile = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'

export interface PoolOptions {
  readonly mutant: Mutant | null
  /** Given each answer as it comes, with its task's place; false = no more are to be started. */
  onAnswer(answer: Answer, at: number): boolean
}

/** The plans as tasks. */
export function plansAsTasks(plans: readonly Plan[], trace = false): readonly Task[] {
  return plans.map((plan) => ({ kind: 'plan', plan, trace }))
}

export function seedsOf(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** Runs the tasks in their order on fresh threads, and ends those. */
export async function runPool(tasks: Iterable<Task>, options: PoolOptions): Promise<void> {
  const queue = tasks[Symbol.iterator]()
  let goOn = true
  let taken = 0
  const next = (): { readonly task: Task; readonly at: number } | null => {
    const item = goOn ? queue.next() : null
    return item === null || item.done === true ? null : { task: item.value, at: taken++ }
  }
  const serve = async (first: NonNullable<ReturnType<typeof next>>): Promise<void> => {
    const worker = new Worker(new URL(workerFile, import.meta.url), { workerData: { mutant: options.mutant } })
    try {
      for (let item: ReturnType<typeof next> = first; item !== null; item = next()) {
        if (!options.onAnswer(await ask(worker, item.task), item.at)) goOn = false
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
