// Prometheus text about applications: a sample for each of them.

import type { ApplicationStatus } from './applications.ts'

type Figure = (application: ApplicationStatus) => number

const METRICS: readonly (readonly [name: string, type: 'counter' | 'gauge', help: string, figure: Figure])[] = [
  ['turns_total', 'counter', 'Turns of handlers that came back with an answer.', ({ turns }) => turns],
  [
    'failures_total',
    'counter',
    'Turns of handlers that failed: thrown, late, or their worker ended.',
    ({ failures }) => failures,
  ],
  ['restarts_total', 'counter', 'Workers that ended and were started again.', ({ restarts }) => restarts],
  ['versions', 'gauge', 'Versions side by side.', ({ versions }) => versions.length],
  [
    'open_calls',
    'gauge',
    'Handlers that are waited for.',
    ({ versions }) => versions.reduce((sum, { open }) => sum + open, 0),
  ],
]

/** '' without applications. */
export function applicationMetrics(applications: readonly ApplicationStatus[]): string {
  if (applications.length === 0) return ''
  return METRICS.map(([name, type, help, figure]) => {
    const full = `holdfast_application_${name}`
    const samples = applications.map((one) => `${full}{application="${one.name}"} ${figure(one)}\n`)
    return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${samples.join('')}`
  }).join('')
}
