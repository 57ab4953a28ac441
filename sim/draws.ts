// Keyed randomness (proof.md): each decision is a function of the seed and of what it is about, never the next number of a
// shared stream. So taking one fault out of a plan leaves all other decisions alone, and a failing plan can shrink.

import { mixText } from '../src/base/hash.ts'

export interface Draw {
  /** An integer in [0, bound) for this decision. */
  below(bound: number, ...about: readonly number[]): number
  /** An integer in [low, high]. */
  within(low: number, high: number, ...about: readonly number[]): number
  /** True in `perMillion` of a million cases. */
  chance(perMillion: number, ...about: readonly number[]): boolean
}

/** The decisions of one kind under one seed; `kind` says in words what they are about. */
export function draw(seed: number, kind: string): Draw {
  const { high, low } = mixText(seed, kind)
  const fraction = (about: readonly number[]): number => {
    let a = high
    let b = low
    for (const part of about) {
      // Two 16-bit-safe halves, so that times above 2^32 us count whole.
      a = Math.imul(a ^ (part >>> 0), 0x9e3779b1)
      b = Math.imul(b ^ Math.floor(part / 0x1_0000_0000) ^ (a >>> 15), 0x85ebca77) + (a | 0)
    }
    let mixed = a ^ (b >>> 3) ^ Math.imul(b, 0x27d4eb2f)
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000
  }
  return {
    below: (bound, ...about) => Math.floor(fraction(about) * bound),
    within: (least, most, ...about) => least + Math.floor(fraction(about) * (most - least + 1)),
    chance: (perMillion, ...about) => fraction(about) * 1_000_000 < perMillion,
  }
}

/** What a draw about a time is about: its millisecond, so that a fault that moves all that follows by less does not make every
 * draw another one. */
export function moment(us: number): number {
  return Math.floor(us / 1_000)
}

/** What draws are made from: a seed, and where a run is drawn again, another one from some time on (doom.ts). */
export interface DrawSource {
  readonly seed: number
  readonly redrawn?: { readonly at: number; readonly seed: number } | undefined
}

/** The decisions of one kind in a run; `now` is its true time. */
export function drawInRun({ seed, redrawn }: DrawSource, kind: string, now: () => number): Draw {
  const early = draw(seed, kind)
  if (redrawn === undefined) return early
  const late = draw(redrawn.seed, kind)
  const current = (): Draw => (now() < redrawn.at ? early : late)
  return {
    below: (bound, ...about) => current().below(bound, ...about),
    within: (least, most, ...about) => current().within(least, most, ...about),
    chance: (perMillion, ...about) => current().chance(perMillion, ...about),
  }
}

/** `length` bytes that depend on the seed and on what they are about. */
export function drawBytes(seed: number, kind: string, length: number): Uint8Array {
  const bytes = draw(seed, kind)
  return Uint8Array.from({ length }, (_, i) => bytes.below(256, i))
}

/** `length` lower-case hexadecimal digits, at most 16. */
export function drawHex(seed: number, kind: string, length: number): string {
  const { high, low } = mixText(seed, kind)
  return (high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')).slice(0, length)
}
