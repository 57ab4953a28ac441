// Where a seed's calls go, and when its set ends them: in some seeds next hops fork, redirect or have several places, callees register by
// way of the set, calls have a lifetime, callees want a PRACK. Each is drawn for itself, over what was drawn before: other seeds stay as they are. A set has one
// way for all its calls, and one lifetime.

import { draw } from './draws.ts'
import type { PlannedEdge } from './edge-plan.ts'
import { edges } from './edge-schedule.ts'
import { forkFlows } from './fork-flows.ts'
import { flowNamed, reliableFlowNames } from './flows.ts'
import type { Flow } from './ladder.ts'
import { lifetimeFlows } from './lifetime-flows.ts'
import type { PlannedLifetime } from './lifetime.ts'
import type { Plan, PlannedCall } from './plan.ts'
import { routingFlows } from './routing-flows.ts'

const second = 1_000_000

/** Per million, how many seeds have it. */
const forking = 120_000
const ending = 120_000
/** Of those that have neither. */
const registering = 100_000
const reliable = 200_000

/** Silence takes 64*T1, so that probes are no matter of a short run: faults go on so much longer. */
const watchedFor = 40 * second

/** What a plan says of it. */
export type Ways = Pick<Plan, 'forks' | 'lifetime' | 'edge'>

/** By how much longer faults go on. */
export function drawLonger(seed: number): number {
  const { every, sessions } = drawLifetime(seed) ?? {}
  return every !== undefined || sessions === true ? watchedFor : 0
}

/** The ways of a seed; nothing, as a rule. */
export function drawWays(seed: number): Ways {
  const ways = draw(seed, 'plan ways')
  const all = [...forkFlows, ...routingFlows].flatMap(({ fork }) => (fork === null ? [] : [fork.forks]))
  const forks = ways.chance(forking, 1) ? all[ways.below(all.length, 2)] : undefined
  const lifetime = drawLifetime(seed)
  const edge = forks === undefined && lifetime === undefined ? drawEdge(seed) : undefined
  return {
    ...(forks === undefined ? {} : { forks }),
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(edge === undefined ? {} : { edge }),
  }
}

function drawEdge(seed: number): PlannedEdge | undefined {
  const edge = draw(seed, 'plan edge')
  if (!edge.chance(registering, 1)) return undefined
  const back = edge.within(50_000, 2 * second, 2)
  return { ...(edges[edge.below(edges.length, 3)] as (typeof edges)[number]), back: [back, back + 2 * second] }
}

/** To some registered phones; who loses its power has registered for nothing. */
function toLines(seed: number, calls: readonly PlannedCall[]): readonly PlannedCall[] {
  const of = draw(seed, 'plan lines')
  const most = of.within(1, 6, 1)
  return calls.map((call, i): PlannedCall => {
    const { at, caller, odd } = call
    const isOdd = odd !== undefined && (odd.side === 'caller' || odd.oddity.kind === 'reset')
    const flow = flowNamed(call.flow)?.calleePresent === true ? call.flow : 'basic'
    return {
      flow,
      at,
      line: of.within(1, most, 3, i),
      ...(caller === undefined ? {} : { caller }),
      ...(of.chance(50_000, 2, i) ? { isForged: true } : {}),
      ...(isOdd ? { odd } : {}),
    }
  })
}

function drawLifetime(seed: number): PlannedLifetime | undefined {
  const ends = draw(seed, 'plan lifetime')
  if (!ends.chance(ending, 1)) return undefined
  switch (ends.below(4, 2)) {
    case 0:
      return { every: 32, grace: [0, 2, 8][ends.below(3, 3)] as number }
    case 1:
      return { sessions: true }
    default:
      return { maxCall: [4, 4, 10, 25][ends.below(4, 4)] as number }
  }
}

/** The calls, some of them by flows that go with those ways. */
export function withWays(
  seed: number,
  { forks, lifetime, edge }: Ways,
  calls: readonly PlannedCall[],
): readonly PlannedCall[] {
  if (edge !== undefined) return toLines(seed, calls)
  const flows = draw(seed, 'plan flows by the ways')
  const pracks = flows.chance(reliable, 1) ? flows.within(100_000, 500_000, 2) : 0
  const forked = [...forkFlows, ...routingFlows].filter(({ fork }) => fork?.forks === forks)
  const ended = lifetimeFlows.filter((flow) => lifetime !== undefined && isOfKind(flow, lifetime))
  // Where an INVITE goes to several at once, or on after a refusal, a flow that doesn't say so has nobody there.
  const isMixed = forks === undefined || !/[,|]/.test(forks)
  return calls.map((call, i): PlannedCall => {
    const take = (from: readonly string[], kind: number): PlannedCall => {
      const { odd, ...plain } = { ...call, flow: from[flows.below(from.length, kind, i)] ?? call.flow }
      // A phone that leaves by its ladder isn't odd besides.
      return odd === undefined || isLeft(plain.flow) ? plain : { ...plain, odd }
    }
    if (forks !== undefined && (!isMixed || flows.chance(500_000, 3, i))) return take(names(forked), 4)
    if (ended.length > 0 && flows.chance(500_000, 5, i)) return take(names(ended), 6)
    return flows.chance(pracks, 7, i) ? take(reliableFlowNames, 8) : call
  })
}

function names(flows: readonly Flow[]): readonly string[] {
  return flows.map(({ name }) => name)
}

function isOfKind({ lifetime }: Flow, of: PlannedLifetime): boolean {
  return lifetime !== null && Object.keys(lifetime)[0] === Object.keys(of)[0]
}

function isLeft(flow: string): boolean {
  return flowNamed(flow)?.steps.some(({ deed }) => deed.kind === 'leave') === true
}
