// What the bench makes of its measurements; the measuring itself is only worth something when it is run.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { waitsIn } from './latency.ts'
import { search } from './rate.ts'
import { writePictures, writeSection } from './report.ts'
import { median, quantile, ratio } from './section.ts'
import { barChart, lineChart } from './svg.ts'
import type { Packet } from '../../cluster/capture.ts'
import type { Result } from './section.ts'

describe('figures', () => {
  test('the median and quantiles are of the values, in whatever order they came', () => {
    expect([median([9, 1, 5]), median([4, 1, 2, 3]), median([])]).toEqual([5, 2.5, Number.NaN])
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect([quantile(hundred, 0.5), quantile(hundred, 0.99), quantile(hundred, 1)]).toEqual([50, 99, 100])
  })

  test('a ratio is the median of the pairs, not the ratio of the medians', () => {
    expect(ratio([2, 30, 4], [1, 10, 4])).toBe('2.00')
    expect(ratio([1, Number.NaN], [2, 1])).toBe('0.50')
    expect(ratio([1], undefined)).toBe('-')
  })

  test.each([
    [730, 200],
    [60, 200],
    [1_000, 1_000],
  ])('a system that bears %i calls a second, from %i', async (borne, from) => {
    const found = await search(from, (rate) => Promise.resolve(rate <= borne))
    expect(found).toBeLessThanOrEqual(borne)
    expect(found).toBeGreaterThan(borne * 0.88)
  })

  test('a system that bears nothing', async () => {
    expect(await search(200, () => Promise.resolve(false))).toBe(0)
  })
})

test('what a caller waited for is from the first request to the first answer', () => {
  const [caller, callee, proxy] = ['127.67.1.100:10001', '127.67.1.200:5060', '127.67.1.10:5060']
  const packet = (at: number, from: string, to: string, line: string, method: string): Packet => ({
    ...{ at, from, to, transport: 'udp', sequence: 0, syn: false },
    payload: `${line}\r\nCall-ID: one@x\r\nCSeq: 1 ${method}\r\n\r\n`,
  })
  const packets = [
    packet(1_000, caller, proxy, 'INVITE sip:x SIP/2.0', 'INVITE'),
    packet(2_000, caller, proxy, 'INVITE sip:x SIP/2.0', 'INVITE'),
    packet(3_500, proxy, callee, 'INVITE sip:x SIP/2.0', 'INVITE'),
    packet(4_000, callee, proxy, 'SIP/2.0 180 Ringing', 'INVITE'),
    packet(5_000, proxy, caller, 'SIP/2.0 180 Ringing', 'INVITE'),
    packet(6_000, proxy, caller, 'SIP/2.0 200 OK', 'INVITE'),
    packet(9_000, caller, proxy, 'BYE sip:x SIP/2.0', 'BYE'),
    packet(9_800, proxy, caller, 'SIP/2.0 200 OK', 'BYE'),
  ]
  expect(waitsIn(packets, '127.67.1.100', callee)).toEqual({ ringing: [4], forwarded: [2.5], bye: [0.8] })
})

describe('the report', () => {
  const result: Result = {
    title: 'A <title>',
    tables: [{ head: ['', 'µs'], rows: [['ours', '1']] }],
    notes: ['A note.'],
    pictures: { a: barChart({ title: 'a <b>', unit: 'µs', bars: [{ label: 'x & y', parts: [1, 2] }] }) },
    raw: [],
  }
  const about = { date: 'today', commit: 'abc', machine: '2 x it', versions: 'none', load: [1, 2] } as const

  test('stands between its marks, and nothing else changes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-report-'))
    try {
      const file = join(folder, 'PERFORMANCE.md')
      writeFileSync(file, 'before\n\n<!-- bench: a -->\nold\n<!-- end -->\n\nafter <!-- end -->\n')
      writeSection(file, 'a', result, about, join(folder, 'images'))
      const once = readFileSync(file, 'utf8')
      writeSection(file, 'a', result, about, join(folder, 'images'))
      expect(readFileSync(file, 'utf8')).toBe(once)
      expect(once).toContain('| ours | 1 |')
      expect(once).toContain('(images/bench-a.svg)')
      expect(once).not.toContain('old')
      expect(once).toMatch(/^before[^]*after <!-- end -->\n$/)
      expect(() => writeSection(file, 'b', result, about, folder)).toThrow('<!-- bench: b -->')
      writePictures(folder, result)
      expect(readFileSync(join(folder, 'bench-a.svg'), 'utf8')).toContain('x &amp; y')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  test('a picture has no place that is no number, whatever was not measured', () => {
    const bars = barChart({ title: 'bars', unit: 'ms', bars: [{ label: 'none', parts: [Number.NaN, 1] }] })
    const lines = lineChart({ title: 'lines', x: 'x', y: 'y', lines: [{ name: 'one', points: [[5, 5]] }] })
    expect(`${bars}${lines}`).not.toMatch(/NaN|Infinity/)
  })
})
