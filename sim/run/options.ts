// The command line of `holdfast sim` (see --help).

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { crashFlows, flowOf, pairFlows, readRun, settingFlows } from '../crash-points.ts'
import type { CrashRun } from '../crash-points.ts'
import { appFlowNames, flowNames, forkFlowNames, lifetimeFlowNames, reliableFlowNames } from '../flows.ts'
import { mutants } from '../mutants/list.ts'
import type { Mutant } from '../mutants/mutant.ts'
import { scenarios } from '../scenarios.ts'
import type { Scenario } from '../scenarios.ts'
import { scheduleNamed } from '../schedules.ts'
import type { Schedule } from '../schedules.ts'
import { unfit } from './option-fit.ts'

export interface SimOptions {
  readonly what:
    | { readonly kind: 'seeds'; readonly first: number; readonly last: number }
    | { readonly kind: 'scenario'; readonly scenario: Scenario }
    | { readonly kind: 'schedule'; readonly schedule: Schedule; readonly first: number; readonly last: number }
    /** A user's applications: the module of their simulation. */
    | { readonly kind: 'own'; readonly own: string; readonly first: number; readonly last: number }
    | { readonly kind: 'replay'; readonly file: string }
    | { readonly kind: 'mutants'; readonly mutants: readonly Mutant[]; readonly first: number; readonly last: number }
    | {
        readonly kind: 'crash-points'
        readonly flows: readonly string[]
        /** Pauses and one-way cuts too, not kills alone. */
        readonly away: boolean
        /** Flows with a second death too. */
        readonly pairs: readonly string[]
        /** Seeds: each has another leader, owner and way in. */
        readonly first: number
        readonly last: number
        /** Just this one. */
        readonly only: CrashRun | null
        /** The module of a user's simulation, whose calls they are; null = the catalogue's. Whether it has such calls is seen when it is loaded. */
        readonly own: string | null
      }
    | { readonly kind: 'speed'; readonly first: number; readonly last: number }
    /** Seeds from that one on until time is up. */
    | { readonly kind: 'minutes'; readonly minutes: number; readonly first: number }
    | { readonly kind: 'list' }
    | { readonly kind: 'help' }
  readonly trace: string | null
  readonly json: boolean
  /** The table of `--mutants` for docs/SIMULATION.md. */
  readonly markdown: boolean
  /** Whether a failing plan is made smaller before it is shown. */
  readonly shrink: boolean
  /** Whether the moment is looked for from which on a failing run was lost. */
  readonly doom: boolean
  readonly html: string | null
  /** Print which rare moments were reached. */
  readonly marks: boolean
  /** With mutants: how likely a seed finds each. */
  readonly detect: boolean
}

export const help = `holdfast sim - runs replica sets in virtual time with faults drawn from seeds, and checks every promise

  --seed N            one seed
  --seeds A-B         many; default 1-20
  --minutes N         seeds from 1 (or from that of --seed) until time is up, with progress; ends with what may be claimed
  --scenario NAME     a named plan instead of a drawn one; or a schedule: a kind of plan, drawn from each seed
  --own FILE          calls of applications of your own, with their seeds or --crash-points: FILE exports what defineSimulation made
  --replay FILE       a plan that failed, from the file that was written then
  --crash-points      kills a replica at every moment between two effects of each of some twenty flows
  --crash-points=all  of every flow, and stops it and cuts it off there as well; and pairs, as below
  --crash-points=pairs
                      of the five shortest flows, and then one again at every moment until the first one serves again
  --crash-points=FLOW of one flow, also FLOW-banned, FLOW-detached, FLOW-compacted, FLOW-joined; FLOW/SEED/REPLICA/INPUT/PLACE/HOW, and +REPLICA/INPUT/PLACE/HOW: that one moment
  --mutants           plants each known bug in turn and looks for the seed that finds it; --markdown: as a table
  --mutant NAME       plants one of them
  --detect            with these: runs seeds until five have found it, and says how many find it with 95 %
  --speed             simulated seconds a second and runs a second on one core, without calls, with 1 and with 20 a second
  --trace FILE        writes what happened, a line an event (of the first failing seed, or of the only one)
  --no-shrink         shows a failing plan as it was drawn, not the smallest one that fails the same way
  --marks             how often the seeds reached each rare moment; a thousand seeds that never reach one exit with 1
  --html FILE         writes a page with the time line and the ladders of the failing run, or of the only one
  --doom              of a failing run: from which moment on it fails whatever else is drawn
  --json              one JSON object as the last line
  --list              flows, scenarios and mutants
  --help              this page

Each seed runs twice, the second time in another process and in reverse order, and must give the same trace. With --mutants the seeds are
those that are tried for each, default 1-400, and then crash points. With --crash-points each seed has another leader, owner
and way in; default 1-3 (pairs: the first of them).
A plan that fails is shrunk (calls, faults and rates taken out while the same promise breaks), printed as a scenario for
sim/scenarios.ts, and written to failure-seed-N.json.
Exit: 0 nothing found, 1 the simulator broke, 2 a promise was broken, 3 no convergence, 64 wrong usage.
`

