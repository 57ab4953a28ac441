// What a seed throws at the set: drawn from the seed alone (swarm: each seed a subset of faults, with its own rates and
// sizes), printed before anything happens, and a plain value, so that it can be changed by hand or shrunk.

import type { CallBounds } from '../src/call/contract.ts'
import { limits } from '../src/replica/limits.ts'
import { drawFaults } from './draw-faults.ts'
import { drawMembers } from './draw-members.ts'
import { drawReleases } from './draw-releases.ts'
import { drawLonger, drawWays, withWays } from './draw-ways.ts'
import { draw } from './draws.ts'
import type { Draw } from './draws.ts'
import { describeFault, timeOf } from './fault.ts'
import type { Fault } from './fault.ts'
import { drawnFlowNames } from './flows.ts'
import type { Transport } from './ladder.ts'
import type { ApplicationName } from './applications.ts'
import type { PlannedEdge } from './edge-plan.ts'
import type { PlannedLifetime } from './lifetime.ts'
import type { PlannedRace } from './order-clients.ts'
import { drawOddity } from './phone-faults.ts'
import type { OddPhone } from './phone-faults.ts'
import type { AddressModel } from './set-address.ts'
import { formatTime } from './trace.ts'

export type { Fault } from './fault.ts'

export interface PlannedCall {
  readonly flow: string
  readonly at: number
  /** Names the call: its Call-ID, addresses and waits are drawn by it. Default: its place among the calls, from 1. */
  readonly number?: number
  /** What the two phones speak; UDP if it isn't said. Behind a next hop the callee is called on the caller's. */
  readonly caller?: Transport
  readonly callee?: Transport
  /** What is wrong with one of the phones. */
  readonly odd?: OddPhone
  /** People wait as little as their ladder allows, not as long as is drawn. */
  readonly isBrisk?: boolean
  /** Where phones register: the number of the call to whose phone this one goes, too; absent = it has one of its own. */
  readonly line?: number
  /** There, its caller names a flow that nobody registered. */
  readonly isForged?: boolean
}

/** A browser, which asks for the pages of an application (web-clients.ts). */
export interface PlannedBrowser {
  readonly at: number
  readonly until: number
  /** How often it asks, at most, and for how long it thinks after an answer, at most. */
  readonly requests: number
  readonly think: number
  /** The number of the call whose session it shares; null = it begins one of its own. */
  readonly call: number | null
}

/** Somebody asks a replica's admin address about a call. */
export interface PlannedLookup {
  readonly at: number
  readonly replica: number
  /** The call's number. */
  readonly call: number
}

/** Applications of a user's: the path of the module with their simulation (sim/own/); '' = whoever runs the plan has it. */
export interface OwnModule {
  readonly module: string
}

export interface Plan {
  readonly seed: number
  readonly replicas: number
  /** From then on all is drawn by another seed (doom.ts). */
  readonly redrawn?: { readonly at: number; readonly seed: number }
  /** True time when faults stop. */
  readonly safetyUntil: number
  readonly calls: readonly PlannedCall[]
  readonly lookups?: readonly PlannedLookup[]
  readonly browsers?: readonly PlannedBrowser[]
  readonly faults: readonly Fault[]
  /** Between phones and the set: datagrams, and the segments of streams. Rates per million, times in microseconds. */
  readonly udp: {
    readonly loss: number
    readonly duplication: number
    readonly delayLeast: number
    readonly delayMost: number
    /** Rare long delays, which reorder; per million. */
    readonly straggle: number
    readonly straggleMost: number
    /** Datagrams to the set that come once more, up to 64*T1 later; per million. */
    readonly replay: number
  }
  /** How the set's address is made. */
  readonly address: AddressModel
  /** Between replicas. */
  readonly peer: {
    readonly delayLeast: number
    readonly delayMost: number
    /** Frames in flight when a connection breaks arrive after the next one is up, instead of never: per million. */
    readonly late: number
  }
  readonly disk: {
    readonly syncLeast: number
    readonly syncMost: number
    readonly slow: number
    readonly slowMost: number
  }
  /** When logs are compacted, and in what pieces snapshots go; absent = as the product does, so never. */
  readonly compaction?: { readonly every: number; readonly kept: number; readonly piece: number }
  /** The newest format that each replica's release reads at first; absent = they all have this one. */
  readonly formats?: readonly number[]
  /** Bounds of consensus: entries in one append, appends on their way to one follower. */
  readonly raft: { readonly appendEntries: number; readonly inflight: number }
  /** Each replica's loop: how many inputs a turn takes at most, and how long it is busy. */
  readonly loop: { readonly batchMost: number; readonly busyMost: number }
  readonly clock: { readonly driftPpm: readonly number[]; readonly wallSkew: readonly number[] }
  /** True: one next hop for all calls; false: the Request-URI decides. */
  readonly nextHop: boolean
  /** Calls at a time, all and by where they go; absent = as many as come. */
  readonly bounds?: CallBounds
  /** The next hops of INVITEs, if there are several (forks.ts); absent = one. */
  readonly forks?: string
  /** The set is the edge proxy of phones that register; absent = nobody does. */
  readonly edge?: PlannedEdge
  /** What the set is told of when calls end; absent = nothing. */
  readonly lifetime?: PlannedLifetime
  /** Whose calls they are; absent = nobody's. */
  readonly application?: ApplicationName | OwnModule
  /** Seconds after which the set key has a successor; absent = never. */
  readonly keyAge?: number
  /** Keys that several clients create at once; absent = none. */
  readonly races?: readonly PlannedRace[]
  /** The run ends when all calls are over and nothing is due, not only when all of it is forgotten 64*T1 later. */
  readonly isBrief?: boolean
}

