import { setTimeout as later } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { delayTickMs, renderMetrics, watchProcess } from './metrics.ts'

test('a histogram is told as Prometheus counts: all at or below each bound', () => {
  const buckets = [
    [0.001, 2],
    [0.002, 3],
    [null, 1],
  ] as const
  const text = renderMetrics([{ name: 'commit_seconds', type: 'histogram', help: 'how long', value: 0.01, buckets }])
  expect(text).toBe(`# HELP holdfast_commit_seconds how long
# TYPE holdfast_commit_seconds histogram
holdfast_commit_seconds_bucket{le="0.001"} 2
holdfast_commit_seconds_bucket{le="0.002"} 5
holdfast_commit_seconds_bucket{le="+Inf"} 6
holdfast_commit_seconds_sum 0.01
holdfast_commit_seconds_count 6
`)
})

test('a loop that was held shows by how much, and once', async () => {
  const watched = watchProcess()
  const lag = async (): Promise<number[]> => {
    const lines = (await watched.text())
      .split('\n')
      .filter((line) => /^nodejs_eventloop_lag_(p99|max)_seconds /.test(line))
    return lines.map((line) => Number(line.split(' ')[1]))
  }
  await lag()
  // Looks are timers too, armed before this one: one has been taken when it fires, from which the next one counts.
  await later(2 * delayTickMs)
  const until = performance.now() + 5 * delayTickMs
  while (performance.now() < until);
  await later(2 * delayTickMs)
  const held = await lag()
  expect(held).toHaveLength(2)
  for (const seconds of held) expect(seconds).toBeGreaterThanOrEqual((4 * delayTickMs - 10) / 1_000)
  // Nobody has looked since: what was told is not told again.
  expect(await lag()).toEqual([0, 0])
})
