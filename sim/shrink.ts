// Makes a failing plan smaller (proof.md, "Shrinking"): a fast-check value whose simpler forms have fewer calls and faults, a
// network, disks and clocks nearer to the calm ones, and rounder times. Draws are keyed by what they are about, so whatever
// is taken out leaves the rest alone.
//
//   fewer calls, fewer faults -> a calmer world -> rounder times -> again, until a round changes nothing
//
// A move that keeps the failure is kept and the next one starts from there; none is tried twice in a round.

import { Arbitrary, Value, stream } from 'fast-check'
import type { Stream } from 'fast-check'
import { replicasOf, timeOf } from './fault.ts'
import { flowNamed } from './flows.ts'
import type { Fault, Plan, PlannedCall, PlannedLookup } from './plan.ts'
import { calm } from './scenarios.ts'

/** A simpler plan, or null if this one is as simple already. */
type Move = (plan: Plan) => Plan | null

/** Where in a round a plan was found: the moves of a stage are made for the plan that it began with. */
interface Place {
  readonly stage: number
  readonly moves: readonly Move[]
  readonly at: number
  readonly gained: boolean
}

const stages: readonly ((plan: Plan) => readonly Move[])[] = [fewer, calmer, rounder]

/** The plan itself, which shrinks to simpler ones. */
export function plansBelow(plan: Plan): Arbitrary<Plan> {
  return new PlansBelow(plan)
}

class PlansBelow extends Arbitrary<Plan> {
  readonly #plan: Plan

  constructor(plan: Plan) {
    super()
    this.#plan = plan
  }

  override generate(): Value<Plan> {
    return new Value(this.#plan, undefined)
  }

  override canShrinkWithoutContext(_value: unknown): _value is Plan {
    return true
  }

  override shrink(plan: Plan, context: unknown): Stream<Value<Plan>> {
    return stream(simpler(plan, context as Place | undefined))
  }
}

function* simpler(plan: Plan, from: Place | undefined): IterableIterator<Value<Plan>> {
  let place = from ?? stageOf(0, plan, false)
  for (;;) {
    for (let { at } = place; at < place.moves.length; at++) {
      const next = (place.moves[at] as Move)(plan)
      if (next !== null) yield new Value(next, { ...place, at: at + 1, gained: true } satisfies Place)
    }
    const isRoundOver = place.stage + 1 === stages.length
    if (isRoundOver && !place.gained) return
    place = isRoundOver ? stageOf(0, plan, false) : stageOf(place.stage + 1, plan, place.gained)
  }
}

function stageOf(stage: number, plan: Plan, gained: boolean): Place {
  return { stage, moves: stages[stage]?.(plan) ?? [], at: 0, gained }
}

function fewer(plan: Plan): readonly Move[] {
  const numbers = plan.calls.map(numberOf)
  return [
    ...chunksOf(numbers).map(withoutCalls),
    ...chunksOf(plan.faults).map(withoutFaults),
    ...chunksOf(plan.lookups ?? []).map(withoutLookups),
    withoutCompaction,
    withoutForks,
    withoutLifetime,
    withoutEdge,
    ...plainCalls(plan),
    fewerReplicas,
    shorter,
  ]
}

/** All of them, then each half, each quarter, ... each one. */
function chunksOf<T>(items: readonly T[]): readonly ReadonlySet<T>[] {
  const chunks: ReadonlySet<T>[] = []
  for (let size = items.length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < items.length; at += size) chunks.push(new Set(items.slice(at, at + size)))
  }
  return chunks
}

/** A call that stays keeps its number: its draws are keyed by it. */
function withoutCalls(chunk: ReadonlySet<number>): Move {
  return (plan) => {
    const left = plan.calls
      .map((call, i) => ({ call, number: numberOf(call, i) }))
      .filter(({ number }) => !chunk.has(number))
    if (left.length === plan.calls.length) return null
    return { ...plan, calls: left.map(({ call, number }, i) => withNumber(call, number, i)) }
  }
}

function numberOf(call: PlannedCall, place: number): number {
  return call.number ?? place + 1
}

function withNumber(call: PlannedCall, number: number, place: number): PlannedCall {
  const plain = withoutNumber(call)
  return number === place + 1 ? plain : { ...plain, number }
}

function withoutNumber(call: PlannedCall): PlannedCall {
  return without(call, 'number')
}

