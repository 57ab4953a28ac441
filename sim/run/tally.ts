// What a run of many seeds adds up to.

import { marks } from '../marks/list.ts'
import type { Failure, RunResult } from '../simulate.ts'
import { combineHashes, formatTime } from '../trace.ts'
import type { CrashRow } from './crash-tally.ts'

export interface MutantVerdict {
  readonly name: string
  readonly room: string
  readonly story: string
  readonly found: boolean
  /** Runs until it was found, or all that were tried: of the schedule that it names, then seeds, then crash points. */
  readonly schedule: string | null
  readonly schedules: number
  readonly seeds: number
  readonly crashPoints: number
  readonly caughtBy: string | null
  readonly seconds: number
}

/** How often a rare moment was reached, and in how many seeds. */
export interface MarkTotal {
  readonly times: number
  readonly seeds: number
}

export interface Summary {
  readonly seeds: number
  readonly calls: number
  readonly kills: number
  readonly faults: number
  readonly lost: number
  readonly excused: number
  readonly transportResets: number
  readonly mutant: string | null
  readonly events: number
  readonly simulatedSeconds: number
  readonly wallSeconds: number
  readonly traceHash: string
  readonly failure: (Failure & { readonly replay: string }) | null
  /** Ctrl-C came before the end: this is what was done by then. */
  readonly interrupted?: boolean
  /** By name: all of them, reached or not. */
  readonly marks?: Readonly<Record<string, MarkTotal>>
  readonly mutants?: readonly MutantVerdict[]
  readonly flows?: number
  readonly crashPoints?: number
  readonly runs?: number
  readonly perFlow?: readonly CrashRow[]
}

/** What broke, in one line. */
export function failureLine({ seed, promise, at, text }: Failure): string {
  return `seed ${seed} broke ${promise} at ${formatTime(at).trim()} s: ${text}`
}

export class Tally {
  readonly #results = new Map<number, RunResult>()
  /** The first by seed, of what failed and of what was not the same twice. */
  #failed: Failure | null = null
  #unequal: Failure | null = null

  get done(): number {
    return this.#results.size
  }

  get kills(): number {
    return this.#sum((result) => result.kills)
  }

  get calls(): number {
    return this.#sum((result) => result.calls)
  }

  /** The failure of the lowest seed, or null. */
  get failure(): Failure | null {
    return this.#failed ?? this.#unequal
  }

  /** What the seed's first run gave. */
  resultOf(seed: number): RunResult | null {
    return this.#results.get(seed) ?? null
  }

  add(result: RunResult): void {
    this.#results.set(result.seed, result)
    this.#failed = firstOf(this.#failed, result.failure)
  }

  /** The same seed, run again elsewhere. */
  compare(again: RunResult): void {
    const first = this.#results.get(again.seed)
    if (first === undefined || first.traceHash === again.traceHash) return
    const mark = first.hashes.findIndex((hash, i) => hash !== again.hashes[i])
    const where =
      mark < 0 ? 'after the last thousand events' : `between events ${mark * 1_000} and ${(mark + 1) * 1_000}`
    const text = `two runs gave ${first.traceHash} and ${again.traceHash}; they part ${where}`
    const failure = { promise: 'determinism', at: 0, text, call: null, seed: again.seed, kind: 'safety' } as const
    this.#unequal = firstOf(this.#unequal, failure)
  }

  summary(mutant: string | null, wallSeconds: number, replay: (failure: Failure) => string): Summary {
    const results = this.#sorted()
    const { failure } = this
    return {
      seeds: results.length,
      calls: this.calls,
      kills: this.kills,
      faults: this.#sum((result) => result.faults),
      lost: this.#sum((result) => result.lost),
      excused: this.#sum((result) => result.excused),
      transportResets: this.#sum((result) => result.transportResets),
      mutant,
      events: this.#sum((result) => result.events),
      simulatedSeconds: this.#sum((result) => result.simulatedSeconds),
      wallSeconds: Math.round(wallSeconds * 10) / 10,
      traceHash: combineHashes(results.map(({ traceHash }) => traceHash)),
      failure: failure === null ? null : { ...failure, replay: replay(failure) },
    }
  }

  /** By name, in the list's order; zero is told too. */
  marks(): Readonly<Record<string, MarkTotal>> {
    const results = this.#sorted()
    const totals = marks.map(({ name }) => {
      const counts = results.map((result) => result.marks[name] ?? 0).filter((count) => count > 0)
      return [name, { times: counts.reduce((sum, count) => sum + count, 0), seeds: counts.length }] as const
    })
    return Object.fromEntries(totals)
  }

  #sum(of: (result: RunResult) => number): number {
    let sum = 0
    for (const result of this.#results.values()) sum += of(result)
    return sum
  }

  #sorted(): readonly RunResult[] {
    return [...this.#results.values()].sort((a, b) => a.seed - b.seed)
  }
}

function firstOf(one: Failure | null, other: Failure | null): Failure | null {
  return one === null || (other !== null && other.seed < one.seed) ? other : one
}
