// `--crash-points`: counts every crash point of some flows, and runs each one. Exhaustive, not sampled.

import { crashPlan, crashRunsOf, nameOfRun } from '../crash-points.ts'
import type { CrashRun } from '../crash-points.ts'
import type { Failure, RunResult } from '../simulate.ts'
import { combineHashes } from '../trace.ts'
import { reportFailure } from './failure-report.ts'
import type { Interrupted } from './interrupted.ts'
import type { SimOptions } from './options.ts'
import { plansAsTasks, runPool, seedsOf } from './pool.ts'
import { Progress } from './progress.ts'
import { failureLine } from './tally.ts'
import type { Summary } from './tally.ts'
import { writeTrace } from './trace-file.ts'
import type { Answer } from './worker.ts'

type CrashPoints = Extract<SimOptions['what'], { kind: 'crash-points' }>

interface Row {
  readonly flow: string
  points: number
  readonly results: RunResult[]
}

interface Found {
  readonly run: CrashRun
  readonly failure: Failure
  readonly result: RunResult
}

export async function runCrashPoints(
  what: CrashPoints,
  options: SimOptions,
  interrupted: Interrupted,
): Promise<'nothing' | Failure['kind']> {
  const { json, trace } = options
  const rows = new Map<string, Row>(what.flows.map((flow) => [flow, { flow, points: 0, results: [] }]))
  const runs = what.only === null ? await allRuns(what, rows) : [what.only]
  const progress = new Progress(runs.length)
  let failed: (Found & { readonly at: number }) | null = null
  let done = 0
  const onAnswer = (answer: Answer, at: number): boolean => {
    const run = runs[at] as CrashRun
    if (answer.kind === 'error') throw new Error(`${nameOfRun(run)}: ${answer.text}`)
    if (answer.kind !== 'result') return true
    const { failure } = answer.result
    rows.get(run.flow)?.results.push(answer.result)
    if (failure !== null && (failed === null || at < failed.at)) failed = { run, failure, result: answer.result, at }
    progress.show('crash points', ++done, null)
    return failed === null && !interrupted.yes
  }
  await runPool(plansAsTasks(runs.map(crashPlan)), { mutant: null, onAnswer })
  progress.end()
  // The compiler doesn't see that the callback sets it.
  const found = failed as Found | null
  const shown = found?.run ?? what.only
  if (trace !== null && shown !== null) await writeTrace(crashPlan(shown), trace)
  const summary = summaryOf([...rows.values()], progress.seconds, found)
  if (!json) process.stdout.write(table([...rows.values()], what, summary))
  if (found !== null) {
    await reportFailure({ plan: crashPlan(found.run), result: found.result, mutant: null }, options, interrupted)
    const place = json ? process.stderr : process.stdout
    place.write(`${nameOfRun(found.run)}: ${failureLine(found.failure)}\n${replayOf(found.run)}\n`)
  }
  if (json) process.stdout.write(`${JSON.stringify(summary)}\n`)
  return found === null ? 'nothing' : found.failure.kind
}

async function allRuns(what: CrashPoints, rows: ReadonlyMap<string, Row>): Promise<readonly CrashRun[]> {
  const places = what.flows.flatMap((flow) =>
    seedsOf(what.first, what.last).map((seed) => ({ kind: 'census' as const, flow, seed })),
  )
  const runs: (readonly CrashRun[])[] = []
  const onAnswer = (answer: Answer, at: number): boolean => {
    const { flow, seed } = places[at] as (typeof places)[number]
    if (answer.kind === 'error') throw new Error(answer.text)
    if (answer.kind !== 'points') return true
    runs[at] = crashRunsOf(flow, seed, answer.points, what.away)
    const row = rows.get(flow)
    if (row !== undefined) row.points += answer.points.length
    return true
  }
  await runPool(places, { mutant: null, onAnswer })
  return runs.flat()
}

function replayOf(run: CrashRun): string {
  return `holdfast sim --crash-points=${nameOfRun(run)} --trace trace.txt`
}

function sum(results: readonly RunResult[], of: (result: RunResult) => number): number {
  return results.reduce((total, result) => total + of(result), 0)
}

function summaryOf(rows: readonly Row[], wallSeconds: number, found: Found | null): Summary {
  const results = rows.flatMap((row) => row.results)
  const hashes = results.map(({ traceHash }) => traceHash).sort()
  return {
    seeds: new Set(results.map(({ seed }) => seed)).size,
    calls: sum(results, ({ calls }) => calls),
    kills: sum(results, ({ kills }) => kills),
    faults: sum(results, ({ faults }) => faults),
    lost: sum(results, ({ lost }) => lost),
    excused: sum(results, ({ excused }) => excused),
    transportResets: sum(results, ({ transportResets }) => transportResets),
    mutant: null,
    events: sum(results, ({ events }) => events),
    simulatedSeconds: sum(results, ({ simulatedSeconds }) => simulatedSeconds),
    wallSeconds: Math.round(wallSeconds * 10) / 10,
    traceHash: combineHashes(hashes),
    failure: found === null ? null : { ...found.failure, replay: replayOf(found.run) },
    flows: rows.length,
    crashPoints: rows.reduce((total, { points }) => total + points, 0),
    runs: results.length,
  }
}

function table(rows: readonly Row[], { first, last, only, away }: CrashPoints, summary: Summary): string {
  if (only !== null) return `${nameOfRun(only)}\n`
  const line = (flow: string, numbers: readonly (number | string)[]): string =>
    `${flow.padEnd(26)}${numbers.map((number) => String(number).padStart(14)).join('')}\n`
  const how = away
    ? 'killed (tail kept, tail lost), stopped for 5 s, cut off each way for 5 s'
    : 'killed (tail kept, tail lost)'
  return [
    `seeds ${first}-${last}; at each crash point a replica is ${how}; a tail only where something was unsynced\n`,
    line('flow', ['crash points', 'runs', 'lost', 'excused']),
    ...rows.map(({ flow, points, results }) =>
      line(flow, [points, results.length, sum(results, (r) => r.lost), sum(results, (r) => r.excused)]),
    ),
    line(`${summary.flows} flows`, [summary.crashPoints ?? 0, summary.runs ?? 0, summary.lost, summary.excused]),
    `${summary.simulatedSeconds} s simulated in ${summary.wallSeconds} s\n`,
    ...(away ? ['pairs of kills are not built yet\n'] : []),
  ].join('')
}
