// Which options mean something together. What would be ignored is refused, with what does it instead.

import type { SimOptions } from './options.ts'

type Kind = SimOptions['what']['kind'] | 'all mutants' | 'detection'
type Given = Readonly<Record<string, string | boolean | undefined>>

const plans: readonly Kind[] = ['seeds', 'scenario', 'schedule', 'replay', 'own']
const failing: readonly Kind[] = [...plans, 'minutes', 'crash-points', 'mutants']

/** Options that not every kind of run has, the kinds that do, and what to do otherwise. */
const fits: readonly (readonly [option: string, kinds: readonly Kind[], instead: string])[] = [
  [
    'trace',
    [...plans, 'crash-points'],
    'a failing seed is written to failure-seed-N.json: --replay failure-seed-N.json --trace FILE',
  ],
  ['html', failing, '--mutant NAME --html FILE shows one'],
  ['doom', failing, '--mutant NAME --doom tells it of one'],
  ['no-shrink', failing, 'nothing is shrunk here: leave it out'],
  ['marks', [...plans, 'minutes'], '--seeds A-B --marks counts them'],
  ['markdown', ['mutants', 'all mutants'], '--mutants --markdown is the table'],
  ['detect', ['detection'], 'it goes with --mutants or --mutant NAME'],
]

/** What doesn't go together, and the fix; null = everything given has a meaning. */
export function unfit(what: SimOptions['what'], given: Given): string | null {
  const { kind } = what
  if (kind === 'help' || kind === 'list') return null
  const isOne = kind === 'mutants' && given['mutant'] !== undefined
  const own: Kind =
    given['detect'] === true && kind === 'mutants' ? 'detection' : kind === 'mutants' && !isOne ? 'all mutants' : kind
  for (const [option, kinds, instead] of fits) {
    if (given[option] !== undefined && !kinds.includes(own))
      return `--${option} has no meaning ${whereOf(own)}; ${instead}`
  }
  if (given['markdown'] === true && given['json'] === true) return '--markdown and --json exclude each other'
  return unusedSeeds(what, given)
}

function whereOf(kind: Kind): string {
  switch (kind) {
    case 'all mutants':
      return 'with --mutants'
    case 'mutants':
      return 'with --mutant'
    case 'detection':
      return 'with --detect'
    case 'seeds':
    case 'list':
    case 'help':
      return 'with seeds'
    case 'schedule':
      return 'with --scenario'
    default:
      return `with --${kind}`
  }
}

/** Seeds where nothing is drawn from them. */
function unusedSeeds(what: SimOptions['what'], given: Given): string | null {
  const option = given['seeds'] !== undefined ? '--seeds' : given['seed'] !== undefined ? '--seed' : null
  if (option === null) return null
  if (what.kind === 'scenario')
    return `--scenario ${what.scenario.name} is one plan, which no seed changes: leave ${option} out`
  if (what.kind === 'replay') return `--replay runs the plan of its file: leave ${option} out`
  if (what.kind !== 'crash-points') return null
  if (what.only !== null) return `the seed of a crash point is in its name: leave ${option} out`
  const isPairs = given['crash-points'] === 'pairs'
  return isPairs && option === '--seeds' ? '--crash-points=pairs runs one seed: --seed N' : null
}
