// Crash points, all of them (proof.md): one call of a flow in a set that serves, and a death at every moment between two
// effects, from the INVITE until nothing is left of the call. And pairs: a second death at every moment of the run that
// follows from the first one, until the first dead one serves again.

import { Census } from './census.ts'
import type { CountedPoint } from './census.ts'
import type { Blow, CrashPoint, Fault } from './fault.ts'
import { flowNamed, flows } from './flows.ts'
import type { Flow } from './ladder.ts'
import type { PlannedEdge } from './edge-plan.ts'
import type { Plan, PlannedCall } from './plan.ts'
import { calm } from './scenarios.ts'
import type { Failure } from './simulate.ts'

/** The flows of `--crash-points`: each has moments that the others don't; `--crash-points=all` has the whole catalogue. */
export const crashFlows: readonly string[] = [
  'basic',
  'ringing-long',
  'cancelled',
  'refused',
  'at-once',
  'early-media',
  'slow-ack',
  'cancelled-at-once',
  'cancel-crossing-answer',
  'cancel-crossing-refusal',
  'declined',
  'rings-for-ever',
  'nobody-there',
  'callee-hangs-up',
  'bye-crossing-bye',
  're-invite',
  're-invite-by-callee',
  're-invite-refused',
  'glare',
  'basic-on-streams',
  'refused-on-streams',
  'cancelled-on-streams',
  'long-invite',
  'long-invite-refused-streams',
  'basic-compacted',
]

/** What the name of any flow may end with, and the world in which it goes then. */
const settings: Readonly<Record<string, (plan: Plan) => Plan>> = {
  '-by-flow': (plan) => registered(plan, { transport: 'tcp', outbound: true, back: [200_000, 900_000] }),
  '-by-datagrams': (plan) => registered(plan, { transport: 'udp', outbound: true, back: [0, 0] }),
  '-by-path': (plan) => registered(plan, { transport: 'tcp', outbound: false, back: [200_000, 900_000] }),
  '-by-a-flow-that-ended': flowEnded,
  '-by-a-forged-flow': forged,
  '-compacted': compacted,
  '-banned': banned,
  '-detached': detached,
  '-joined': joined,
}

/** Those of `--crash-points=all`. */
export const settingFlows: readonly string[] = [
  'basic-compacted',
  'basic-banned',
  'small-talk-banned',
  'small-talk-detached',
  'keyed-call-joined',
  'replaced-joined',
  're-invite-detached',
  'basic-by-flow',
  'cancelled-by-flow',
  'refused-by-flow',
  'callee-hangs-up-by-flow',
  're-invite-by-callee-by-flow',
  'basic-by-datagrams',
  'basic-by-path',
  'at-once-by-a-flow-that-ended',
  'at-once-by-a-forged-flow',
]

function settingOf(name: string): string | undefined {
  return Object.keys(settings).find((setting) => name.endsWith(setting))
}

/** The call flow of a run of that name. */
export function flowOf(name: string): string {
  return name.slice(0, name.length - (settingOf(name)?.length ?? 0))
}

/** The five shortest that seeds draw: fewest lines, then least time. */
export const pairFlows: readonly string[] = flows
  .filter(({ isDrawn }) => isDrawn)
  .toSorted((a, b) => a.steps.length - b.steps.length || timeOf(a) - timeOf(b))
  .slice(0, 5)
  .map(({ name }) => name)

const second = 1_000_000
const replicas = 3
/** All serve by then; a census checks it. */
const callAt = 2.6 * second
/** Long enough for a takeover, short enough that the dead one is back while the call goes on. */
const deadFor = 3 * second
/** When a registered phone is called once more: it has registered again by then, whoever died. */
const againAfter = 6 * second
/** A pause and a cut are for longer than any patience of the set's own (proof.md). */
const awayFor = 5 * second

const blows: readonly Blow[] = ['kept', 'lost', 'pause', 'out', 'in']

interface Strike {
  readonly point: CrashPoint
  readonly how: Blow
}

/** One death, or two. */
export interface CrashRun {
  readonly flow: string
  readonly seed: number
  /** Where a user's simulation is that has the flow; absent = the catalogue has it. */
  readonly module?: string
  /** In the order in which they happen. */
  readonly strikes: readonly Strike[]
}

function timeOf({ steps }: Flow): number {
  return steps.reduce((sum, { waitLeast }) => sum + waitLeast, 0)
}

