import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawPlan } from './plan.ts'
import type { Fault, Plan } from './plan.ts'
import { scenarioText } from './report/scenario-text.ts'
import { calm } from './scenarios.ts'
import { plansBelow } from './shrink.ts'

const second = 1_000_000

/** The smallest plan that fails, and how many were tried. */
function smallest(plan: Plan, fails: (plan: Plan) => boolean): { readonly plan: Plan; readonly tried: number } {
  let tried = 0
  const details = fc.check(
    fc.property(plansBelow(plan), (one) => {
      tried++
      return !fails(one)
    }),
    { numRuns: 1 },
  )
  return { plan: details.counterexample?.[0] ?? plan, tried }
}

/** The first seed whose plan is rich enough. */
function richPlan(isRich: (plan: Plan) => boolean): Plan {
  for (let seed = 1; seed < 1_000; seed++) if (isRich(drawPlan(seed))) return drawPlan(seed)
  throw new Error('no seed draws such a plan')
}

describe('a failing plan', () => {
  it('shrinks to the call, the fault and the rate that it takes, in a calm world', () => {
    const plan = richPlan((one) => one.calls.length > 9 && one.faults.filter(isKill).length > 3 && one.udp.loss > 0)
    const call = plan.calls[6]
    const victim = plan.faults.filter(isKill)[2]?.replica
    const fails = (one: Plan): boolean =>
      one.calls.some(({ number, flow }, i) => (number ?? i + 1) === 7 && flow === call?.flow) &&
      one.faults.some((fault) => isKill(fault) && fault.replica === victim) &&
      one.udp.loss > 0
    const { plan: small, tried } = smallest(plan, fails)
    expect(small.calls).toMatchObject([{ flow: call?.flow, number: 7 }])
    expect(small.faults).toMatchObject([{ kind: 'kill', replica: victim, effects: 0 }])
    expect(small.udp).toMatchObject({ ...calm(0, [], []).udp, loss: small.udp.loss })
    expect({ ...small, udp: null }).toEqual({
      ...calm(plan.seed, small.calls, small.faults, small.safetyUntil / second),
      replicas: small.replicas,
      udp: null,
    })
    expect(tried).toBeLessThan(400)
  })

  it('has good phones on UDP, but for what it takes', () => {
    const isOdd = ({ calls }: Plan): boolean =>
      calls.some(({ odd, caller }) => odd !== undefined && odd.side === 'caller' && caller === 'tcp')
    const { plan: small } = smallest(richPlan(isOdd), isOdd)
    expect(small.calls).toHaveLength(1)
    expect(Object.keys(small.calls[0] ?? {}).filter((field) => ['odd', 'caller', 'callee'].includes(field))).toEqual([
      'caller',
      'odd',
    ])
    const { plan: plain } = smallest(richPlan(isOdd), ({ calls }) => calls.length > 0)
    expect(Object.keys(plain.calls[0] ?? {})).toEqual(['flow', 'at'])
  })

  it('has rounder times afterwards, and no cut that heals before it begins', () => {
    const plan = richPlan((one) => one.faults.some(({ kind }) => kind === 'partition'))
    const seen: Plan[] = []
    const { plan: small } = smallest(plan, (one) => {
      seen.push(one)
      return one.faults.some(({ kind }) => kind === 'partition')
    })
    const [cut] = small.faults
    if (cut?.kind !== 'partition') throw new Error('the cut is gone')
    expect([cut.at % second, cut.until > cut.at]).toEqual([0, true])
    for (const { faults } of seen) {
      for (const fault of faults) if (fault.kind === 'partition') expect(fault.until).toBeGreaterThan(fault.at)
    }
  })

  it('keeps of the lookups those that it takes, or none', () => {
    const plan = richPlan(({ lookups = [] }) => lookups.length > 3)
    const kept = plan.lookups?.[2]
    expect(smallest(plan, ({ lookups }) => lookups?.some((lookup) => lookup === kept) ?? false).plan).toMatchObject({
      lookups: [kept],
      calls: [],
    })
    expect(smallest(plan, () => true).plan).not.toHaveProperty('lookups')
  })

  it('stays as it is if nothing simpler fails', () => {
    const plan = drawPlan(5)
    expect(smallest(plan, (one) => one === plan).plan).toBe(plan)
  })
})

describe('a scenario', () => {
  it('gives the very plan that it was made from, field by field', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const plan = drawPlan(seed)
      const scenario = evaluated(scenarioText('a name', `a 'story' with "quotes"\nand \\ lines`, plan))
      expect(JSON.stringify(scenario['plan'])).toBe(JSON.stringify(plan))
      expect(scenario).toMatchObject({ name: 'a name', story: `a 'story' with "quotes"\nand \\ lines` })
    }
  })

  it('says only what differs from a calm run', () => {
    expect(scenarioText('one-kill', 'a death', calm(4, [{ flow: 'basic', at: 3.5 * second }], []))).toBe(
      `  {
    name: 'one-kill',
    story: 'a death',
    plan: calm(4, [{ flow: 'basic', at: 3.5 * second }], []),
  },
`,
    )
  })
})

function isKill(fault: Fault): fault is Fault & { kind: 'kill' } {
  return fault.kind === 'kill'
}

/** What the text means where it is pasted. */
function evaluated(text: string): Readonly<Record<string, unknown>> {
  const make = new Function('calm', 'second', `return [${text}][0]`) as (
    ...names: readonly unknown[]
  ) => Readonly<Record<string, unknown>>
  return make(calm, second)
}
