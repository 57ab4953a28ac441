// Prometheus text: the replica's own numbers, and the process's by prom-client.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

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

/** The loop's delay is looked at so often. By default prom-client does it a hundred times a second, which was three quarters of the
 * wake-ups of an idle replica (decision 0048). */
export const delayTickMs = 100
/** So that prom-client's own look, which can't be turned off, never comes. */
const neverMs = 2 ** 31 - 1

/** Begins to watch this process (memory, CPU, the loop's delay); once per process. */
export function watchProcess(): ProcessMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: neverMs })
  for (const part of ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99']) {
    registry.removeSingleMetric(`nodejs_eventloop_lag_${part}_seconds`)
  }
  watchDelay(registry)
  return { contentType: registry.contentType, text: () => registry.metrics() }
}

/** How late the loop came since it was asked last, under prom-client's names, whose values have the tick itself in them. */
function watchDelay(registry: Registry): void {
  const delay = monitorEventLoopDelay({ resolution: delayTickMs })
  delay.enable()
  const late = (nanos: number): number => Math.max(0, nanos / 1e9 - delayTickMs / 1_000)
  const name = (part: string): string => `nodejs_eventloop_lag_${part}_seconds`
  const most = new Gauge({ name: name('max'), help: 'How late the event loop was at most.', registers: [] })
  const p99 = new Gauge({
    name: name('p99'),
    help: 'How late the event loop was at most, in 99 of 100 looks at it.',
    registers: [],
    collect() {
      p99.set(late(delay.percentile(99)))
      most.set(late(delay.max))
      delay.reset()
    },
  })
  // In this order they are read: the first one reads for both.
  registry.registerMetric(p99)
  registry.registerMetric(most)
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
