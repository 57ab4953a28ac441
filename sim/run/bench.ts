// One thread that stays: a plan in, its result out. For what runs one plan after another, each by what the last one gave.

import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import type { RunResult } from '../simulate.ts'
import { threadLane } from './pool.ts'

export interface Bench {
  run(plan: Plan): Promise<RunResult>
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
    close: () => lane.end(),
  }
}