/** The same without an optional field. */
function without<T extends object>(value: T, field: string): T {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== field)) as unknown as T
}

/** What sets a call apart from one of two good phones on UDP: gone from all calls, then from each. */
function plainCalls({ calls }: Plan): readonly Move[] {
  const everywhere = new Set(calls.keys())
  const places = [everywhere, ...calls.map((_call, at) => new Set([at]))]
  return places.flatMap((chunk) => (['odd', 'caller', 'callee'] as const).map((field) => plainer(chunk, field)))
}

function plainer(places: ReadonlySet<number>, field: 'odd' | 'caller' | 'callee'): Move {
  return (plan) => {
    if (!plan.calls.some((call, i) => places.has(i) && call[field] !== undefined)) return null
    return { ...plan, calls: plan.calls.map((call, i) => (places.has(i) ? without(call, field) : call)) }
  }
}

function withoutFaults(chunk: ReadonlySet<Fault>): Move {
  return (plan) => {
    const faults = plan.faults.filter((fault) => !chunk.has(fault))
    return faults.length === plan.faults.length ? null : { ...plan, faults }
  }
}

function withoutLookups(chunk: ReadonlySet<PlannedLookup>): Move {
  return ({ lookups = [], ...plan }) => {
    const left = lookups.filter((lookup) => !chunk.has(lookup))
    if (left.length === lookups.length) return null
    return left.length === 0 ? plan : { ...plan, lookups: left }
  }
}

function withoutCompaction(plan: Plan): Plan | null {
  return plan.compaction === undefined ? null : without(plan, 'compaction')
}

/** A call that forks needs somewhere to go... */
function withoutForks(plan: Plan): Plan | null {
  const isNeeded = plan.calls.some(({ flow }) => (flowNamed(flow)?.fork ?? null) !== null)
  return plan.forks === undefined || isNeeded ? null : without(plan, 'forks')
}

/** ...and one that the set is to end, somebody who does that. */
function withoutLifetime(plan: Plan): Plan | null {
  const isNeeded = plan.calls.some(({ flow }) => (flowNamed(flow)?.lifetime ?? null) !== null)
  return plan.lifetime === undefined || isNeeded ? null : without(plan, 'lifetime')
}

/** Phones that are called where they are, by nobody's Path. */
function withoutEdge(plan: Plan): Plan | null {
  if (plan.edge === undefined) return null
  return without({ ...plan, calls: plan.calls.map((call) => without(without(call, 'line'), 'isForged')) }, 'edge')
}

const replicasLeast = 3

function fewerReplicas(plan: Plan): Plan | null {
  if (plan.replicas <= replicasLeast || plan.faults.some((fault) => highestReplica(fault) > replicasLeast)) return null
  const { lookups = [], ...rest } = plan
  const asked = lookups.filter(({ replica }) => replica <= replicasLeast)
  return { ...rest, ...(asked.length === 0 ? {} : { lookups: asked }), replicas: replicasLeast }
}

function highestReplica(fault: Fault): number {
  return Math.max(0, ...replicasOf(fault))
}

const second = 1_000_000

/** Faults may stop once the last one has struck and the last call has begun. */
function shorter(plan: Plan): Plan | null {
  const ends = plan.faults.map((fault) => ('until' in fault ? fault.until : timeOf(fault)))
  const least = Math.max(second, ...plan.calls.map(({ at }) => at), ...ends)
  const safetyUntil = Math.ceil(least / (5 * second)) * 5 * second
  return safetyUntil < plan.safetyUntil ? { ...plan, safetyUntil } : null
}

/** Each part of the world as in a calm one; where that is too much, each of its fields. */
function calmer(plan: Plan): readonly Move[] {
  return worldParts.flatMap((part) => [
    calmerPart(part),
    ...Object.keys(plan[part] as object).map((field) => calmerField(part, field)),
  ])
}

const { seed: _, replicas: _r, safetyUntil: _s, calls: _c, faults: _f, ...calmWorld } = calm(0, [], [])
const worldParts = Object.keys(calmWorld) as readonly (keyof typeof calmWorld)[]

function calmerPart(part: keyof typeof calmWorld): Move {
  return (plan) => (isSame(plan[part], calmWorld[part]) ? null : { ...plan, [part]: calmWorld[part] })
}