const definitions = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  speed: { type: 'boolean' },
  minutes: { type: 'string' },
  scenario: { type: 'string' },
  own: { type: 'string' },
  mutants: { type: 'boolean' },
  mutant: { type: 'string' },
  trace: { type: 'string' },
  marks: { type: 'boolean' },
  detect: { type: 'boolean' },
  json: { type: 'boolean' },
  markdown: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  'crash-points': { type: 'string' },
  html: { type: 'string' },
  replay: { type: 'string' },
  'no-shrink': { type: 'boolean' },
  doom: { type: 'boolean' },
} as const

interface Range {
  readonly first: number
  readonly last: number
}

/** Seeds of crash points unless --seeds says otherwise. */
const crashSeeds = { first: 1, last: 3 }
/** Seeds that speed is measured with unless --seeds says otherwise. */
const speedSeeds = { first: 1, last: 5 }
/** Plans of all seeds are drawn first, and are in memory. */
const seedsMost = 100_000
/** Seeds tried for a mutant unless --seeds says otherwise. */
const mutantSeeds = { first: 1, last: 400 }

/** The options, or what is wrong with them. */
export function readSimOptions(args: readonly string[]): SimOptions | string {
  // `--crash-points` may stand alone.
  const plain = args.map((arg) => (arg === '--crash-points' ? '--crash-points=' : arg))
  let values: Readonly<Record<string, string | boolean | undefined>>
  try {
    values = parseArgs({ args: plain, options: definitions, strict: true }).values
  } catch (error) {
    const text = error instanceof Error ? error.message.replace(/^Unknown/, 'unknown').split(/\.\s/)[0] : String(error)
    return `${text}; holdfast sim --help lists the options`
  }
  const what = readWhat(values)
  if (typeof what === 'string') return what
  const complaint = unfit(what, values)
  if (complaint !== null) return complaint
  return {
    what,
    trace: (values['trace'] as string | undefined) ?? null,
    json: values['json'] === true,
    markdown: values['markdown'] === true,
    shrink: values['no-shrink'] !== true,
    doom: values['doom'] === true,
    html: (values['html'] as string | undefined) ?? null,
    marks: values['marks'] === true,
    detect: values['detect'] === true,
  }
}

function readWhat(values: Readonly<Record<string, string | boolean | undefined>>): SimOptions['what'] | string {
  if (values['help'] === true) return { kind: 'help' }
  if (values['list'] === true) return { kind: 'list' }
  const { seed, seeds, minutes, scenario, mutant, replay, own } = values as Readonly<Record<string, string | undefined>>
  const crash = values['crash-points'] as string | undefined
  const modes = [
    crash === undefined ? null : '--crash-points',
    values['mutants'] === true ? '--mutants' : null,
    values['speed'] === true ? '--speed' : null,
    mutant === undefined ? null : '--mutant',
  ]
  const plans = [
    minutes === undefined ? null : '--minutes',
    scenario === undefined ? null : '--scenario',
    replay === undefined ? null : '--replay',
    own === undefined || crash !== undefined ? null : '--own',
  ]
  const chosen = [...modes, ...plans].filter((name) => name !== null)
  if (chosen.length > 1) return `${chosen.join(' and ')} exclude each other`
  if (seed !== undefined && seeds !== undefined) return '--seed and --seeds exclude each other'
  if (minutes !== undefined) return readMinutes(minutes, seed, seeds)
  if (replay !== undefined) return { kind: 'replay', file: replay }
  const range = readRange(seed, seeds)
  if (typeof range === 'string') return range
  if (scenario !== undefined) return readScenario(scenario, range)
  if (crash !== undefined)
    return own === undefined ? readCrashPoints(crash, range) : readOwnCrashPoints(own, crash, range)
  if (own !== undefined) return { kind: 'own', own: resolve(own), ...(range ?? { first: 1, last: 20 }) }
  if (values['speed'] === true) return { kind: 'speed', ...(range ?? speedSeeds) }
  if (chosen.length === 0) return { kind: 'seeds', ...(range ?? { first: 1, last: 20 }) }
  const planted = mutant === undefined ? mutants : mutants.filter(({ name }) => name === mutant)
  if (planted.length === 0) return `no mutant is named "${mutant}"; holdfast sim --list shows them`
  return { kind: 'mutants', mutants: planted, ...(range ?? mutantSeeds) }
}

