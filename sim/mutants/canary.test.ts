import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

// One known-bad run in each `npm test` (proof.md): if nothing is found in it, the checkers are off.
it('a seed with a planted bug fails, with the promise that the bug breaks', () => {
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const args = ['sim', '--mutant', 'trying-before-the-commit', '--seed', '1', '--no-shrink', '--json']
  const output = execFileSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const report = JSON.parse(output.trim().split('\n').at(-1) ?? '') as { readonly mutants: unknown }
  expect(report.mutants).toMatchObject([{ found: true, seeds: 1, caughtBy: 'L12' }])
})
