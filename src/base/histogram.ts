// How long things took, counted by size: what many measurements come to, in little memory and in any order.

/** Upper bounds in microseconds: a step is at most twice the one before it where commits and calls lie, so that a quantile read
 * from the counts is off by less than that. What is longer than the last one is counted above it. */
export const timeBounds: readonly number[] = [
  250, 500, 1_000, 1_500, 2_000, 3_000, 4_000, 6_000, 8_000, 12_000, 16_000, 24_000, 32_000, 48_000, 64_000, 96_000,
  128_000, 192_000, 256_000, 384_000, 512_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, 16_000_000, 32_000_000,
]

export class Histogram {
  /** One for each bound, and one for what is above them all. */
  readonly #counts: number[] = [...timeBounds.map(() => 0), 0]
  #sum = 0

  add(micros: number): void {
    let low = 0
    let high = timeBounds.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((timeBounds[middle] as number) >= micros) high = middle
      else low = middle + 1
    }
    this.#counts[low] = (this.#counts[low] as number) + 1
    this.#sum += micros
  }

  /** Of all measurements, microseconds. */
  get sum(): number {
    return this.#sum
  }

  get counts(): readonly number[] {
    return [...this.#counts]
  }
}

/** The value that the given part of the measurements is at or below, in microseconds: between two bounds as if they lay evenly. Null:
 * there are none. */
export function quantile(counts: readonly number[], part: number): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all === 0) return null
  let below = 0
  for (const [i, count] of counts.entries()) {
    const [from, to] = [timeBounds[i - 1] ?? 0, timeBounds[i] ?? (timeBounds.at(-1) as number)]
    if (count > 0 && below + count >= part * all) return from + ((part * all - below) / count) * (to - from)
    below += count
  }
  return timeBounds.at(-1) as number
}