const second = 1_000_000
/** When the first call starts: elections and admission are over, unless faults came early. */
const firstCall = 3 * second

/** What is printed before anything happens: the world, then what befalls it, in the order of time. */
export function describePlan(plan: Plan): readonly string[] {
  const { faults, calls, lookups = [], races = [], ...world } = plan
  const happenings = [
    ...faults.map((fault) => ({ at: timeOf(fault), text: describeFault(fault) })),
    ...calls.map(({ at, flow }) => ({ at, text: `call ${flow}` })),
    ...races.map(({ at, clients }, i) => ({ at, text: `${clients} clients create key-${i + 1}` })),
    ...lookups.map(({ at, replica, call }) => ({ at, text: `replica ${replica} is asked about call ${call}` })),
  ].sort((a, b) => a.at - b.at)
  return [`plan ${JSON.stringify(world)}`, ...happenings.map(({ at, text }) => `  ${formatTime(at)} ${text}`)]
}

/** The plan of a seed. */
export function drawPlan(seed: number): Plan {
  const of = (kind: string): Draw => draw(seed, `plan ${kind}`)
  const swarm = of('swarm')
  const enabled = (fault: number): boolean => swarm.chance(700_000, fault)
  const safetyUntil = of('length').within(20, 50) * second + drawLonger(seed)
  const replicas = of('replicas').chance(150_000) ? 5 : 3
  const ways = drawWays(seed)
  const odds = enabled(12) ? of('odd phones').within(20_000, 300_000) : 0
  const calls = withWays(seed, ways, drawCalls(seed, safetyUntil, enabled(11), odds))
  const lossy = enabled(1)
  const delayed = enabled(2)
  const slowDisk = enabled(3)
  // Crystals are within 200 ppm; what NTP may slew by is 500, and the simulator's loop bears 1,000.
  const drift = of('drifts').chance(150_000) ? 900 : 200
  const delayLeast = of('udp delay').within(50, delayed ? 20_000 : 500)
  const peerLeast = of('peer delay').within(30, delayed ? 5_000 : 300)
  const struck = drawFaults(seed, replicas, safetyUntil, calls)
  const all = drawMembers(seed, { replicas, until: safetyUntil, calls }, struck)
  // An older release has nothing of the ways that calls may go (docs/decisions/0020).
  const isPlain = ways.forks === undefined && ways.lifetime === undefined && ways.edge === undefined
  const { faults, ...releases } = isPlain ? drawReleases(seed, replicas, all) : { faults: all }
  return {
    seed,
    replicas,
    safetyUntil,
    calls,
    faults,
    udp: {
      loss: lossy ? of('udp loss').within(1_000, 80_000) : 0,
      duplication: enabled(7) ? of('udp duplication').within(1_000, 80_000) : 0,
      delayLeast,
      delayMost: delayLeast + of('udp jitter').within(0, delayed ? 60_000 : 1_000),
      straggle: delayed ? of('udp straggle').within(0, 30_000) : 0,
      straggleMost: of('straggle').chance(200_000) ? 10 * second : 1.5 * second,
      replay: enabled(11) ? of('udp replay').within(1_000, 30_000) : 0,
    },
    address: drawAddress(seed),
    peer: {
      delayLeast: peerLeast,
      delayMost: peerLeast + of('peer jitter').within(0, delayed ? 30_000 : 500),
      late: enabled(8) ? 300_000 : 0,
    },
    disk: {
      syncLeast: 100,
      syncMost: of('slow disk').chance(150_000) ? of('sync').within(8_000, 120_000) : of('sync').within(200, 8_000),
      slow: slowDisk ? of('slow sync').within(1_000, 20_000) : 0,
      slowMost: 200_000,
    },
    // Drawn sizes find more (proof.md); half of the seeds have those of the product.
    raft: of('raft').chance(500_000)
      ? { appendEntries: limits.appendEntries, inflight: limits.inflight }
      : { appendEntries: [1, 2, 3, 8][of('append').below(4)] as number, inflight: of('inflight').within(1, 6) },
    loop: { batchMost: [1, 2, 4, 16, 64][of('batch').below(5)] as number, busyMost: of('busy').within(20, 2_000) },
    clock: {
      driftPpm: Array.from({ length: replicas }, (_, i) => of('drift').within(-drift, drift, i)),
      wallSkew: drawSkews(seed, replicas, faults),
    },
    nextHop: ways.forks !== undefined || ways.edge !== undefined || of('next hop').chance(600_000),
    // What a calm plan has not comes after what it has: a scenario's text prints it so.
    ...ways,
    ...releases,
    ...drawCompaction(seed),
    lookups: drawLookups(seed, replicas, calls),
  }
}

