// The table of `npm run interop`, as docs/MEASUREMENTS.md has it.

import type { Outcome, Software } from './software.ts'

const HEADER = [
  'software',
  'role',
  'transport',
  'calls: answered, ringing',
  'kills: calls that the dead one owned, phones that it held',
  'survived',
  'cut: answered, ringing',
  'lost',
]

export function row(software: Software, outcome: Outcome): readonly string[] {
  const { answered, ringing, kills, survived, cut, lost, note } = outcome
  const deaths = kills.map(({ led, owned, held }) => `${led ? 'leader' : 'follower'} ${owned}, ${held}`)
  return [
    `${software.name} ${software.version()}`,
    `${software.role}${note === undefined ? '' : ` (${note})`}`,
    software.transport,
    `${answered}, ${ringing}`,
    `${kills.length}: ${deaths.join('; ')}`,
    `${survived}`,
    `${cut.answered}, ${cut.ringing}`,
    `${lost.length}`,
  ]
}

export function printTable(rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(HEADER), line(HEADER.map(() => '---')), ...rows.map(line)].join('\n')
}
