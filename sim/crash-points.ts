// Crash points, all of them (proof.md): one call of a flow in a set that serves, and a death at every moment between two
// effects, from the INVITE until nothing is left of the call.

import { Census } from './census.ts'
import type { CountedPoint } from './census.ts'
import { flowNamed } from './flows.ts'
import type { Blow, CrashPoint, Plan } from './plan.ts'
import { calm } from './scenarios.ts'
import { simulate } from './simulate.ts'

/** The flows of `--crash-points`; `--crash-points=all` has the whole catalogue. */
export const crashFlows: readonly string[] = ['basic', 'ringing-long', 'cancelled', 'refused']

const second = 1_000_000
const replicas = 3
/** All serve by then; a census checks it. */
const callAt = 2.6 * second
/** Long enough for a takeover, short enough that the dead one is back while the call goes on. */
const deadFor = 3 * second
/** A pause and a cut are for longer than any patience of the set's own (proof.md). */
const awayFor = 5 * second

const blows: readonly Blow[] = ['kept', 'lost', 'pause', 'out', 'in']

/** One death. */
export interface CrashRun {
  readonly flow: string
  readonly seed: number
  readonly point: CrashPoint
  readonly how: Blow
}

/** The flow without a fault. The seed says who leads, who owns the call, where its messages arrive, and each delay. */
function calmPlan(flow: string, seed: number): Plan {
  return { ...calm(seed, [{ flow, at: callAt, isBrisk: true }], []), safetyUntil: callAt }
}

export function crashPlan({ flow, seed, point, how }: CrashRun): Plan {
  const length = how === 'kept' || how === 'lost' ? deadFor : awayFor
  return { ...calmPlan(flow, seed), faults: [{ kind: 'crash', point, how, length }] }
}

/** Every crash point of the flow under that seed. A fault-free run that fails, or a set that does not serve yet, throws. */
export function crashPointsOf(flow: string, seed: number): readonly CountedPoint[] {
  const census = new Census(callAt)
  const { failure } = simulate(calmPlan(flow, seed), null, census)
  if (failure !== null) throw new Error(`${flow} fails without a crash: ${failure.promise}: ${failure.text}`)
  if (census.servingAtStart !== replicas)
    throw new Error(`${flow}: ${census.servingAtStart} of ${replicas} replicas serve when the call starts`)
  return census.points
}

/** Both ways a disk can end, where they differ; with `away`, also a pause of 5 s and a cut of each way. */
export function crashRunsOf(
  flow: string,
  seed: number,
  points: readonly CountedPoint[],
  away: boolean,
): readonly CrashRun[] {
  return points.flatMap(({ replica, input, place, hasTail }) => {
    const deaths: readonly Blow[] = hasTail ? ['kept', 'lost'] : ['kept']
    const blows: readonly Blow[] = away ? [...deaths, 'pause', 'out', 'in'] : deaths
    return blows.map((how) => ({ flow, seed, point: { replica, input, place }, how }))
  })
}

/** As `--crash-points=` takes it. */
export function nameOfRun({ flow, seed, point, how }: CrashRun): string {
  return `${flow}/${seed}/${point.replica}/${point.input}/${point.place}/${how}`
}

export function readRun(name: string): CrashRun | null {
  const [flow = '', seed, replica, input, place, blow, ...more] = name.split('/')
  const how = blows.find((one) => one === blow)
  const [seedNumber, ...where] = [seed, replica, input, place].map((text = '') =>
    /^[0-9]{1,9}$/.test(text) ? Number(text) : null,
  )
  if (more.length > 0 || how === undefined || flowNamed(flow) === undefined) return null
  const [of = null, nth = null, at = null] = where
  if (seedNumber === null || seedNumber === undefined || of === null || nth === null || at === null) return null
  if (of < 1 || of > replicas) return null
  return { flow, seed: seedNumber, point: { replica: of, input: nth, place: at }, how }
}
