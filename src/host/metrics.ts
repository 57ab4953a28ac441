// Prometheus text: the replica's own numbers, and the process's by prom-client.

import { collectDefaultMetrics, Registry } from 'prom-client'

export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly value: number
  readonly buckets?: readonly (readonly [bound: number | null, count: number])[]
}

export interface ProcessMetrics {
  readonly contentType: string
  text(): Promise<string>
}

/** Begins to watch this process (memory, CPU, the loop's delay); once per process. */
export function watchProcess(): ProcessMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

const PREFIX = 'holdfast_'

/** Under our prefix, with what a name may not hold replaced. */
export function renderMetrics(metrics: readonly Metric[]): string {
  const lines: string[] = []
  for (const { name: bare, help, type, value, buckets } of metrics) {
    const name = PREFIX + bare.replaceAll(/[^a-zA-Z0-9_:]/g, '_')
    const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
    lines.push(`# HELP ${name} ${escaped}`, `# TYPE ${name} ${type}`)
    if (buckets === undefined) lines.push(`${name} ${value}`)
    else lines.push(...renderHistogram(name, value, buckets))
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Prometheus counts all at or below a bound. */
function renderHistogram(name: string, sum: number, buckets: NonNullable<Metric['buckets']>): readonly string[] {
  let count = 0
  const lines = buckets.map(([bound, own]) => `${name}_bucket{le="${bound ?? '+Inf'}"} ${(count += own)}`)
  return [...lines, `${name}_sum ${sum}`, `${name}_count ${count}`]
}

/** Whether a reply's body is what `renderMetrics` takes. */
export function isMetrics(body: unknown): body is readonly Metric[] {
  return (
    Array.isArray(body) &&
    body.every((item: Partial<Metric> | null) => typeof item?.name === 'string' && typeof item.value === 'number')
  )
}
