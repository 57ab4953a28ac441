// Runs over all cores, one at a time each: on threads of this process, or in processes of their own. Results come in any order.

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import type { Answer, Task, Traced } from './worker.ts'

// In the published package it is JavaScript.
const workerFile = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'

/** A run makes much garbage and keeps little: with room for it the collector has less to copy. */
const youngMb = 64

export interface PoolOptions {
  readonly mutant: Mutant | null
  /** Threads of this process (the default), or processes, which share nothing with it. */
  readonly place?: 'threads' | 'processes'
  /** How many at most; default one a core. */
  readonly lanes?: number
  /** Given each answer as it comes, with its task's place; false = no more are to be started. */
  onAnswer(answer: Answer, at: number): boolean
}

/** The plans as tasks. */
export function plansAsTasks(plans: readonly Plan[], trace: Traced = 'no'): readonly Task[] {
  return plans.map((plan) => ({ kind: 'plan', plan, trace }))
}

export function seedsOf(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/** Something that takes one task at a time. */
export interface Lane {
  ask(task: Task): Promise<Answer>
  end(): Promise<unknown>
}

/** Runs the tasks in their order on fresh threads or processes, and ends those. */
export async function runPool(tasks: Iterable<Task>, options: PoolOptions): Promise<void> {
  const queue = tasks[Symbol.iterator]()
  let goOn = true
  let taken = 0
  const next = (): { readonly task: Task; readonly at: number } | null => {
    const item = goOn ? queue.next() : null
    return item === null || item.done === true ? null : { task: item.value, at: taken++ }
  }
  const serve = async (first: NonNullable<ReturnType<typeof next>>): Promise<void> => {
    const lane = options.place === 'processes' ? processLane(options.mutant) : threadLane(options.mutant)
    try {
      for (let item: ReturnType<typeof next> = first; item !== null; item = next()) {
        if (!options.onAnswer(await lane.ask(item.task), item.at)) goOn = false
      }
    } finally {
      await lane.end()
    }
  }
  const lanes: Promise<void>[] = []
  for (let i = 0; i < (options.lanes ?? availableParallelism()); i++) {
    const first = next()
    if (first !== null) lanes.push(serve(first))
  }
  await Promise.all(lanes)
}

/** A thread that takes tasks until it is ended. */
export function threadLane(mutant: Mutant | null): Lane {
  const resourceLimits = { maxYoungGenerationSizeMb: youngMb }
  const worker = new Worker(new URL(workerFile, import.meta.url), { workerData: { mutant }, resourceLimits })
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    ask: (task) => answerOf(worker, () => worker.postMessage(task)),
    end: () => worker.terminate(),
  }
}

function processLane(mutant: Mutant | null): Lane {
  const child = fork(new URL(workerFile, import.meta.url), [JSON.stringify({ mutant })], {
    serialization: 'advanced',
    execArgv: [...process.execArgv, `--max-semi-space-size=${youngMb / 4}`],
  })
  return {
    ask: (task) => answerOf(child, () => child.send(task)),
    end: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve(null)
        child.once('exit', resolve)
        child.disconnect()
      }),
  }
}

function answerOf(lane: Worker | ChildProcess, send: () => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const onMessage = (answer: Answer): void => settle(() => resolve(answer))
    const onError = (error: unknown): void => settle(() => reject(error as Error))
    const onExit = (code: number | null): void => settle(() => reject(new Error(`a worker ended with ${code}`)))
    const settle = (then: () => void): void => {
      lane.off('message', onMessage).off('error', onError).off('exit', onExit)
      then()
    }
    lane.on('message', onMessage).on('error', onError).on('exit', onExit)
    send()
  })
}
