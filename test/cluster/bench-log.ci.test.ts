// `npm run bench:log` runs: its figures are for people, here is only that each case has some.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root } from './replica-set.ts'

test('bench:log --smoke: writes are answered in memory and on disk, 1, 64 and 1024 in flight', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '-s', 'bench:log', '--', '--smoke'], { cwd: root })
  const rows = [...stdout.matchAll(/^\| (memory|disk) \| (\d+) \| Holdfast \| ([\d,]+) \|/gm)]
  expect(rows.map(([, keeping, slots]) => `${keeping} ${slots}`)).toEqual(
    ['memory', 'disk'].flatMap((keeping) => [1, 64, 1024].map((slots) => `${keeping} ${slots}`)),
  )
  for (const [, , , rate] of rows) expect(Number(rate?.replace(',', ''))).toBeGreaterThan(0)
})
