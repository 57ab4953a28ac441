// `--speed`: how fast the simulator is on one core, with the faults of seeds: runs in one thread, one after another, behind
// some that warm it up. Simulated seconds are those of whole runs, so also the quiet end in which everything must be forgotten.

import { loadPlan } from '../load.ts'
import { drawPlan } from '../plan.ts'
import type { Plan } from '../plan.ts'
import type { Failure, RunResult } from '../simulate.ts'
import type { Interrupted } from './interrupted.ts'
import type { SimOptions } from './options.ts'
import { plansAsTasks, runPool, seedsOf } from './pool.ts'
import { failureLine } from './tally.ts'
import type { Answer } from './worker.ts'

type Speed = Extract<SimOptions['what'], { kind: 'speed' }>

interface Sums {
  readonly load: string
  runs: number
  calls: number
  events: number
  simulatedSeconds: number
  wallSeconds: number
  /** Of all threads: the collector's and the compiler's too. Says more than the wall clock on a machine that others use. */
  cpuSeconds: number
}

const loads: readonly { readonly load: string; readonly plan: (seed: number) => Plan }[] = [
  { load: 'no calls', plan: (seed) => loadPlan(seed, 0) },
  { load: 'as seeds draw them', plan: drawPlan },
  { load: '1 call/s', plan: (seed) => loadPlan(seed, 1) },
  { load: '20 calls/s', plan: (seed) => loadPlan(seed, 20) },
]

export async function runSpeed(
  { first, last }: Speed,
  json: boolean,
  interrupted: Interrupted,
): Promise<'nothing' | Failure['kind']> {
  const seeds = seedsOf(first, last)
  const rows = loads.map(({ load }) => newSums(load))
  const warmUp = newSums('to warm up')
  const runs = [
    ...seeds.map((seed) => ({ sums: warmUp, plan: drawPlan(seed) })),
    ...loads.flatMap(({ plan }, at) => seeds.map((seed) => ({ sums: rows[at] ?? warmUp, plan: plan(seed) }))),
  ]
  const failures: Failure[] = []
  let watch = { wall: performance.now(), cpu: process.cpuUsage() }
  const onAnswer = (answer: Answer, at: number): boolean => {
    if (answer.kind === 'error') throw new Error(answer.text)
    if (answer.kind !== 'result') return true
    const now = { wall: performance.now(), cpu: process.cpuUsage() }
    const cpu = now.cpu.user + now.cpu.system - watch.cpu.user - watch.cpu.system
    add(runs[at]?.sums ?? warmUp, answer.result, (now.wall - watch.wall) / 1_000, cpu / 1_000_000)
    watch = now
    if (answer.result.failure !== null) failures.push(answer.result.failure)
    return failures.length === 0 && !interrupted.yes
  }
  await runPool(plansAsTasks(runs.map(({ plan }) => plan)), { mutant: null, lanes: 1, onAnswer })
  if (!json) process.stdout.write(table(first, last, rows))
  const [failure = null] = failures
  if (failure !== null) (json ? process.stderr : process.stdout).write(`${failureLine(failure)}\n`)
  if (json)
    process.stdout.write(
      `${JSON.stringify({ seeds: seeds.length, speed: rows.map(figures), failure, interrupted: interrupted.yes })}\n`,
    )
  return failure === null ? 'nothing' : failure.kind
}

function newSums(load: string): Sums {
  return { load, runs: 0, calls: 0, events: 0, simulatedSeconds: 0, wallSeconds: 0, cpuSeconds: 0 }
}

function add(sums: Sums, result: RunResult, wallSeconds: number, cpuSeconds: number): void {
  sums.runs++
  sums.calls += result.calls
  sums.events += result.events
  sums.simulatedSeconds += result.simulatedSeconds
  sums.wallSeconds += wallSeconds
  sums.cpuSeconds += cpuSeconds
}

/** As --json has them. */
function figures(sums: Sums): Sums & { readonly simulatedPerWall: number; readonly simulatedPerCpu: number } & {
  readonly runsPerSecond: number
} {
  const { simulatedSeconds, wallSeconds, cpuSeconds, runs } = sums
  const per = (amount: number, seconds: number): number => Math.round((amount / Math.max(seconds, 0.001)) * 100) / 100
  return {
    ...sums,
    wallSeconds: Math.round(wallSeconds * 100) / 100,
    cpuSeconds: Math.round(cpuSeconds * 100) / 100,
    simulatedPerWall: Math.round(per(simulatedSeconds, wallSeconds)),
    simulatedPerCpu: Math.round(per(simulatedSeconds, cpuSeconds)),
    runsPerSecond: per(runs, wallSeconds),
  }
}

function table(first: number, last: number, rows: readonly Sums[]): string {
  const columns = [
    ['runs', 'runs'],
    ['calls', 'calls'],
    ['events', 'events'],
    ['simulated s', 'simulatedSeconds'],
    ['wall s', 'wallSeconds'],
    ['cpu s', 'cpuSeconds'],
    ['x wall', 'simulatedPerWall'],
    ['x cpu', 'simulatedPerCpu'],
    ['runs/s', 'runsPerSecond'],
  ] as const
  const cells = (name: string, rest: readonly (string | number)[]): string =>
    `${name.padEnd(20)}${rest.map((cell) => String(cell).padStart(13)).join('')}\n`
  return [
    `seeds ${first}-${last} with their faults, one thread\n`,
    cells(
      'load',
      columns.map(([title]) => title),
    ),
    ...rows.map(figures).map((row) =>
      cells(
        row.load,
        columns.map(([, key]) => row[key]),
      ),
    ),
  ].join('')
}
