// One thread that stays: a plan in, its result out. For what runs one plan after another, each by what the last one gave.

import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import type { Chronicle } from '../report/chronicle.ts'
import type { RunResult } from '../simulate.ts'
import { threadLane } from './pool.ts'

export interface Bench {
  run(plan: Plan): Promise<RunResult>
  /** The same, with all that happened. */
  record(plan: Plan): Promise<Chronicle>
  close(): Promise<unknown>
}

export function openBench(mutant: Mutant | null): Bench {
  const lane = threadLane(mutant)
  return {
    async run(plan) {
      const answer = await lane.ask({ kind: 'plan', plan, trace: 'no' })
      if (answer.kind === 'result') return answer.result
      throw new Error(answer.kind === 'error' ? answer.text : `a worker answered ${answer.kind} to a plan`)
    },
    async record(plan) {
      const answer = await lane.ask({ kind: 'record', plan })
      if (answer.kind === 'chronicle') return answer.chronicle
      throw new Error(answer.kind === 'error' ? answer.text : `a worker answered ${answer.kind} to a record`)
    },
    close: () => lane.end(),
  }
}
