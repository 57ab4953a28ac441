// Every plan twice: forwards on threads, then backwards in processes of their own. What a run takes from outside, from an
// earlier run or from the order of anything, comes otherwise the second time; the trace may not.

import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import { plansAsTasks, runPool } from './pool.ts'
import type { Tally } from './tally.ts'
import type { Answer } from './worker.ts'

/** Adds all results to the tally; stops at its first failure, or when `goOn` says so after a run. */
export async function runTwice(
  plans: readonly Plan[],
  tally: Tally,
  { mutant, goOn }: { readonly mutant: Mutant | null; goOn(): boolean },
): Promise<void> {
  const taking = (take: (answer: Answer & { kind: 'result' }) => void) => (answer: Answer) => {
    if (answer.kind === 'error') throw new Error(`seed ${answer.seed}: ${answer.text}`)
    if (answer.kind === 'result') take(answer)
    return goOn() && tally.failure === null
  }
  const tasks = plansAsTasks(plans)
  await runPool(tasks, { mutant, onAnswer: taking(({ result }) => tally.add(result)) })
  if (tally.failure !== null || tally.done < plans.length) return
  await runPool(tasks.toReversed(), {
    mutant,
    place: 'processes',
    onAnswer: taking(({ result }) => tally.compare(result)),
  })
}
