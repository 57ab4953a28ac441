// docs/deploy: the alerts and the dashboard ask for metrics that there are.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Machines, writeConfig } from './machines.ts'
import { root } from './replica-set.ts'
import { inScene } from './scene.ts'

/** Functions, labels and words of PromQL, and what Prometheus itself knows of a target. */
const NOT_OURS =
  /^(?:up|sum|max|min|count|rate|increase|scalar|histogram_quantile|by|on|group_right|le|instance|job|holdfast)$/

function metricsIn(expression: string): readonly string[] {
  const plain = expression.replaceAll(/"[^"]*"|\[\w+\]/g, '')
  return (plain.match(/[a-z_][a-z0-9_]*/gi) ?? []).filter((word) => !NOT_OURS.test(word))
}

const alerts = readFileSync(join(root, 'docs/deploy/alerts.yml'), 'utf8')
const dashboard = JSON.parse(readFileSync(join(root, 'docs/deploy/grafana.json'), 'utf8')) as {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[]
}

/** Counters show once they have counted, so these are read from where they are. */
function counters(): readonly string[] {
  const sources = globSync('src/**/*.ts', { cwd: root }).map((path) => readFileSync(join(root, path), 'utf8'))
  return sources.flatMap((text) =>
    [...text.matchAll(/count\('([a-z_]+)'/g)].map(([, name = '']) => `holdfast_${name}_total`),
  )
}

test('every metric that an alert or a panel names exists', async () => {
  const asked = new Map<string, readonly string[]>()
  for (const [, name = '', expr = ''] of alerts.matchAll(/- alert: (\w+)\n\s+expr: (.*)\n/g))
    asked.set(name, metricsIn(expr))
  expect(asked.size).toBe(alerts.match(/- alert:/g)?.length)
  for (const { title, targets } of dashboard.panels)
    asked.set(
      title,
      targets.flatMap(({ expr }) => metricsIn(expr)),
    )
  for (const [name, metrics] of asked)
    expect(metrics.length + (name === 'HoldfastReplicaDown' ? 1 : 0), name).toBeGreaterThan(0)
  await inScene(155, async (scene) => {
    const config = join(scene.folder, 'set.json')
    writeConfig(config, join(scene.folder, 'data'), scene.place, {}, 1)
    const machines = new Machines(config)
    try {
      machines.start(1)
      await machines.serve([1])
      const text = await (await fetch(`http://${machines.admin(1)}/metrics`)).text()
      const shown = [...text.matchAll(/^([a-z_][a-z0-9_]*)(?:\{| )/gm)].map(([, name = '']) => name)
      const known = new Set([...shown, ...counters()])
      for (const [name, metrics] of asked)
        expect(
          metrics.filter((metric) => !known.has(metric)),
          name,
        ).toEqual([])
    } finally {
      await machines.destroy()
    }
  })
})
