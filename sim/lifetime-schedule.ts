// The schedule `lifetimes`: calls that the set ends or watches, while those who do it die.

import { draw } from './draws.ts'
import type { Flow } from './ladder.ts'
import { lifetimeFlows } from './lifetime-flows.ts'
import { many } from './many-calls.ts'
import type { PlannedLifetime } from './lifetime.ts'
import type { Fault, Plan, PlannedCall } from './plan.ts'
import { calm } from './scenarios.ts'

const second = 1_000_000
const firstCall = 3 * second
/** Calls begin so soon after one another that most are at the same moment of their lives. */
const burst = 4 * second

interface Kind {
  readonly lifetime: PlannedLifetime
  readonly flows: readonly string[]
  /** When something is decided, in seconds after the answer. */
  readonly moments: readonly number[]
}

const kinds: readonly Kind[] = lifetimeFlows.reduce<readonly Kind[]>((all, flow) => {
  // Those have a schedule of their own (`moving`).
  if (flow.isMoving) return all
  const key = JSON.stringify(flow.lifetime)
  const known = all.find(({ lifetime }) => JSON.stringify(lifetime) === key)
  if (known !== undefined) {
    return all.map((one) => (one === known ? { ...one, flows: [...one.flows, flow.name] } : one))
  }
  return [...all, { lifetime: flow.lifetime ?? {}, flows: [flow.name], moments: momentsOf(flow) }]
}, [])

function momentsOf({ lifetime, sessionExpires }: Flow): readonly number[] {
  const { maxCall, every, grace = 0 } = lifetime ?? {}
  if (maxCall !== undefined) return [0.5, maxCall]
  // Silence takes 32 s to be one.
  if (every !== undefined) return [every, every + 32, every + grace]
  return [sessionExpires - 15, sessionExpires]
}

/** All calls of a run have the same lifetime; each seed in turn has another one. */
export function lifetimes(seed: number): Plan {
  const of = draw(seed, 'lifetimes')
  const { lifetime, flows, moments } = kinds[seed % kinds.length] as Kind
  const calls = Array.from({ length: 12 }, (_, i): PlannedCall => {
    // Each of them once at least.
    const flow = flows[i < flows.length ? i : of.below(flows.length, 1, i)] ?? ''
    const at = firstCall + of.within(0, burst, 2, i)
    return of.chance(200_000, 3, i) ? { flow, at, caller: 'tcp', callee: 'tcp' } : { flow, at }
  }).toSorted((a, b) => a.at - b.at)
  const deaths = moments.flatMap((moment, n) =>
    [0, 1, 2].map((k): Fault => ({
      kind: 'kill',
      // An answer takes up to four seconds.
      at: firstCall + moment * second + of.within(0, burst + 4 * second, 4, n, k),
      replica: 1 + ((seed + n + k) % 3),
      effects: of.below(20, 5, n, k),
      tail: of.chance(500_000, 6, n, k) ? 'kept' : 'lost',
      restartAfter: of.within(300_000, 2 * second, 7, n, k),
    })),
  )
  const plan = calm(seed, calls, deaths, Math.max(...moments) + 20)
  const loss = of.chance(500_000, 8) ? of.within(1_000, 50_000, 9) : 0
  return { ...plan, lifetime, udp: { ...plan.udp, loss } }
}

/** Answers to the UPDATEs of callers that move overtake one another, while who sees to their calls' end dies. */
export function moving(seed: number): Plan {
  const of = draw(seed, 'moving')
  const calls = many(of, ['too-old-moved'], 20, firstCall, firstCall + burst)
  const deaths = [0, 1].map((n): Fault => ({
    kind: 'kill',
    at: firstCall + of.within(second, burst + 4 * second, 1, n),
    replica: 1 + ((seed + n) % 3),
    effects: of.below(20, 2, n),
    tail: of.chance(500_000, 3, n) ? 'kept' : 'lost',
    restartAfter: of.within(300_000, 2 * second, 4, n),
  }))
  const plan = calm(seed, calls, deaths, 20)
  return { ...plan, lifetime: { maxCall: 4 }, udp: { ...plan.udp, delayMost: of.within(5_000, 40_000, 5) } }
}
