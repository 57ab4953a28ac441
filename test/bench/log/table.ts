// The figures side by side: one line for each system, durability and number of writes in flight; of several rounds the median.

import type { Keeping } from './system.ts'

export interface Row {
  readonly keeping: Keeping
  /** Writes in flight. */
  readonly slots: number
  readonly system: string
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Microseconds of processor time an operation: the three servers together, and the load. */
  readonly servers: number
  readonly load: number
}

const HEAD = '| kept in | in flight | | ops/s | p50, ms | p99, ms | servers, µs of CPU an op | load, µs an op |'

/** In the order in which the cases came first. */
export function printTable(rows: readonly Row[]): string {
  const cases = new Map<string, Row[]>()
  for (const row of rows) {
    const name = `${row.keeping} ${row.slots} ${row.system}`
    cases.set(name, [...(cases.get(name) ?? []), row])
  }
  const lines = [...cases.values()]
    .map((same) => same[0] as Row)
    .sort((a, b) => (a.keeping === b.keeping ? a.slots - b.slots : a.keeping > b.keeping ? -1 : 1))
    .map((first) => {
      const same = cases.get(`${first.keeping} ${first.slots} ${first.system}`) ?? []
      const of = (pick: (row: Row) => number): number => median(same.map(pick))
      const cells = [
        ...[first.keeping, String(first.slots), first.system],
        Math.round(of(({ perSecond }) => perSecond)).toLocaleString('en-US'),
        ...[of(({ p50 }) => p50).toFixed(2), of(({ p99 }) => p99).toFixed(2)],
        ...[of(({ servers }) => servers).toFixed(1), of(({ load }) => load).toFixed(1)],
      ]
      return `| ${cells.join(' | ')} |`
    })
  return [HEAD, '|---|---|---|---|---|---|---|---|', ...lines, ''].join('\n')
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
