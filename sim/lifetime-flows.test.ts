import { expect, test } from 'vitest'
import { flowNamed } from './flows.ts'
import { calm } from './scenarios.ts'
import { simulate } from './simulate.ts'

const second = 1_000_000

/** What each phone of one call of that flow is told by the set itself: no phone ever said it. */
function toldBySet(flow: string): readonly string[] {
  const told: string[] = []
  const said = new Set<string>()
  const lifetime = flowNamed(flow)?.lifetime ?? {}
  const plan = { ...calm(1, [{ flow, at: 2.6 * second, isBrisk: true }], [], 3), lifetime, isBrief: true }
  const { failure } = simulate(plan, (line) => {
    const [, host = '', method = '', cseq = ''] =
      / (10\.[01])\.0\.1:506\d {2}(BYE|OPTIONS) .*\(CSeq (\d+) /.exec(line) ?? []
    const [, by = ''] = / 10\.[01]\.0\.1:506\d ~> .* {2}(?:BYE|OPTIONS) .*\(CSeq (\d+) /.exec(line) ?? []
    said.add(by)
    if (host !== '' && !said.has(cseq)) told.push(`${method} to the ${host === '10.0' ? 'caller' : 'callee'}`)
  })
  expect(failure).toBeNull()
  return told
}

test.each([
  ['too-old', ['BYE to the caller', 'BYE to the callee']],
  ['too-old-meets-re-invite', ['BYE to the caller', 'BYE to the callee']],
  ['ended-before-its-time', []],
])('%s: what the set says by itself', (flow, told) => {
  expect(toldBySet(flow)).toEqual(told)
})
