import { expect, test } from 'vitest'
import { renderMetrics } from './metrics.ts'

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
