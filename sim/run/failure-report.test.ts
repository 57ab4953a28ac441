import { afterAll, describe, expect, it } from 'vitest'
import { mutants } from '../mutants/list.ts'
import { drawPlan } from '../plan.ts'
import type { Plan } from '../plan.ts'
import { scenarioText } from '../report/scenario-text.ts'
import { calm } from '../scenarios.ts'
import { openBench } from './bench.ts'
import { shrink } from './shrinker.ts'
import type { Failing } from './shrinker.ts'

const mutant = mutants.find(({ name }) => name === 'counter-not-released') ?? null
const bench = openBench(mutant)
afterAll(() => bench.close())

async function firstFailing(): Promise<Failing> {
  for (let seed = 1; seed <= 100; seed++) {
    const plan = drawPlan(seed)
    const result = await bench.run(plan)
    if (result.failure !== null && plan.calls.length > 1) return { plan, result, failure: result.failure }
  }
  throw new Error('a hundred seeds do not find the planted bug')
}

describe('a failure', () => {
  it('of a planted bug shrinks, and its scenario gives the same failure and the same trace', async () => {
    const failing = await firstFailing()
    const ran: number[] = []
    const small = await shrink(failing, {
      run: (plan) => bench.run(plan),
      runsMost: 150,
      secondsMost: 40,
      interrupted: { yes: false },
      onRun: (runs) => ran.push(runs),
    })
    expect(small.failure.promise).toBe(failing.failure.promise)
    expect(small.plan.calls.length + small.plan.faults.length).toBeLessThan(
      failing.plan.calls.length + failing.plan.faults.length,
    )
    expect(ran.length).toBe(small.runs)

    const text = scenarioText('printed', 'as a failure prints it', small.plan)
    const evaluate = new Function('calm', 'second', `return [${text}][0].plan`) as (
      ...names: readonly unknown[]
    ) => Plan
    const again = await bench.run(evaluate(calm, 1_000_000))
    expect(again.failure).toEqual(small.failure)
    expect(again.traceHash).toBe(small.result.traceHash)
  })

  it('keeps what it has when its runs are used up or the user stops it', async () => {
    const failing = await firstFailing()
    const interrupted = { yes: false }
    const options = { run: (plan: Plan) => bench.run(plan), secondsMost: 40, interrupted, onRun: () => undefined }
    const short = await shrink(failing, { ...options, runsMost: 3 })
    expect(short).toMatchObject({ runs: 3, isMinimal: false })
    interrupted.yes = true
    expect(await shrink(failing, { ...options, runsMost: 100 })).toMatchObject({ runs: 0, plan: failing.plan })
  })
})
