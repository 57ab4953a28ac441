// The simulator for an hour, and the planted bugs: what may be claimed of a commit, in one line.

import { expect, test } from 'vitest'
import { exitOf } from './programs.ts'
import { holdfast } from './replica-set.ts'

const MINUTES = 60
const minute = 60_000

async function report(args: readonly string[], deadlineMs: number): Promise<Record<string, unknown>> {
  const program = holdfast(['sim', ...args, '--json'])
  const { code } = await exitOf(program, `holdfast sim ${args.join(' ')}`, deadlineMs)
  expect(code, program.stderr().slice(-4_000)).toBe(0)
  return JSON.parse(program.stdout().trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>
}

test(`${MINUTES} minutes of seeds: 0 lost, and every rare moment came`, { timeout: 100 * minute }, async () => {
  const run = await report(['--minutes', String(MINUTES)], (MINUTES + 5) * minute)
  expect(run).toMatchObject({ lost: 0, failure: null })
  const { mutants } = (await report(['--mutants'], 30 * minute)) as { readonly mutants: readonly { found: boolean }[] }
  const found = mutants.filter((mutant) => mutant.found).length
  console.log(`${String(run['closing'])}; the same simulator finds ${found} of ${mutants.length} planted bugs`)
  expect(found).toBe(mutants.length)
})
