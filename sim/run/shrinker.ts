// Shrinks a failing plan with fast-check: each simpler plan is run, and kept if it breaks the same promise.

import { asyncProperty, check } from 'fast-check'
import type { Failure, RunResult } from '../simulate.ts'
import type { Plan } from '../plan.ts'
import { plansBelow } from '../shrink.ts'
import type { Interrupted } from './interrupted.ts'

/** A plan that fails, and how. */
export interface Failing {
  readonly plan: Plan
  readonly result: RunResult
  readonly failure: Failure
}

export interface ShrinkOptions {
  /** Runs a plan, with the mutant in, if there is one. */
  run(plan: Plan): Promise<RunResult>
  readonly runsMost: number
  readonly secondsMost: number
  readonly interrupted: Interrupted
  onRun(runs: number, smallest: Plan): void
}

export interface Shrunk extends Failing {
  readonly runs: number
  /** It could not become simpler: every simpler plan was tried. */
  readonly isMinimal: boolean
}

/** The simplest plan found that breaks the promise which the given one breaks. */
export async function shrink(failing: Failing, options: ShrinkOptions): Promise<Shrunk> {
  const started = performance.now()
  let best = failing
  let runs = 0
  let isMinimal = true
  const mayGoOn = (): boolean =>
    runs < options.runsMost && performance.now() - started < options.secondsMost * 1_000 && !options.interrupted.yes
  const holds = async (plan: Plan): Promise<boolean> => {
    // The first value is the failing plan itself.
    if (plan === failing.plan) return false
    if (!mayGoOn()) {
      isMinimal = false
      return true
    }
    const result = await options.run(plan)
    const { failure } = result
    const isTheSame = failure !== null && failure.promise === failing.failure.promise
    if (isTheSame) best = { plan, result, failure }
    options.onRun(++runs, best.plan)
    return !isTheSame
  }
  await check(asyncProperty(plansBelow(failing.plan), holds), { numRuns: 1 })
  return { ...best, runs, isMinimal }
}
