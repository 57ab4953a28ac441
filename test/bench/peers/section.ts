// What a section of `npm run bench` is given, and what it makes.

import { join } from 'node:path'
import type { Phones } from './load.ts'
import type { Running, System } from './systems.ts'

export interface Wish {
  /** Pairs, from which medians are taken. */
  readonly pairs: number
  /** Of a slice. */
  readonly seconds: number
  /** Calls a second, for the sections that have several rates. */
  readonly rates: readonly number[]
  /** Live calls, for the sections that have some; null: as many as each of them has by itself. */
  readonly live: readonly number[] | null
  readonly kills: number
}

export interface Bench {
  readonly wish: Wish
  /** Ours first; the peers, unless they are missing or not wanted. */
  readonly systems: readonly System[]
  readonly phones: Phones
  readonly folder: string
  /** Of the section's steps. */
  readonly progress: Progress
}

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface Result {
  readonly title: string
  readonly tables: readonly Table[]
  /** Sentences below the tables. */
  readonly notes: readonly string[]
  /** SVG, by name. */
  readonly pictures: Readonly<Record<string, string>>
  /** Every figure, for the JSON. */
  readonly raw: unknown
}

export interface Progress {
  /** `steps` more are to come. */
  expect(steps: number): void
  step(what: string): void
}

export type Section = (bench: Bench) => Promise<Result>

/** Starts systems, and ends them however it goes. */
export async function withSystems<T>(
  { folder }: Bench,
  systems: readonly System[],
  use: (running: readonly Running[]) => Promise<T>,
): Promise<T> {
  const running: Running[] = []
  try {
    for (const system of systems) running.push(await system.start(join(folder, system.name)))
    return await use(running)
  } finally {
    await Promise.all(running.map((one) => one.stop()))
  }
}

/** Half a minute after its end nothing is left of a call (64*T1). */
export const REST_MS = 34_000

/** Code that runs for the first time is slow: for how long it runs before it counts, and at what rate at most. */
const WARM = { ours: 8, peer: 2, rate: 300 }

/** The calls that each got. */
export async function warmUp(
  { phones, progress }: Bench,
  running: readonly Running[],
  rate = WARM.rate,
): Promise<readonly number[]> {
  const calls: number[] = []
  for (const one of running) {
    progress.step(`${one.system.title} warms up`)
    const seconds = one.system.name.startsWith('ours') ? WARM.ours : WARM.peer
    const { stats } = await phones.load(one, { rate: Math.min(rate, WARM.rate), seconds })
    calls.push(stats.created)
  }
  return calls
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

/** `share` between 0 and 1. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** Of one system to another: the median of the ratios of each pair. */
export function ratio(ours: readonly number[], theirs: readonly number[] | undefined): string {
  if (theirs === undefined) return '-'
  const each = ours.flatMap((value, i) => {
    const other = theirs[i]
    return other === undefined || Number.isNaN(value) || Number.isNaN(other) ? [] : [value / other]
  })
  return each.length === 0 ? '-' : median(each).toFixed(2)
}

export function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '-'
}

/** `median (least to most)`. */
export function spread(values: readonly number[], show: (value: number) => string = whole): string {
  if (values.length === 0) return '-'
  return `${show(median(values))} (${show(Math.min(...values))} to ${show(Math.max(...values))})`
}