function calmerField(part: keyof typeof calmWorld, field: string): Move {
  return (plan) => {
    const now = plan[part] as unknown as Readonly<Record<string, unknown>>
    const calm = (calmWorld[part] as unknown as Readonly<Record<string, unknown>>)[field]
    const calmed = { ...now, [field]: calm }
    return calm === undefined || isSame(now[field], calm) || !isOrdered(calmed) ? null : { ...plan, [part]: calmed }
  }
}

/** Whether each ...Least is at most its ...Most. */
function isOrdered(part: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(part).every(([field, least]) => {
    const most = field.endsWith('Least') ? part[field.replace(/Least$/, 'Most')] : undefined
    return typeof least !== 'number' || typeof most !== 'number' || least <= most
  })
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** Rounder times of faults and calls; what a fault counts is 0; rates and limits of the world have one digit. */
function rounder(plan: Plan): readonly Move[] {
  return [
    renumbered,
    ...worldParts.flatMap((part) => Object.keys(plan[part] as object).map((field) => rounderRate(part, field))),
    ...plan.calls.map((_call, at) => onDatagrams(at)),
    ...plan.faults.flatMap((_fault, at) => [withoutDetail(at, 'damage'), withoutDetail(at, 'share')]),
    ...plan.calls.flatMap((_call, at) => grains.map((grain) => rounderCall(at, grain))),
    ...plan.faults.flatMap((fault, at) =>
      Object.keys(fault)
        .filter((field) => !addresses.has(field))
        .flatMap((field) => grains.map((grain) => rounderField(at, field, grain))),
    ),
  ]
}

const grains: readonly number[] = [second, second / 10, second / 100, 1_000]
/** Fields of a fault that say where, not when or how much. */
const addresses: ReadonlySet<string> = new Set(['replica', 'other', 'point'])

/** Other draws than under the old number, and maybe the same failure. */
function renumbered(plan: Plan): Plan | null {
  if (plan.calls.every(({ number }) => number === undefined)) return null
  return { ...plan, calls: plan.calls.map(withoutNumber) }
}

function rounderRate(part: keyof typeof calmWorld, field: string): Move {
  return (plan) => {
    const now = plan[part] as unknown as Readonly<Record<string, unknown>>
    const value = now[field]
    if (typeof value !== 'number' || isSame(plan[part], calmWorld[part])) return null
    const grain = 10 ** (String(Math.abs(value)).length - 1)
    const round = Math.round(value / grain) * grain
    const rounder = { ...now, [field]: round }
    return round === value || !isOrdered(rounder) ? null : { ...plan, [part]: rounder }
  }
}

/** Both phones speak UDP. */
function onDatagrams(at: number): Move {
  return (plan) => {
    const call = plan.calls[at] as PlannedCall
    const plain = without(without(call, 'caller'), 'callee')
    if (isSame(call, plain)) return null
    return { ...plan, calls: plan.calls.map((one, i) => (i === at ? plain : one)) }
  }
}

/** A fault without a field that it may have. */
function withoutDetail(at: number, field: string): Move {
  return (plan) => {
    const fault = plan.faults[at] as Fault
    if (!(field in fault)) return null
    const plain = without(fault, field)
    return { ...plan, faults: plan.faults.map((one, i) => (i === at ? plain : one)) }
  }
}

function rounderCall(at: number, grain: number): Move {
  return (plan) => {
    const time = rounded((plan.calls[at] as PlannedCall).at, grain)
    return time === null
      ? null
      : { ...plan, calls: plan.calls.map((call, i) => (i === at ? { ...call, at: time } : call)) }
  }
}

function rounderField(at: number, field: string, grain: number): Move {
  return (plan) => {
    const fault = plan.faults[at] as Fault
    const value = (fault as unknown as Readonly<Record<string, unknown>>)[field]
    const round = typeof value === 'number' ? rounded(value, grain) : null
    if (round === null) return null
    const plainer: Fault = { ...fault, [field]: round }
    // A cut that heals before it begins would never heal.
    if ('until' in plainer && plainer.until <= plainer.at) return null
    return { ...plan, faults: plan.faults.map((one, i) => (i === at ? plainer : one)) }
  }
}

/** The nearest multiple of the grain, or 0 for a small number, which is no time; null if there is nothing to round. */
function rounded(value: number, grain: number): number | null {
  if (Math.abs(value) < 1_000) return grain === second && value !== 0 ? 0 : null
  const round = Math.round(value / grain) * grain
  return value % grain === 0 || round === 0 ? null : round
}
