// `holdfast/sim`: the simulator as a library. A plan in, what happened out; the plan can be drawn from a seed, or made.

export { drawPlan } from './plan.ts'
export type { Fault, Plan, PlannedCall } from './plan.ts'
export { simulate } from './simulate.ts'
export type { Failure, RunResult } from './simulate.ts'
export { flowNames } from './flows.ts'
