// What the hunt for planted bugs found, as lines while it goes on and as a table for docs/SIMULATION.md.

import type { Mutant } from '../mutants/mutant.ts'
import type { MutantVerdict } from './tally.ts'

export function verdictOf(
  { name, room, schedule, story }: Mutant,
  { tried }: { readonly tried: Pick<MutantVerdict, 'seeds' | 'schedules' | 'crashPoints' | 'caughtBy'> },
  seconds: number,
): MutantVerdict {
  const found = tried.caughtBy !== null
  return { name, room, schedule: schedule ?? null, story, found, ...tried, seconds: Math.round(seconds * 10) / 10 }
}

export const verdictHead = row(['mutant', 'room', 'runs needed', 'caught by', 'seconds'])

export function verdictLine(verdict: MutantVerdict): string {
  return row([verdict.name, verdict.room, needed(verdict), verdict.caughtBy ?? 'SURVIVED', verdict.seconds.toFixed(1)])
}

function row([name = '', room = '', runs = '', by = '', seconds = '']: readonly string[]): string {
  return `${name.padEnd(38)} ${room.padEnd(12)} ${runs.padEnd(36)} ${by.padEnd(12)} ${seconds.padStart(7)}\n`
}

/** The table of docs/SIMULATION.md. */
export function verdictTable(verdicts: readonly MutantVerdict[], seconds: number): string {
  const found = verdicts.filter((verdict) => verdict.found).length
  return [
    '| mutant | room | what it does | runs needed | caught by |\n|---|---|---|---|---|\n',
    ...verdicts.map((verdict) => {
      const { name, room, story, caughtBy } = verdict
      return `| ${[name, room, story, needed(verdict), caughtBy ?? '**survived**'].join(' | ')} |\n`
    }),
    `\n${found} of ${verdicts.length} found in ${Math.round(seconds)} s.\n`,
  ].join('')
}

function needed({ schedules, schedule, seeds, crashPoints }: MutantVerdict): string {
  const parts = [
    schedules === 0 ? null : count(schedules, `of ${schedule}`, `of ${schedule}`),
    seeds === 0 ? null : count(seeds, 'seed', 'seeds'),
    crashPoints === 0 ? null : count(crashPoints, 'crash point', 'crash points'),
  ]
  return parts.filter((part) => part !== null).join(', then ')
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}