function drawCalls(seed: number, until: number, streams: boolean, odds: number): readonly PlannedCall[] {
  const calls = draw(seed, 'plan calls')
  const onStreams = streams ? calls.within(100_000, 900_000, 3) : 0
  const isOnStream = (i: number, side: number): boolean => calls.chance(onStreams, 4, i, side)
  const oddity = (i: number): Pick<PlannedCall, 'odd'> => {
    const odd = drawOddity(seed, i, odds)
    return odd === null ? {} : { odd }
  }
  const count = calls.within(8, 20)
  return Array.from({ length: count }, (_, i) => ({
    flow: drawnFlowNames[calls.below(drawnFlowNames.length, 1, i)] as string,
    at: calls.within(firstCall, until - 2 * second, 2, i),
    ...(isOnStream(i, 1) ? { caller: 'tcp' as const } : {}),
    ...(isOnStream(i, 2) ? { callee: 'tcp' as const } : {}),
    ...oddity(i),
  })).sort((a, b) => a.at - b.at)
}

/** In half of the seeds, so often that some replicas that were away find the log purged: a call makes some twenty entries. */
function drawCompaction(seed: number): Pick<Plan, 'compaction'> {
  const compaction = draw(seed, 'plan compaction')
  if (!compaction.chance(500_000)) return {}
  return {
    compaction: {
      every: [400, 2_000, 8_000, 30_000][compaction.below(4, 1)] as number,
      kept: [0, 3, 10, 60][compaction.below(4, 2)] as number,
      piece: [1, 2_000, 65_536][compaction.below(3, 3)] as number,
    },
  }
}

/** Around what happens in a call, mostly two in a row: the second one must not show less. */
function drawLookups(seed: number, replicas: number, calls: readonly PlannedCall[]): readonly PlannedLookup[] {
  const lookups = draw(seed, 'plan lookups')
  return Array.from({ length: lookups.within(5, 30) }, (_, i) => {
    const number = lookups.within(1, calls.length, 1, i)
    const call = calls[number - 1] as PlannedCall
    const at = call.at + lookups.within(0, lookups.chance(500_000, 2, i) ? 4 * second : 40 * second, 3, i)
    const ask = (k: number): PlannedLookup => ({
      at: at + k * lookups.within(100, 100_000, 4, i),
      replica: lookups.within(1, replicas, 5, i, k),
      call: call.number ?? number,
    })
    return lookups.chance(700_000, 6, i) ? [ask(0), ask(1)] : [ask(0)]
  }).flat()
}

function drawAddress(seed: number): AddressModel {
  const address = draw(seed, 'plan address')
  const kind = address.below(6, 1)
  if (kind === 0) return { kind: 'virtual', movesLeast: 200_000, movesMost: address.within(200_000, 2 * second, 2) }
  if (kind === 1) return { kind: 'names', avoid: address.within(5 * second, 60 * second, 3) }
  return { kind: 'shared' }
}

/** Within 300 ms, but now and then for a minority, of which is the one whose clock jumps: no rule can tell the time by a majority
 * that is wrong, once all who knew it are dead. */
function drawSkews(seed: number, replicas: number, faults: readonly Fault[]): readonly number[] {
  const skews = draw(seed, 'plan skew')
  const wrong = draw(seed, 'plan wrong walls')
  const most = wrong.chance(250_000, 1) ? wrong.within(1, (replicas - 1) >> 1, 2) : 0
  const jumps = faults.find((fault) => fault.kind === 'clock' || fault.kind === 'leap')
  const first = jumps?.replica === undefined ? wrong.below(replicas, 3) : jumps.replica - 1
  return Array.from({ length: replicas }, (_, i) =>
    (i - first + replicas) % replicas < most
      ? wrong.within(-3_600, 3_600, 4, i) * second
      : skews.within(-300_000, 300_000, i),
  )
}

/** Which of the simulator's applications the calls are of; undefined = none of those. */
export function applicationOf({ application }: Plan): ApplicationName | undefined {
  return typeof application === 'string' ? application : undefined
}

/** The module whose applications the calls are of; null = the simulator's own, or none. */
export function moduleOf({ application }: Plan): string | null {
  return typeof application === 'object' ? application.module : null
}
