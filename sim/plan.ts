// What a seed throws at the set: drawn from the seed alone (swarm: each seed a subset of faults, with its own rates and
// sizes), printed before anything happens, and a plain value, so that it can be changed by hand or shrunk.

import { limits } from '../src/replica/limits.ts'
import { draw } from './draws.ts'
import type { Draw } from './draws.ts'
import { drawnFlowNames } from './flows.ts'

/** What happens to a replica or a link. Times are microseconds of true time. */
export type Fault =
  | {
      readonly kind: 'kill'
      readonly at: number
      readonly replica: number
      /** Dies when this many more effects have been carried out: also in the middle of a step. */
      readonly effects: number
      readonly tail: 'kept' | 'part' | 'lost'
      readonly restartAfter: number
    }
  | {
      /** What befalls a replica at a crash point, exactly (crash-points.ts). */
      readonly kind: 'crash'
      readonly point: CrashPoint
      readonly how: Blow
      /** Until it is back. */
      readonly length: number
    }
  | {
      /** The process stops between two effects and goes on after `length`: as SIGSTOP and SIGCONT do. */
      readonly kind: 'pause'
      readonly at: number
      readonly replica: number
      readonly effects: number
      readonly length: number
    }
  | {
      /** A wall clock jumps. */
      readonly kind: 'clock'
      readonly at: number
      readonly replica: number
      readonly by: number
    }
  | {
      readonly kind: 'partition'
      readonly at: number
      readonly until: number
      /** The replica that is cut off, or one end of the cut. */
      readonly replica: number
      /** Null = from all others. */
      readonly other: number | null
      readonly way: 'both' | 'out' | 'in'
      /** Whether the cut ends its connections (they are made anew when it heals), or its frames just come late. */
      readonly resets: boolean
    }
  | { readonly kind: 'reset'; readonly at: number; readonly replica: number; readonly other: number }

/** A moment between two effects of a replica: the effects of its `input`th input (all its lives counted), and which of that
 * input's moments; those after its records became durable included. */
export interface CrashPoint {
  readonly replica: number
  readonly input: number
  readonly place: number
}

/** Killed with its unsynced records kept or lost; stopped for a while; nothing gets out of it, or nothing into it. */
export type Blow = 'kept' | 'lost' | 'pause' | 'out' | 'in'

export type Transport = 'udp' | 'tcp'

export interface PlannedCall {
  readonly flow: string
  readonly at: number
  /** Names the call: its Call-ID, addresses and waits are drawn by it. Default: its place among the calls, from 1. */
  readonly number?: number
  /** What the two phones speak; UDP if it isn't said. Behind a next hop the callee is called on the caller's. */
  readonly caller?: Transport
  readonly callee?: Transport
  /** People wait as little as their ladder allows, not as long as is drawn. */
  readonly isBrisk?: boolean
}

/** Somebody asks a replica's admin address about a call. */
export interface PlannedLookup {
  readonly at: number
  readonly replica: number
  /** The call's number. */
  readonly call: number
}

export interface Plan {
  readonly seed: number
  readonly replicas: number
  /** True time when faults stop. */
  readonly safetyUntil: number
  readonly calls: readonly PlannedCall[]
  readonly lookups?: readonly PlannedLookup[]
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
  }
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
  /** Bounds of consensus: entries in one append, appends on their way to one follower. */
  readonly raft: { readonly appendEntries: number; readonly inflight: number }
  /** Each replica's loop: how many inputs a turn takes at most, and how long it is busy. */
  readonly loop: { readonly batchMost: number; readonly busyMost: number }
  readonly clock: { readonly driftPpm: readonly number[]; readonly wallSkew: readonly number[] }
  /** True: one next hop for all calls; false: the Request-URI decides. */
  readonly nextHop: boolean
}

const second = 1_000_000
/** When the first call starts: elections and admission are over, unless faults came early. */
const firstCall = 3 * second

/** The plan of a seed. */
export function drawPlan(seed: number): Plan {
  const of = (kind: string): Draw => draw(seed, `plan ${kind}`)
  const swarm = of('swarm')
  const enabled = (fault: number): boolean => swarm.chance(700_000, fault)
  const safetyUntil = of('length').within(20, 50) * second
  const replicas = of('replicas').chance(150_000) ? 5 : 3
  const calls = drawCalls(seed, safetyUntil, enabled(11))
  const lossy = enabled(1)
  const delayed = enabled(2)
  const slowDisk = enabled(3)
  const delayLeast = of('udp delay').within(50, delayed ? 20_000 : 500)
  const peerLeast = of('peer delay').within(30, delayed ? 5_000 : 300)
  return {
    seed,
    replicas,
    safetyUntil,
    calls,
    faults: [
      ...(enabled(4) ? drawKills(seed, replicas, safetyUntil, calls) : []),
      ...(enabled(5) ? drawPartitions(seed, replicas, safetyUntil) : []),
      ...(enabled(6) ? drawResets(seed, replicas, safetyUntil) : []),
      ...(enabled(9) ? drawPauses(seed, replicas, safetyUntil) : []),
      ...(enabled(10) ? drawClockSteps(seed, replicas, safetyUntil) : []),
    ].sort((a, b) => timeOf(a) - timeOf(b)),
    udp: {
      loss: lossy ? of('udp loss').within(1_000, 80_000) : 0,
      duplication: enabled(7) ? of('udp duplication').within(1_000, 80_000) : 0,
      delayLeast,
      delayMost: delayLeast + of('udp jitter').within(0, delayed ? 60_000 : 1_000),
      straggle: delayed ? of('udp straggle').within(0, 30_000) : 0,
      straggleMost: 1_500_000,
    },
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
      driftPpm: Array.from({ length: replicas }, (_, i) => of('drift').within(-200, 200, i)),
      wallSkew: Array.from({ length: replicas }, (_, i) => of('skew').within(-300_000, 300_000, i)),
    },
    nextHop: of('next hop').chance(600_000),
    lookups: drawLookups(seed, replicas, calls),
  }
}