/** Looks at the call's session and changes it, at each replica in turn. */
const browser = {
  at: callAt + 0.06 * second,
  until: callAt + 3 * second,
  requests: 12,
  think: 120_000,
  call: 1,
} as const

/** The flow without a fault. The seed says who leads, who owns the call, where its messages arrive, and each delay. */
function calmPlan(name: string, seed: number, module: string | null): Plan {
  if (module !== null) {
    const own = calm(seed, [{ flow: name, at: callAt, isBrisk: true }], [])
    return { ...own, application: { module }, safetyUntil: callAt }
  }
  const flow = flowNamed(flowOf(name))
  const fork = flow?.fork
  const forks = fork === undefined || fork === null ? {} : { forks: fork.forks }
  const lifetime = flow?.lifetime ?? null
  const application = flow?.application ?? null
  const calls = [{ flow: flowOf(name), at: callAt, isBrisk: true }]
  const browsers = application === 'pages' ? [browser] : []
  const told = {
    browsers,
    ...(lifetime === null ? {} : { lifetime }),
    ...(application === null ? {} : { application }),
  }
  const plan = { ...calm(seed, calls, []), ...forks, ...told, safetyUntil: callAt }
  const setting = settings[settingOf(name) ?? '']
  return setting === undefined ? plan : setting(plan)
}

/** Its callee registers by way of the set, and has another call when the first one may be over. */
function registered(plan: Plan, edge: PlannedEdge): Plan {
  const [first] = plan.calls
  const at = callAt + againAfter
  const again: PlannedCall = { flow: 'at-once', at, number: 2, line: 1, isBrisk: true }
  return { ...plan, edge, calls: [...(first === undefined ? [] : [{ ...first, number: 1 }]), again], safetyUntil: at }
}

/** The network ends the phone's connection when it has registered, and it is slow to make another one: the first caller hears that. */
function flowEnded(plan: Plan): Plan {
  const edged = registered(plan, { transport: 'tcp', outbound: true, back: [3 * second, 3 * second] })
  const reset = { side: 'callee', oddity: { kind: 'reset', after: 600_000 } } as const
  const [first, ...others] = edged.calls
  // Somebody must have it register before.
  const calls = [{ flow: 'at-once', at: callAt, number: 3, isBrisk: true, line: 1, odd: reset }]
  return { ...edged, calls: [...calls, ...(first === undefined ? [] : [{ ...first, at: callAt + second }]), ...others] }
}

/** Its caller has tampered with the Path. */
function forged(plan: Plan): Plan {
  const edged = registered(plan, { transport: 'tcp', outbound: true, back: [200_000, 900_000] })
  return { ...edged, calls: edged.calls.map((call, i) => (i === 0 ? { ...call, isForged: true } : call)) }
}

/** Logs are compacted all the time, and one replica is away until the call is up, so that it gets a snapshot. */
function compacted(plan: Plan): Plan {
  const away = { replica: (plan.seed % replicas) + 1, effects: 0, tail: 'kept', restartAfter: 1.5 * second } as const
  return {
    ...plan,
    safetyUntil: callAt + second,
    faults: [{ kind: 'kill', at: callAt + 1_000, ...away }],
    compaction: { every: 200, kept: 0, piece: 1 },
  }
}

/** The caller is banned while the call goes on, for less than its phone repeats what it says; and a stranger, until that runs out. */
function banned(plan: Plan): Plan {
  const [from, until] = [callAt + 20_000, callAt + 3 * second]
  const caller: Fault = { kind: 'ban', at: from, until, source: '10.0.0.1', isOutlasted: true }
  const stranger: Fault = { kind: 'ban', at: from, until, source: '10.200.0.0/16', runsOut: true }
  return { ...plan, safetyUntil: until, faults: [caller, stranger] }
}

/** Another call begins while this one is up: of a flow whose application has a key, both are one session's. */
function joined(plan: Plan): Plan {
  const [first] = plan.calls
  if (first === undefined) return plan
  const [flow, after] = first.flow === 'replaced' ? ['replaces', 2 * second] : [first.flow, 300_000]
  return { ...plan, calls: [first, { ...first, flow, at: first.at + after }] }
}

/** All replicas are cut off from one another while the call goes on. */
function detached(plan: Plan): Plan {
  const [at, until] = [callAt + 120_000, callAt + 4 * second]
  const faults: readonly Fault[] = [{ kind: 'split', at, until, groups: [[1], [2], [3]], resets: false }]
  return { ...plan, safetyUntil: until, faults }
}

