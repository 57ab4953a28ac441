// The schedule `registered`: phones that register by way of the set and are called by the Path that their registrar has kept, while the
// replicas that hold their connections die, and connections are reset.

import { draw } from './draws.ts'
import type { PlannedEdge } from './edge-plan.ts'
import type { Fault, Plan, PlannedCall } from './plan.ts'
import { calm } from './scenarios.ts'

const second = 1_000_000
/** Of the phones that are called. */
const lines = 4

/** What seeds draw among, and this schedule in turn. Nobody is called back behind a translator of addresses. */
export const edges: readonly Pick<PlannedEdge, 'transport' | 'outbound'>[] = [
  { transport: 'tcp', outbound: true },
  { transport: 'udp', outbound: true },
  { transport: 'tcp', outbound: true },
  { transport: 'tcp', outbound: false },
]

const flows: readonly string[] = [
  'at-once',
  'basic',
  'ringing-long',
  'cancelled',
  'refused',
  'callee-hangs-up',
  're-invite',
  're-invite-by-callee',
  'session-refresh',
  'small-talk',
  'bye-crossing-bye',
  'cancel-crossing-answer',
]

export function registered(seed: number): Plan {
  const of = draw(seed, 'registered')
  const back = of.within(50_000, 2 * second, 1)
  const edge: PlannedEdge = { ...(edges[seed % edges.length] as PlannedEdge), back: [back, back + 2 * second] }
  const calls = Array.from({ length: 16 }, (_, i): PlannedCall => {
    const line = of.within(1, lines, 2, i)
    const flow = flows[of.below(flows.length, 3, i)] ?? ''
    const at = 3 * second + of.within(0, 17 * second, 4, i)
    const caller = of.chance(300_000, 5, i) ? { caller: 'tcp' as const } : {}
    const isForged = of.chance(100_000, 6, i) ? { isForged: true } : {}
    const reset = { side: 'callee', oddity: { kind: 'reset', after: of.within(0, 2 * second, 7, i) } } as const
    return { flow, at, line, ...caller, ...isForged, ...(of.chance(200_000, 8, i) ? { odd: reset } : {}) }
  }).toSorted((a, b) => a.at - b.at)
  const deaths = Array.from({ length: 5 }, (_, i): Fault => ({
    kind: 'kill',
    at: 4 * second + i * 4 * second + of.within(0, 3 * second, 9, i),
    replica: of.within(1, 3, 10, i),
    effects: of.below(30, 11, i),
    tail: of.chance(500_000, 12, i) ? 'kept' : 'lost',
    restartAfter: of.within(500_000, 3 * second, 13, i),
  }))
  const plan = calm(seed, calls, deaths, 30)
  const loss = of.chance(500_000, 14) ? of.within(1_000, 50_000, 15) : 0
  return { ...plan, edge, udp: { ...plan.udp, loss, delayMost: plan.udp.delayLeast + of.within(500, 20_000, 16) } }
}

/** They are called while replicas sleep for longer than anybody waits for them, and wake with the connections that they hold. */
export function sleepingHolders(seed: number): Plan {
  const of = draw(seed, 'sleeping holders')
  const edge: PlannedEdge = { transport: 'tcp', outbound: seed % 3 !== 0, back: [2 * second, 4 * second] }
  const sleeps = [0, 1, 2].map((i): Extract<Fault, { kind: 'pause' }> => {
    const at = 4 * second + i * 9 * second + of.within(0, second, 1, i)
    return {
      kind: 'pause',
      at,
      replica: of.within(1, 3, 2, i),
      effects: 0,
      length: of.within(2_600_000, 6 * second, 3, i),
    }
  })
  const calls = sleeps.flatMap(({ at }, i) =>
    [1, 2, 3, 4, 5].map((n): PlannedCall => {
      const flow = ['declined', 'basic', 'refused', 'at-once'][of.below(4, 4, i, n)] ?? ''
      return { flow, at: at - of.within(-300_000, 3_000, 5, i, n), line: n }
    }),
  )
  return {
    ...calm(
      seed,
      calls.toSorted((a, b) => a.at - b.at),
      sleeps,
      34,
    ),
    edge,
  }
}
