// `--marks`: which rare moments a run of seeds reached. One that a long run never reaches is a hole in the simulator.

import { marks } from '../marks/list.ts'
import type { MarkTotal } from './tally.ts'

/** From this many seeds on every mark must have been reached. */
const longRun = 1_000

type Totals = Readonly<Record<string, MarkTotal>>

/** A line a mark: times, seeds, floor in a thousand seeds, what it is. */
export function markTable(totals: Totals): string {
  const row = (name: string, times: string, seeds: string, floor: string, story: string): string =>
    `${name.padEnd(28)}${times.padStart(9)}${seeds.padStart(9)}${floor.padStart(9)}  ${story}\n`
  const rows = marks.map(({ name, floor, story }) => {
    const { times, seeds } = totals[name] ?? { times: 0, seeds: 0 }
    return row(name, String(times), String(seeds), String(floor), story)
  })
  return row('mark', 'times', 'in seeds', 'floor', 'a thousand seeds reach the floor, or CI fails') + rows.join('')
}

/** The marks that `seeds` seeds should have reached and did not; empty for a short run. */
export function unreached(totals: Totals, seeds: number): readonly string[] {
  if (seeds < longRun) return []
  return marks.filter(({ name }) => (totals[name]?.times ?? 0) === 0).map(({ name }) => name)
}
