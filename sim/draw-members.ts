// Who comes to the set and who goes, in some seeds: places are added, removed and begun anew with an empty disk, leadership is
// handed over; half of it while a call begins, some of it aimed at who leads, and some of it struck in the middle by a death or a
// sleep. A set keeps three places, for one of two has no quorum in each death. What else befalls a set befalls newcomers too.

import { draw } from './draws.ts'
import type { Draw } from './draws.ts'
import { timeOf } from './fault.ts'
import type { Fault } from './fault.ts'
import type { PlannedCall } from './plan.ts'

const second = 1_000_000

/** Per million, how many seeds have it. */
const kinds: readonly (readonly [name: string, perMillion: number, drawer: Drawer])[] = [
  ['joins and removals', 250_000, drawChanges],
  ['replacements', 200_000, drawReplacements],
  ['transfers', 250_000, drawTransfers],
]

interface Run {
  readonly replicas: number
  readonly until: number
  readonly calls: readonly PlannedCall[]
}

type Drawer = (draws: Draw, run: Run) => readonly Fault[]

/** The faults with those of membership, in the order of time. */
export function drawMembers(seed: number, run: Run, faults: readonly Fault[]): readonly Fault[] {
  const changes = kinds.flatMap(([name, perMillion, drawer]) => {
    const draws = draw(seed, `plan ${name}`)
    return draws.chance(perMillion, 0) ? drawer(draws, run) : []
  })
  if (changes.length === 0) return faults
  const aims = draw(seed, 'plan aimed at newcomers')
  // While a disk is damaged nobody else is killed: the rest is a quorum.
  const struck = changes
    .flatMap((change, i) => strikes(aims, run, change, i))
    .filter((strike) => strike.kind !== 'kill' || !faults.some((fault) => isDamagedAt(fault, strike.at)))
  return [
    ...faults.map((fault, i) => aimed(aims, withKnownDisk(fault, changes), changes, i)),
    ...changes,
    ...struck,
  ].sort((a, b) => timeOf(a) - timeOf(b))
}

function isDamagedAt(fault: Fault, at: number): boolean {
  if (fault.kind !== 'kill' || fault.damage === undefined) return false
  return fault.at <= at && at < fault.at + fault.restartAfter + fault.damage.mendedAfter
}

/** Who came later has met nobody before, and can't tell another disk from the one that a founder had: a known hole
 * (docs/SIMULATION.md, "What is not simulated"). */
function withKnownDisk(fault: Fault, changes: readonly Fault[]): Fault {
  const comes = changes.some(({ kind }) => kind === 'join' || kind === 'replace')
  if (!comes || fault.kind !== 'kill' || fault.damage?.what !== 'swapped') return fault
  return { ...fault, damage: { ...fault.damage, what: 'gone' } }
}

/** Places come, as many go again, and some of those that went come back: soon enough to be wanted while they still leave. */
function drawChanges(changes: Draw, { replicas, until, calls }: Run): readonly Fault[] {
  const faults: Fault[] = []
  const joins = changes.within(replicas > 3 ? 0 : 1, 2, 1)
  const goes = changes.within(joins === 0 ? 1 : 0, joins + (replicas > 3 ? 1 : 0), 2)
  for (let i = 0; i < joins; i++)
    faults.push({ kind: 'join', at: whenOf(changes, calls, until, 3, i), replica: replicas + 1 + i })
  const gone = new Set<number>()
  for (let i = 0; i < goes; i++) {
    // From when a place more is there than the set began with.
    const least = faults
      .filter(({ kind }) => kind === 'join')
      .map(timeOf)
      .sort((a, b) => a - b)[i]
    const from = replicas > 3 || least === undefined ? 2 * second : least
    const at = from + changes.within(0, Math.max(second, Math.min(12 * second, until - from - 2 * second)), 4, i)
    const replica = changes.within(1, replicas + joins, 5, i)
    if (gone.has(replica)) continue
    gone.add(replica)
    if (changes.chance(400_000, 6, i))
      faults.push({ kind: 'transfer', at: Math.max(second, at - changes.within(100_000, 1_500_000, 7, i)), replica })
    faults.push({ kind: 'remove', at, replica })
    if (changes.chance(350_000, 8, i))
      faults.push({
        kind: 'join',
        at: at + changes.within(10_000, changes.chance(500_000, 9, i) ? second : 8 * second, 10, i),
        replica,
      })
  }
  return faults.filter((fault) => timeOf(fault) < until)
}

/** One disk at a time, which the strike itself sees to. */
function drawReplacements(losses: Draw, { replicas, until, calls }: Run): readonly Fault[] {
  return Array.from({ length: losses.within(1, 3, 1) }, (_, i) => ({
    kind: 'replace' as const,
    at: whenOf(losses, calls, until, 2, i),
    replica: losses.within(1, replicas, 3, i),
    restartAfter: losses.within(50_000, losses.chance(500_000, 4, i) ? second : 5 * second, 5, i),
  }))
}

function drawTransfers(transfers: Draw, { replicas, until, calls }: Run): readonly Fault[] {
  return Array.from({ length: transfers.within(1, 6, 1) }, (_, i) => ({
    kind: 'transfer' as const,
    at: whenOf(transfers, calls, until, 2, i),
    replica: transfers.within(1, replicas, 3, i),
  }))
}

function whenOf(draws: Draw, calls: readonly PlannedCall[], until: number, ...about: readonly number[]): number {
  const at = draws.within(2 * second, until - 3 * second, 11, ...about)
  const call = calls.find((one) => one.at >= at)
  const isAimed = call !== undefined && draws.chance(500_000, 12, ...about)
  return isAimed ? Math.min(call.at + draws.within(0, 4 * second, 13, ...about), until - second) : at
}

/** In the middle of a change somebody dies, or the leader sleeps. */
function strikes(aims: Draw, { replicas, until }: Run, change: Fault, i: number): readonly Fault[] {
  if (!aims.chance(350_000, 1, i)) return []
  const at = timeOf(change) + aims.within(0, aims.chance(500_000, 2, i) ? 100_000 : 1_500_000, 3, i)
  if (at >= until - second) return []
  const effects = aims.below(12, 4, i)
  if (aims.chance(300_000, 5, i))
    return [{ kind: 'leader-sleeps', at, effects, length: aims.within(1, 5, 6, i) * second }]
  const restartAfter = aims.within(200_000, 4 * second, 7, i)
  return [{ kind: 'kill', at, replica: aims.within(1, replicas, 8, i), effects, tail: 'part', restartAfter }]
}

/** What would befall a founder befalls a newcomer. */
function aimed(aims: Draw, fault: Fault, changes: readonly Fault[], i: number): Fault {
  if (!['kill', 'pause', 'drain', 'slow-replica', 'slow-disk', 'disk-full', 'partition'].includes(fault.kind))
    return fault
  const newcomers = changes.filter((change) => change.kind === 'join' && change.at < timeOf(fault))
  if (newcomers.length === 0 || !aims.chance(300_000, 9, i)) return fault
  const newcomer = newcomers[aims.below(newcomers.length, 10, i)]
  if (newcomer === undefined || newcomer.kind !== 'join') return fault
  if ('other' in fault && fault.other === newcomer.replica) return fault
  return { ...fault, replica: newcomer.replica } as Fault
}
