// `npm run bench:logs` runs: its figures are for people, here is only that each case has some.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { root } from './replica-set.ts'

test('bench:logs: two logs in three processes, led as they are told, answer writes', async () => {
  const moment = ['--logs', '2', '--in-flight', '64', '--rounds', '1', '--seconds', '0.2']
  const { stdout } = await promisify(execFile)('npm', ['run', '-s', 'bench:logs', '--', ...moment], { cwd: root })
  const rows = [...stdout.matchAll(/^\| 64 \| (2 logs, leaders spread) \| ([\d,]+) \|/gm)]
  expect(rows.map(([, name]) => name)).toEqual(['2 logs, leaders spread'])
  for (const [, , rate] of rows) expect(Number(rate?.replace(',', ''))).toBeGreaterThan(0)
})
