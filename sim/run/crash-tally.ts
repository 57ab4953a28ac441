// What runs of crash points add up to, by flow.

import type { CrashRun } from '../crash-points.ts'
import { crashPlan, nameOfRun } from '../crash-points.ts'
import { describeFault } from '../fault.ts'
import type { Failure, RunResult } from '../simulate.ts'
import { combineHashes } from '../trace.ts'
import type { SimOptions } from './options.ts'
import type { Summary } from './tally.ts'

export type CrashPoints = Extract<SimOptions['what'], { kind: 'crash-points' }>

/** A flow's counts, as --json has them. */
export interface CrashRow {
  readonly flow: string
  crashPoints: number
  /** All of them, pairs included. */
  runs: number
  pairs: number
  lost: number
  excused: number
}

interface Found {
  readonly run: CrashRun
  readonly failure: Failure
  readonly result: RunResult
  readonly at: number
}

export class CrashTally {
  readonly #what: CrashPoints
  readonly #rows: ReadonlyMap<string, CrashRow>
  readonly #seeds = new Set<number>()
  readonly #hashes: string[] = []
  readonly #sums = { calls: 0, kills: 0, faults: 0, transportResets: 0, events: 0, simulatedSeconds: 0 }
  #found: Found | null = null

  constructor(what: CrashPoints) {
    this.#what = what
    const row = (flow: string): CrashRow => ({ flow, crashPoints: 0, runs: 0, pairs: 0, lost: 0, excused: 0 })
    this.#rows = new Map(what.flows.map((flow) => [flow, row(flow)]))
  }

  /** So many runs are done. */
  get runs(): number {
    return this.#hashes.length
  }

  /** The first run that failed, in the order of the runs. */
  get found(): Found | null {
    return this.#found
  }

  counted(flow: string, points: number): void {
    const row = this.#rows.get(flow)
    if (row !== undefined) row.crashPoints += points
  }

  add(run: CrashRun, at: number, result: RunResult): void {
    const { failure } = result
    if (failure !== null && (this.#found === null || at < this.#found.at)) this.#found = { run, failure, result, at }
    this.#seeds.add(result.seed)
    this.#hashes.push(result.traceHash)
    const sums = this.#sums
    sums.calls += result.calls
    sums.kills += result.kills
    sums.faults += result.faults
    sums.transportResets += result.transportResets
    sums.events += result.events
    sums.simulatedSeconds += result.simulatedSeconds
    const row = this.#rows.get(run.flow)
    if (row === undefined) return
    row.runs++
    if (run.strikes.length === 2) row.pairs++
    row.lost += result.lost
    row.excused += result.excused
  }

  summary(wallSeconds: number, replayOf: (run: CrashRun) => string): Summary {
    const rows = [...this.#rows.values()]
    const found = this.#found
    return {
      seeds: this.#seeds.size,
      ...this.#sums,
      lost: sum(rows, 'lost'),
      excused: sum(rows, 'excused'),
      mutant: null,
      wallSeconds: Math.round(wallSeconds * 10) / 10,
      traceHash: combineHashes(this.#hashes.toSorted()),
      failure: found === null ? null : { ...found.failure, replay: replayOf(found.run) },
      flows: rows.length,
      crashPoints: sum(rows, 'crashPoints'),
      runs: this.runs,
      perFlow: rows,
    }
  }

  #onlyLine(only: CrashRun, wallSeconds: number): string {
    const { simulatedSeconds, events, calls } = this.#sums
    const what = crashPlan(only).faults.map(describeFault).join('; then ')
    const outcome =
      this.runs === 0 ? 'not run' : this.#found === null ? 'every promise held' : `${this.#found.failure.promise} broke`
    const done = `${calls} call, ${events} events, ${simulatedSeconds} s simulated in ${wallSeconds.toFixed(1)} s`
    return `${nameOfRun(only)}\n${what}\n${outcome}: ${done}\n`
  }

  table(wallSeconds: number): string {
    const { first, last, only, away, pairs } = this.#what
    if (only !== null) return this.#onlyLine(only, wallSeconds)
    const names = ['crashPoints', 'runs', 'pairs', 'lost', 'excused'] as const
    const rows = [...this.#rows.values()]
    const line = (flow: string, cells: readonly (number | string)[]): string =>
      `${flow.padEnd(26)}${cells.map((cell) => String(cell).padStart(14)).join('')}\n`
    const how = away
      ? `killed (tail kept, tail lost), and under seed ${first} also stopped for 5 s and cut off each way for 5 s`
      : 'killed (tail kept, tail lost)'
    const simulated = this.#sums.simulatedSeconds
    return [
      `seeds ${first}-${last}; at each crash point a replica is ${how}; a tail only where something was unsynced\n`,
      pairs.length > 0 ? `pairs, seed ${first}: a second death anywhere before the first dead one serves again\n` : '',
      line('flow', ['crash points', 'runs', 'pairs of them', 'lost', 'excused']),
      ...rows.map((row) =>
        line(
          row.flow,
          names.map((name) => row[name]),
        ),
      ),
      line(
        `${rows.length} flows`,
        names.map((name) => sum(rows, name)),
      ),
      `${simulated} s simulated in ${wallSeconds.toFixed(1)} s (${Math.round(simulated / Math.max(wallSeconds, 0.1))}x, ${(this.runs / Math.max(wallSeconds, 0.1)).toFixed(1)} runs/s)\n`,
    ].join('')
  }
}

function sum(rows: readonly CrashRow[], name: Exclude<keyof CrashRow, 'flow'>): number {
  return rows.reduce((total, row) => total + row[name], 0)
}
