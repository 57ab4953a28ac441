// A failing plan as a file: what `--replay` takes. The trace's hash in it tells whether the same happens again.

import { readFile, writeFile } from 'node:fs/promises'
import { mutants } from '../mutants/list.ts'
import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import type { Failing } from './shrinker.ts'

interface PlanFile {
  readonly promise: string
  readonly mutant: string | null
  readonly traceHash: string
  readonly plan: Plan
}

export interface Recorded {
  readonly plan: Plan
  readonly mutant: Mutant | null
  readonly promise: string
  readonly traceHash: string
}

export async function writePlan(
  file: string,
  { plan, result, failure }: Failing,
  mutant: Mutant | null,
): Promise<void> {
  const { promise } = failure
  const content: PlanFile = { promise, mutant: mutant?.name ?? null, traceHash: result.traceHash, plan }
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`)
}

/** The recorded plan, or what is wrong with the file. */
export async function readPlan(file: string): Promise<Recorded | string> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    return `--replay ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`
  }
  let content: Partial<PlanFile> | null
  try {
    content = JSON.parse(text) as Partial<PlanFile> | null
  } catch {
    return `--replay ${file} is no JSON; it wants the file that a failing run wrote`
  }
  const { plan, mutant = null, promise = '', traceHash = '' } = content ?? {}
  if (!isPlan(plan)) {
    return `--replay ${file} has no plan in it; it wants the file that a failing run wrote`
  }
  const planted = mutants.find(({ name }) => name === mutant)
  if (mutant !== null && planted === undefined) return `--replay ${file}: no mutant is named "${mutant}" any more`
  return { plan, mutant: planted ?? null, promise, traceHash }
}

/** Enough to tell a plan, one that was cut short too, from other JSON: what it holds was drawn, not typed. */
function isPlan(value: unknown): value is Plan {
  if (typeof value !== 'object' || value === null) return false
  const plan = value as Readonly<Record<string, unknown>>
  const parts = ['udp', 'address', 'peer', 'disk', 'raft', 'loop', 'clock']
  const isWhole = parts.every((name) => typeof plan[name] === 'object' && plan[name] !== null)
  const isCounted = ['seed', 'replicas', 'safetyUntil'].every((name) => Number.isInteger(plan[name]))
  return isWhole && isCounted && isListOf('flow', plan['calls']) && isListOf('kind', plan['faults'])
}

function isListOf(name: string, value: unknown): boolean {
  const has = (item: unknown): boolean => typeof item === 'object' && item !== null && name in item
  return Array.isArray(value) && value.every(has)
}