function readCrashPoints(value: string, range: Range | null): SimOptions['what'] | string {
  const kind = 'crash-points'
  const seeds = range ?? crashSeeds
  const kills = { kind, away: false, pairs: [], only: null, own: null, ...seeds } as const
  if (value === '') return { ...kills, flows: crashFlows }
  const all = [
    ...flowNames,
    ...reliableFlowNames,
    ...forkFlowNames,
    ...lifetimeFlowNames,
    ...appFlowNames,
    ...settingFlows,
  ]
  if (value === 'all') return { ...kills, flows: all, away: true, pairs: pairFlows }
  if (value === 'pairs') return { ...kills, flows: pairFlows, pairs: pairFlows, last: seeds.first }
  if (all.includes(flowOf(value))) return { ...kills, flows: [value] }
  const only = readRun(value)
  if (only === null) {
    return `--crash-points=${value} is neither "all" nor "pairs" nor a flow nor FLOW/SEED/REPLICA/INPUT/PLACE/HOW; holdfast sim --list shows the flows`
  }
  return { ...kills, flows: [only.flow], first: only.seed, last: only.seed, only }
}

/** Of a user's simulation: all of its calls, or those of one name, or one moment. */
function readOwnCrashPoints(file: string, value: string, range: Range | null): SimOptions['what'] {
  const own = resolve(file)
  const only = readRun(value, () => true)
  const common = { kind: 'crash-points', pairs: [], own } as const
  if (only !== null)
    return {
      ...common,
      away: false,
      flows: [only.flow],
      first: only.seed,
      last: only.seed,
      only: { ...only, module: own },
    }
  const flows = value === '' || value === 'all' ? [] : [value]
  return { ...common, away: value === 'all', flows, only, ...(range ?? crashSeeds) }
}

function readScenario(name: string, range: Range | null): SimOptions['what'] | string {
  const schedule = scheduleNamed(name)
  if (schedule !== undefined) return { kind: 'schedule', schedule, ...(range ?? { first: 1, last: 20 }) }
  const scenario = scenarios.find((one) => one.name === name)
  return scenario === undefined
    ? `no scenario is named "${name}"; holdfast sim --list shows them`
    : { kind: 'scenario', scenario }
}

function readMinutes(
  minutes: string,
  seed: string | undefined,
  seeds: string | undefined,
): SimOptions['what'] | string {
  const from = readRange(seed, undefined)
  if (typeof from === 'string') return from
  if (seeds !== undefined) return '--minutes and --seeds exclude each other; --seed N is the first one'
  const match = /^[0-9]{1,4}(?:\.[0-9]{1,2})?$/.exec(minutes)
  if (match === null || Number(minutes) === 0) return `--minutes wants a number as 60 or 0.5, not "${minutes}"`
  return { kind: 'minutes', minutes: Number(minutes), first: from?.first ?? 1 }
}

function readRange(seed: string | undefined, seeds: string | undefined): Range | string | null {
  if (seed !== undefined) {
    const match = /^[0-9]{1,9}$/.exec(seed)
    return match === null ? `--seed wants a number, not "${seed}"` : { first: Number(seed), last: Number(seed) }
  }
  if (seeds === undefined) return null
  const match = /^([0-9]{1,9})-([0-9]{1,9})$/.exec(seeds)
  if (match === null) return `--seeds wants a range as 1-100, not "${seeds}"`
  const [first, last] = [Number(match[1]), Number(match[2])]
  if (last - first >= seedsMost)
    return `--seeds ${seeds}: at most ${seedsMost} in one run; --minutes N goes on until time is up`
  return first <= last ? { first, last } : `--seeds ${seeds}: the first is above the last`
}
