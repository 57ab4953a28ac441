// `npm run app-deaths`: replicas killed with -9 in the turns of applications (a proxy, a B2BUA), and what came of their calls.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { launchSet, root } from '../cluster/replica-set.ts'
import { Scene } from '../cluster/scene.ts'
import { Gate } from './gate.ts'
import { DEATHS, GATE } from './order.ts'
import { rowsOf } from './rows.ts'
import type { ApplicationName, Row } from './rows.ts'
import { HTTP_PORT, playWave } from './wave.ts'
import type { Theatre, WaveOutcome } from './wave.ts'

const USAGE = `npm run app-deaths -- [--calls 100] [--deaths 1] [--at-once 24] [--only a,b,c,d,e,f] [--applications proxied,two-legs]

  --calls         calls in whose turn a replica dies, at least, for each row of the table
  --deaths        deaths, at least, for each row of the table
  --at-once       calls side by side; a third of them, about, is the dying replica's
  --only          rows: a inside a handler, b between handler and commit, c between commit and send, d in a timer callback,
                  e in the HTTP handler, f there the replica that was asked instead of the owner
  --applications  proxied, two-legs (a B2BUA): each has a set of its own, both at the same time
`

/** Addresses of each one's set. */
const SLOTS: Readonly<Record<ApplicationName, number>> = { proxied: 226, 'two-legs': 227 }

interface Wish {
  readonly calls: number
  readonly deaths: number
  readonly atOnce: number
  readonly only: readonly string[]
  readonly applications: readonly ApplicationName[]
}

interface RowOutcome {
  readonly application: ApplicationName
  readonly row: Row
  readonly waves: readonly WaveOutcome[]
  /** Why it was given up. */
  readonly failure: string | null
}

function wishOf(args: readonly string[]): Wish | 'help' {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { calls: text, deaths: text, 'at-once': text, only: text, applications: text, help: { type: 'boolean' } },
  })
  if (values.help === true) return 'help'
  return {
    calls: countOf('calls', values.calls ?? '100', 10_000),
    deaths: countOf('deaths', values.deaths ?? '1', 10_000),
    atOnce: countOf('at-once', values['at-once'] ?? '24', 200),
    only: (values.only ?? 'a,b,c,d,e,f').split(','),
    applications: (values.applications ?? 'proxied,two-legs').split(',').map((word) => {
      if (word === 'proxied' || word === 'two-legs') return word
      throw new Error(`--applications ${word}: proxied, two-legs, or both with a comma`)
    }),
  }
}

function countOf(name: string, text: string, most: number): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= most) return count
  throw new Error(`--${name} ${text}: a number from 1 to ${most}`)
}

/** All rows of one application, at one set whose replicas die again and again. */
async function playAll(application: ApplicationName, slot: number, wish: Wish): Promise<readonly RowOutcome[]> {
  const scene = new Scene(slot)
  const gate = new Gate()
  const deaths = join(scene.folder, 'deaths.txt')
  writeFileSync(deaths, '')
  const outcomes: RowOutcome[] = []
  try {
    const theatre = await open(application, scene, gate, deaths)
    let nth = slot * 1_000
    for (const row of rowsOf(application).filter(({ key }) => wish.only.includes(key))) {
      const waves: WaveOutcome[] = []
      let failure: string | null = null
      const isPlayed = (): boolean => sumOf(waves, 'calls') >= wish.calls && waves.length >= wish.deaths
      for (let i = 0; !isPlayed() && failure === null; i++) {
        const scenario = row.scenarios[i % row.scenarios.length]
        if (scenario === undefined) break
        try {
          waves.push(await playWave(theatre, scenario, ++nth, wish.atOnce))
        } catch (error) {
          failure = `${scenario.turn}, ${scenario.place}: ${(error as Error).message}\n${scene.story().slice(-6_000)}`
        }
      }
      const outcome = { application, row, waves, failure }
      outcomes.push(outcome)
      process.stderr.write(`${application}, ${row.name}: ${storyOf(outcome)}\n`)
      if (failure !== null) break
    }
    await theatre.set.statuses(
      'all counters are zero again',
      120_000,
      ({ groups, entities, timers, intents, calls }) =>
        groups + entities + timers.pending + intents.open + calls.early + calls.confirmed === 0,
    )
    await theatre.set.converged(20_000)
  } finally {
    gate.close()
    await scene.end()
  }
  return outcomes
}

