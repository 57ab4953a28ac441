// One run of a plan with a user's applications. The world is the same as without them (simulate.ts); while a handler waits for what is
// outside of it, it stands still.

import type { Census } from '../census.ts'
import type { Plan } from '../plan.ts'
import { simulateInSteps } from '../simulate.ts'
import type { RunResult } from '../simulate.ts'
import type { Listener } from '../trace.ts'
import type { Witness } from '../witness.ts'
import type { Simulation } from './definition.ts'
import { planOf } from './own-plan.ts'
import { OwnRun } from './own-run.ts'

export interface SimulationOptions {
  /** Is given each line of the trace. */
  readonly listen?: Listener | null
  readonly census?: Census | null
  readonly witness?: Witness | null
  /** Waits for a handler, `name`, that waits for the outside; for whoever bounds that. */
  readonly wait?: (until: Promise<void>, name: string) => Promise<void>
}

/** Runs a seed of the simulation, or a plan that names its calls. Rejects if that plan can't be run. */
export async function simulateApplications(
  simulation: Simulation,
  seed: number | Plan,
  { listen = null, census = null, witness = null, wait = (until) => until }: SimulationOptions = {},
): Promise<RunResult> {
  const plan = typeof seed === 'number' ? planOf(simulation, seed) : seed
  const own = new OwnRun(simulation, plan)
  const steps = simulateInSteps(plan, own, listen, census, witness)
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    while (own.waiting !== null) await wait(own.change(), own.waiting)
  }
}
