// `--trace FILE`: one run again, a line an event.

import { writeFile } from 'node:fs/promises'
import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import { plansAsTasks, runPool } from './pool.ts'
import type { Answer } from './worker.ts'

const legend =
  '# true time in seconds, then: "A ~> B  message" a datagram leaves, "~> [n]" it reaches replica n;\n' +
  '# "[n] -> [m]" a frame leaves, "[n] <- life" it arrives; "[n] writes" to disk, "[n] persisted" it is synced\n'

export async function writeTrace(plan: Plan, file: string, mutant: Mutant | null = null): Promise<void> {
  const onAnswer = (answer: Answer): boolean => {
    if (answer.kind === 'result') lines = answer.lines
    return true
  }
  let lines: readonly string[] = []
  await runPool(plansAsTasks([plan], 'lines'), { mutant, onAnswer })
  await writeFile(file, `${legend}${lines.join('\n')}\n`)
}
