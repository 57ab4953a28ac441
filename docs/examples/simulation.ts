// Simulated runs in a test of your own: docs/PROPERTY-TESTING.md tells this example.

import fc from 'fast-check'
import { drawPlan, faultPlan, simulate } from 'holdfast/sim'
import type { Plan } from 'holdfast/sim'

// A run of the set as seed 7 has it, with all its faults.
const drawn = simulate(drawPlan(7))
console.log(`seed 7: ${drawn.lost} calls lost, ${drawn.failure?.text ?? 'no promise was broken'}`)

// One of your own: a call, and the replica 1 is killed 100 ms after it began.
const second = 1_000_000
const plan: Plan = {
  ...drawPlan(1),
  calls: [{ flow: 'basic', at: 5 * second }],
  faults: [{ kind: 'kill', at: 5.1 * second, replica: 1, effects: 0, tail: 'lost', restartAfter: 2 * second }],
}
const lines: string[] = []
const result = simulate(plan, (line) => lines.push(line))
console.log(`by hand: ${result.calls} call, ${result.kills} kill, ${result.failure?.text ?? 'no promise was broken'}`)
console.log(`the same again: ${simulate(plan).traceHash === result.traceHash}, ${lines.length === result.events}`)

// Plans as an arbitrary.
fc.assert(
  fc.property(faultPlan(), (drawn) => simulate(drawn).failure === null),
  { seed: 1, numRuns: 2 },
)
console.log('two drawn plans: no promise was broken')

// A plan that breaks what you expect shrinks to the fewest calls and faults that do, in a calm world.
const { counterexample } = fc.check(
  fc.property(faultPlan(), ({ faults }) => faults.filter(({ kind }) => kind === 'kill').length < 2),
  { seed: 1 },
)
const [smallest] = counterexample ?? []
const kinds = smallest?.faults.map(({ kind }) => kind).join(', ')
console.log(`the smallest with two kills: ${smallest?.calls.length} calls; ${kinds}`)
