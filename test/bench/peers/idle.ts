// What a set takes that has nothing to do: after some calls, whose code is compiled and of which nothing is left.

import { setTimeout as pause } from 'node:timers/promises'
import { barChart } from './svg.ts'
import { REST_MS, warmUp, whole, withSystems } from './section.ts'
import type { Bench, Result } from './section.ts'

const WATCH_MS = 20_000
const MEGABYTE = 1 << 20

export async function idle(bench: Bench): Promise<Result> {
  const { systems, progress } = bench
  progress.expect(systems.length + 2)
  const found = await withSystems(bench, systems, async (running) => {
    await warmUp(bench, running)
    progress.step('what is left of the calls')
    await pause(REST_MS)
    progress.step('at rest')
    const before = running.map((one) => one.cpu())
    const from = performance.now()
    await pause(WATCH_MS)
    const micros = (performance.now() - from) * 1_000
    return running.map((one, i) => ({
      system: one.system,
      share: (one.cpu() - (before[i] ?? 0)) / micros,
      memory: one.memory(),
    }))
  })
  const rows = found.map(({ system, share, memory }) => [
    system.title,
    (share * 100).toFixed(2),
    whole(memory / MEGABYTE),
  ])
  const bars = found.map(({ system, share }) => ({ label: system.title, parts: [share * 100] }))
  return {
    title: 'At rest',
    tables: [{ head: ['nothing to do', '% of a core, all replicas together', 'memory, MB'], rows }],
    notes: [`Measured for ${WATCH_MS / 1_000} s, all at once.`],
    pictures: { idle: barChart({ title: 'At rest: processor time', unit: '% of a core', bars }) },
    raw: found.map((one) => ({ ...one, system: one.system.name })),
  }
}