async function open(application: ApplicationName, scene: Scene, gate: Gate, deaths: string): Promise<Theatre> {
  const { place } = scene
  const host = place.admin.split(':')[0] ?? ''
  await gate.open(host)
  const file = (name: string): string => fileURLToPath(new URL(`${name}.ts`, import.meta.url))
  const env = { NODE_OPTIONS: `--import ${file('preload')}`, [GATE]: gate.url, [DEATHS]: deaths }
  const set = scene.adopt(
    launchSet({ place, restart: '1', extra: ['--app', file(application), '--http', `${host}:${HTTP_PORT}`], env }),
  )
  await set.event('ready', 60_000, ({ event }) => event === 'ready')
  await set.statuses('all serve', 60_000, ({ serving, formats }) => serving.length === 3 && formats.active > 1)
  return { set, place, gate, application, deaths }
}

function sumOf(waves: readonly WaveOutcome[], of: 'calls' | 'again'): number {
  return waves.reduce((sum, wave) => sum + wave[of], 0)
}

/** Calls of which that is to be said. */
function callsWith({ waves }: RowOutcome, kind: string): number {
  return new Set(waves.flatMap(({ faults }) => faults.filter((one) => one.kind === kind).map(({ call }) => call))).size
}

function storyOf(outcome: RowOutcome): string {
  const { waves, failure } = outcome
  const faults = waves.flatMap((wave) =>
    wave.faults.map(({ kind, call, text }) => `${kind}: ${call}: ${wave.scenario}: ${text}`),
  )
  const [lost, doubled, state] = ['lost', 'doubled', 'state'].map((kind) => callsWith(outcome, kind))
  const said = `${sumOf(waves, 'calls')} calls, ${waves.length} deaths, ${lost} lost, ${doubled} doubled, ${state} in a wrong state`
  return [said, ...(failure === null ? [] : [`GIVEN UP: ${failure}`]), ...faults.slice(0, 40)].join('\n  ')
}

function tableOf(outcomes: readonly RowOutcome[], atOnce: number): string {
  const rows = outcomes.map((outcome) => {
    const { application, row, waves, failure } = outcome
    const leaders = waves.filter(({ isLeader }) => isLeader).length
    const [lost, doubled, state] = ['lost', 'doubled', 'state'].map((kind) => callsWith(outcome, kind))
    const name = application === 'proxied' ? 'proxy' : 'B2BUA'
    const end = failure === null ? '' : ' GIVEN UP'
    return `| ${row.key} | ${row.name} | ${name} | ${waves.length * atOnce} | ${sumOf(waves, 'calls')} | ${waves.length}, ${leaders} |  ${sumOf(waves, 'again')} | ${lost} | ${doubled} | ${state}${end} |`
  })
  return [
    '| | the replica dies | application | calls in all | of those at that moment | deaths, of them of the leader | handlers that ran again | lost | doubled | wrong state |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

async function main(): Promise<number> {
  let wish: Wish | 'help'
  try {
    wish = wishOf(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
    return 64
  }
  if (wish === 'help') {
    process.stdout.write(USAGE)
    return 0
  }
  const { applications, atOnce } = wish
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root }).toString().trim()
  const before = loadavg()[0] ?? 0
  const wanted = wish
  const all = await Promise.all(applications.map((one) => playAll(one, SLOTS[one], wanted)))
  const outcomes = all.flat()
  const load = `${before.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after`
  const about = `${new Date().toISOString().slice(0, 16)} UTC, commit ${commit}, load ${load}`
  process.stdout.write(`${about}\n\n${tableOf(outcomes, atOnce)}`)
  return outcomes.every(({ waves, failure }) => failure === null && waves.every(({ faults }) => faults.length === 0))
    ? 0
    : 1
}

// What it started ends with it (programs.ts).
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.exitCode = await main()
