// Named plans: schedules worth keeping, each in a few lines. A seed that failed becomes one of these.

import { limits } from '../src/replica/limits.ts'
import type { Fault, Plan, PlannedCall } from './plan.ts'
import { flowNames } from './flows.ts'

export interface Scenario {
  readonly name: string
  readonly story: string
  readonly plan: Plan
}

const second = 1_000_000

/** Three replicas, a good network, no faults. */
export function calm(seed: number, calls: readonly PlannedCall[], faults: readonly Fault[], seconds = 40): Plan {
  return {
    seed,
    replicas: 3,
    safetyUntil: seconds * second,
    calls,
    faults,
    udp: { loss: 0, duplication: 0, delayLeast: 300, delayMost: 900, straggle: 0, straggleMost: 0, replay: 0 },
    address: { kind: 'shared' },
    peer: { delayLeast: 100, delayMost: 300, late: 0 },
    disk: { syncLeast: 200, syncMost: 1_000, slow: 0, slowMost: 0 },
    raft: { appendEntries: limits.appendEntries, inflight: limits.inflight },
    loop: { batchMost: 16, busyMost: 200 },
    clock: { driftPpm: [0, 0, 0], wallSkew: [0, 0, 0] },
    nextHop: true,
  }
}

function calls(flow: string, count: number, from: number, every: number): readonly PlannedCall[] {
  return Array.from({ length: count }, (_, i) => ({ flow, at: Math.round((from + i * every) * second) }))
}

function kill(at: number, replica: number, restartAfter: number): Fault {
  return {
    kind: 'kill',
    at: Math.round(at * second),
    replica,
    effects: 0,
    tail: 'lost',
    restartAfter: restartAfter * second,
  }
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'every-flow',
    story: 'each flow of the catalogue twice, no fault',
    plan: calm(
      1,
      flowNames.flatMap((flow, i) => calls(flow, 2, 3 + i, 0.5)),
      [],
    ),
  },
  {
    name: 'one-after-another',
    story: 'calls of all kinds while each replica in turn is killed and comes back',
    plan: calm(
      2,
      flowNames.flatMap((flow, i) => calls(flow, 2, 3 + i / 2, 9)),
      [1, 2, 3].map((replica, i) => kill(6 + 8 * i, replica, 2)),
    ),
  },
  {
    name: 'all-at-once',
    story: 'forty calls up, all replicas killed at once and restarted from disk: every BYE gets its 200',
    plan: calm(
      3,
      calls('basic', 40, 3, 0.05),
      [1, 2, 3].map((replica) => kill(7, replica, 1)),
      30,
    ),
  },
  {
    name: 'ringing-at-the-death',
    story: 'twenty calls ringing, each replica killed once before they are answered',
    plan: calm(
      4,
      calls('ringing-long', 20, 3, 0.05),
      [1, 2, 3].map((replica, i) => kill(5 + 3 * i, replica, 1.5)),
    ),
  },
]