export function crashPlan({ flow, seed, module, strikes }: CrashRun): Plan {
  const faults = strikes.map(({ point, how }): Fault => {
    const length = how === 'kept' || how === 'lost' ? deadFor : awayFor
    return { kind: 'crash', point, how, length }
  })
  // That all is forgotten in the end is shown by the single deaths.
  const isBrief = strikes.length > 1 || strikes.some(({ how }) => how !== 'kept' && how !== 'lost')
  const plan = calmPlan(flow, seed, module ?? null)
  return { ...plan, faults: [...plan.faults, ...faults], ...(isBrief ? { isBrief } : {}) }
}

/** A run in which crash points are counted: with that census. */
export interface Count {
  readonly plan: Plan
  readonly census: Census
  /** What was counted, if that came of the run. Throws if nothing can be made of it. */
  points(failure: Failure | null): readonly CountedPoint[]
}

/** Every crash point of the flow under that seed. A fault-free run that fails, or a set that does not serve yet, throws. */
export function countOf(flow: string, seed: number, module: string | null = null): Count {
  const census = new Census({ kind: 'from', at: callAt })
  const points = (failure: Failure | null): readonly CountedPoint[] => {
    if (failure !== null) throw new Error(`${flow} fails without a crash: ${failure.promise}: ${failure.text}`)
    if (census.servingAtStart !== replicas)
      throw new Error(`${flow}: ${census.servingAtStart} of ${replicas} replicas serve when the call starts`)
    return census.points
  }
  return { plan: calmPlan(flow, seed, module), census, points }
}

/** Every crash point of a run with one death, until the dead one serves again. A run that fails has none: it is found anyhow. */
export function secondCountOf(run: CrashRun): Count {
  const census = new Census({ kind: 'after-death' })
  return { plan: crashPlan(run), census, points: (failure) => (failure === null ? census.points : []) }
}

/** Both ways a disk can end, where they differ; with `away`, also a pause of 5 s and a cut of each way. */
export function crashRunsOf(
  flow: string,
  seed: number,
  points: readonly CountedPoint[],
  away: boolean,
  module: string | null = null,
): readonly CrashRun[] {
  const own = module === null ? {} : { module }
  return strikesAt(points, away).map((strike) => ({ flow, seed, ...own, strikes: [strike] }))
}

/** The same run with a second death at each of these points. */
export function pairsOf(run: CrashRun, points: readonly CountedPoint[]): readonly CrashRun[] {
  return strikesAt(points, false).map((strike) => ({ ...run, strikes: [...run.strikes, strike] }))
}

function strikesAt(points: readonly CountedPoint[], away: boolean): readonly Strike[] {
  return points.flatMap(({ replica, input, place, hasTail }) => {
    const deaths: readonly Blow[] = hasTail ? ['kept', 'lost'] : ['kept']
    const all: readonly Blow[] = away ? [...deaths, 'pause', 'out', 'in'] : deaths
    return all.map((how) => ({ point: { replica, input, place }, how }))
  })
}

/** As `--crash-points=` takes it. */
export function nameOfRun({ flow, seed, strikes }: CrashRun): string {
  const names = strikes.map(({ point, how }) => `${point.replica}/${point.input}/${point.place}/${how}`)
  return `${flow}/${seed}/${names.join('+')}`
}

/** `isFlow`: of the names of flows. */
export function readRun(name: string, isFlow = isKnown): CrashRun | null {
  const [, flow = '', seed = '', rest = ''] = /^([^/]+)\/([0-9]{1,9})\/(.+)$/.exec(name) ?? []
  if (!isFlow(flow)) return null
  const strikes = rest.split('+').map(readStrike)
  const read = strikes.filter((strike) => strike !== null)
  return read.length === strikes.length && read.length <= 2 ? { flow, seed: Number(seed), strikes: read } : null
}

function isKnown(flow: string): boolean {
  return flowNamed(flowOf(flow)) !== undefined
}

function readStrike(text: string): Strike | null {
  const match = /^([0-9]{1,9})\/([0-9]{1,9})\/([0-9]{1,9})\/([a-z]+)$/.exec(text)
  const [replica, input, place] = (match?.slice(1, 4) ?? []).map(Number)
  const how = blows.find((one) => one === match?.[4])
  if (replica === undefined || input === undefined || place === undefined || how === undefined) return null
  return replica >= 1 && replica <= replicas ? { point: { replica, input, place }, how } : null
}
