// The table of a run.

import { notStaged } from './not-staged.ts'
import type { Failed } from './main.ts'
import type { Outcome } from './play.ts'

export function printOutcomes(outcomes: readonly (Outcome | Failed)[], about: string): string {
  const rows = outcomes.map((outcome) => {
    const { nth, name } = outcome.moment
    const head = `| ${nth} | ${name} | ${outcome.way.name} |`
    if ('failure' in outcome) return `${head} not staged | | | | | |`
    const { calls, victim, owned, lost, doubled, resets, again, unexplained } = outcome
    const explained = unexplained.length === 0 ? String(resets) : `${resets}, ${unexplained.length} UNEXPLAINED`
    return `${head} ${calls} | ${victim} | ${owned} | ${lost} | ${doubled} | ${explained} | ${again} |`
  })
  const others = notStaged.map(([nth, what, why, where]) => `| ${nth} | ${what} | ${why} | ${where} |`)
  return [
    about,
    '',
    '| | moment | | calls | victim | owned by it | lost | doubled | transport resets | asked again because of them |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    'A transport reset is a connection that ended under a phone. Each one here was held by a process that was killed.',
    '',
    '| | not staged with real processes | why | where it is |',
    '|---|---|---|---|',
    ...others,
    '',
  ].join('\n')
}
