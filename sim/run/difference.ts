// Two runs of one seed that differ: where they part. Both are run again with their events told, each in a process of its own:
// one alone, one after other seeds, for what differs may be what an earlier run left behind.

import type { Mutant } from '../mutants/mutant.ts'
import type { Plan } from '../plan.ts'
import { plansAsTasks, runPool } from './pool.ts'
import type { Answer } from './worker.ts'

/** Lines shown before the two part, and after. */
const shownBefore = 3
const shownAfter = 5

export interface Difference {
  /** The first event that is not the same, from 1. */
  readonly event: number
  /** What both have, and then what each has. */
  readonly common: readonly string[]
  readonly first: readonly string[]
  readonly second: readonly string[]
}

/** Where two lists of events part; null = nowhere. */
export function differenceOf(first: readonly string[], second: readonly string[]): Difference | null {
  const length = Math.max(first.length, second.length)
  let at = 0
  while (at < length && first[at] === second[at]) at++
  if (at === length) return null
  return {
    event: at + 1,
    common: first.slice(Math.max(0, at - shownBefore), at),
    first: first.slice(at, at + shownAfter),
    second: second.slice(at, at + shownAfter),
  }
}

/** What a reader needs to know of a plan whose runs differed; `others` ran before it in one of them. */
export async function tellDifference(plan: Plan, others: readonly Plan[], mutant: Mutant | null): Promise<string> {
  const alone = await eventsOf([plan], mutant)
  for (const before of [[], others]) {
    const difference = differenceOf(alone, await eventsOf([...before, plan], mutant))
    if (difference === null) continue
    const how = before.length === 0 ? 'alone too' : `after seeds ${before.map(({ seed }) => seed).join(', ')}`
    return describe(difference, plan.seed, how)
  }
  return `seed ${plan.seed} gives the same events alone and after others now: what differed came from outside, and seldom\n`
}

function describe({ event, common, first, second }: Difference, seed: number, how: string): string {
  const window = `${Math.floor((event - 1) / 1_000) * 1_000 + 1} to ${Math.ceil(event / 1_000) * 1_000}`
  const rows = (sign: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [`${sign} (it is over)`] : lines.map((line) => `${sign} ${line}`)
  return [
    `two runs of seed ${seed} part at event ${event} (of events ${window}); 1 = alone, 2 = ${how}, # = what is hashed`,
    ...common.map((line) => `  ${line}`),
    ...rows('1', first),
    ...rows('2', second),
    '',
  ].join('\n')
}

/** The events of the last of some plans, run one after another in one process. */
async function eventsOf(plans: readonly Plan[], mutant: Mutant | null): Promise<readonly string[]> {
  let lines: readonly string[] = []
  const onAnswer = (answer: Answer): boolean => {
    if (answer.kind === 'result') lines = answer.lines
    return true
  }
  const [last] = plansAsTasks(plans.slice(-1), 'contents')
  const tasks = [...plansAsTasks(plans.slice(0, -1)), ...(last === undefined ? [] : [last])]
  await runPool(tasks, { mutant, place: 'processes', lanes: 1, onAnswer })
  return lines
}
