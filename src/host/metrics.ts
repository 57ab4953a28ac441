// Prometheus text: the replica's own numbers, and the process's by prom-client.

import { collectDefaultMetrics, Registry } from 'prom-client'

export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  readonly value: number
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
  for (const { name: bare, help, type, value } of metrics) {
    const name = PREFIX + bare.replaceAll(/[^a-zA-Z0-9_:]/g, '_')
    const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
    lines.push(`# HELP ${name} ${escaped}`, `# TYPE ${name} ${type}`, `${name} ${value}`)
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** Whether a reply's body is what `renderMetrics` takes. */
export function isMetrics(body: unknown): body is readonly Metric[] {
  return (
    Array.isArray(body) &&
    body.every((item: Partial<Metric> | null) => typeof item?.name === 'string' && typeof item.value === 'number')
  )
}
