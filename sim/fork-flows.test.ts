import { expect, test } from 'vitest'
import { calm } from './scenarios.ts'
import { simulate } from './simulate.ts'

const second = 1_000_000

/** Who heard from the set in one call of that flow, and what each was told to do, oldest first. */
function heard(flow: string, forks: string): Readonly<Record<string, readonly string[]>> {
  const told: Record<string, string[]> = {}
  const plan = { ...calm(1, [{ flow, at: 2.6 * second, isBrisk: true }], [], 3), forks, isBrief: true }
  const { failure } = simulate(plan, (line) => {
    const [, door = '', method = ''] = / ~> 10\.2\.0\.(\d):5070 {2}(INVITE|CANCEL|ACK) /.exec(line) ?? []
    const before = told[door] ?? []
    if (door !== '' && before.at(-1) !== method) told[door] = [...before, method]
  })
  expect(failure).toBeNull()
  return told
}

test.each([
  ['fork', '1,2', { 1: ['INVITE'], 2: ['INVITE', 'CANCEL', 'ACK'] }],
  ['fork-both-answer', '1,2', { 1: ['INVITE', 'CANCEL'], 2: ['INVITE'] }],
  ['fork-busy-and-declined', '1,2', { 1: ['INVITE', 'ACK'], 2: ['INVITE', 'ACK'] }],
  ['hunt', '1|2', { 1: ['INVITE', 'ACK'], 2: ['INVITE'] }],
])('%s to %s: what each callee hears hop by hop', (flow, forks, told) => {
  expect(heard(flow, forks)).toEqual(told)
})
