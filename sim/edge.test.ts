import { expect, test } from 'vitest'
import { crashPlan } from './crash-points.ts'
import { simulate } from './simulate.ts'

/** What callers hear of the set of their INVITEs, and how often each mark of registered phones was reached. */
function told(flow: string): { readonly finals: readonly string[]; readonly marks: readonly (number | undefined)[] } {
  const finals: string[] = []
  const { failure, marks } = simulate({ ...crashPlan({ flow, seed: 1, strikes: [] }), isBrief: true }, (line) => {
    const [, status = ''] = / ~> 10\.0\.0\.\d:5060 {2}SIP\/2\.0 ([2-6]\d\d) .*INVITE, /.exec(line) ?? []
    if (status !== '') finals.push(status)
  })
  expect(failure).toBeNull()
  return { finals, marks: [marks.registered, marks['registered-again'], marks['called-by-path'], marks['flow-gone']] }
}

test.each([
  ['at-once-by-flow', ['200', '200'], [1, undefined, 2, undefined]],
  ['at-once-by-a-flow-that-ended', ['200', '430', '200'], [2, 1, 2, 1]],
  ['at-once-by-a-forged-flow', ['403', '200'], [1, undefined, 1, undefined]],
])('%s: what its callers hear', (flow, finals, marks) => {
  expect(told(flow)).toEqual({ finals, marks })
})