function drawCalls(seed: number, until: number, streams: boolean): readonly PlannedCall[] {
  const calls = draw(seed, 'plan calls')
  const onStreams = streams ? calls.within(100_000, 900_000, 3) : 0
  const transport = (i: number, side: number): Transport => (calls.chance(onStreams, 4, i, side) ? 'tcp' : 'udp')
  const count = calls.within(8, 20)
  return Array.from({ length: count }, (_, i) => ({
    flow: drawnFlowNames[calls.below(drawnFlowNames.length, 1, i)] as string,
    at: calls.within(firstCall, until - 2 * second, 2, i),
    caller: transport(i, 1),
    callee: transport(i, 2),
  })).sort((a, b) => a.at - b.at)
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

/** One replica after another, each back before the next dies; now and then all at once. Half of them while a call begins:
 * most of the time little is under way, and a death in a quiet moment finds nothing half done. */
function drawKills(seed: number, replicas: number, until: number, calls: readonly PlannedCall[]): readonly Fault[] {
  const kills = draw(seed, 'plan kills')
  const tails = ['kept', 'part', 'lost'] as const
  const faults: Fault[] = []
  let at = kills.within(2 * second, 15 * second, 1)
  for (let i = 0; at < until; i++) {
    const restartAfter = kills.within(200_000, 6 * second, 2, i)
    const everyone = kills.chance(120_000, 3, i)
    const first = kills.within(1, replicas, 4, i)
    const call = calls.find((one) => one.at >= at)
    if (call !== undefined && kills.chance(500_000, 10, i)) at = call.at + kills.within(0, 40_000, 11, i)
    const victims = everyone ? Array.from({ length: replicas }, (_, k) => k + 1) : [first]
    for (const replica of victims) {
      faults.push({
        kind: 'kill',
        at: at + (everyone ? kills.within(0, 30_000, 5, i, replica) : 0),
        replica,
        effects: kills.below(12, 6, i, replica),
        tail: tails[kills.below(3, 7, i, replica)] as (typeof tails)[number],
        restartAfter: everyone
          ? Math.min(restartAfter, 3 * second) + kills.within(0, second, 8, i, replica)
          : restartAfter,
      })
    }
    at += restartAfter + kills.within(1_500_000, 12 * second, 9, i)
  }
  return faults
}

/** At most 10 s each, 40 s apart (issue 2). */
function drawPartitions(seed: number, replicas: number, until: number): readonly Fault[] {
  const cuts = draw(seed, 'plan partitions')
  const ways = ['both', 'both', 'out', 'in'] as const
  const faults: Fault[] = []
  let at = cuts.within(second, 20 * second, 1)
  for (let i = 0; at < until; i++) {
    const length = cuts.within(200_000, 10 * second, 2, i)
    const replica = cuts.within(1, replicas, 3, i)
    const other = 1 + ((replica - 1 + cuts.within(1, replicas - 1, 4, i)) % replicas)
    faults.push({
      kind: 'partition',
      at,
      until: Math.min(at + length, until),
      replica,
      other: cuts.chance(350_000, 5, i) ? other : null,
      way: ways[cuts.below(ways.length, 6, i)] as (typeof ways)[number],
      resets: cuts.chance(500_000, 7, i),
    })
    at += length + 40 * second
  }
  return faults
}

/** Up to 5 s each (issue 3), now and then a second one before the first is over. */
function drawPauses(seed: number, replicas: number, until: number): readonly Fault[] {
  const pauses = draw(seed, 'plan pauses')
  return Array.from({ length: pauses.within(1, 8, 1) }, (_, i) => {
    const length = pauses.chance(500_000, 2, i)
      ? pauses.within(2 * second, 5 * second, 3, i)
      : pauses.within(50_000, 2 * second, 3, i)
    return {
      kind: 'pause' as const,
      at: pauses.within(2 * second, until - 5 * second, 4, i),
      replica: pauses.within(1, replicas, 5, i),
      effects: pauses.below(12, 6, i),
      length,
    }
  })
}

/** One replica's wall clock is wrong, by up to an hour either way: a minority. */
function drawClockSteps(seed: number, replicas: number, until: number): readonly Fault[] {
  const steps = draw(seed, 'plan clock')
  const replica = steps.within(1, replicas, 1)
  return Array.from({ length: steps.within(1, 3, 2) }, (_, i) => ({
    kind: 'clock' as const,
    at: steps.within(0, until, 3, i),
    replica,
    by: steps.within(-3_600, 3_600, 4, i) * second,
  }))
}

/** When a fault is due; a crash point has its place in the work, not in time. */
export function timeOf(fault: Fault): number {
  return fault.kind === 'crash' ? 0 : fault.at
}

function drawResets(seed: number, replicas: number, until: number): readonly Fault[] {
  const resets = draw(seed, 'plan resets')
  return Array.from({ length: resets.within(1, 12, 1) }, (_, i) => {
    const replica = resets.within(1, replicas, 2, i)
    const other = 1 + ((replica - 1 + resets.within(1, replicas - 1, 3, i)) % replicas)
    return { kind: 'reset' as const, at: resets.within(second, until, 4, i), replica, other }
  })
}
