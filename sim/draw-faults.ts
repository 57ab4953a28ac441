// The faults of a seed: for each kind its own draws, so that none depends on whether another kind is drawn (swarm: each seed
// has a subset). What at most one replica may have at a time (death, a full or damaged disk) is drawn one after another, so
// that as a rule the rest is a quorum; now and then all die at once. Everything else overlaps as it comes.

import { draw } from './draws.ts'
import type { Draw } from './draws.ts'
import { timeOf } from './fault.ts'
import type { Damage, Fault, Tail } from './fault.ts'
import type { PlannedCall } from './plan.ts'

const second = 1_000_000

type Drawer = (draws: Draw, replicas: number, until: number, calls: readonly PlannedCall[]) => readonly Fault[]

/** Per million, how many seeds have it. */
const kinds: readonly (readonly [name: string, perMillion: number, drawer: Drawer])[] = [
  ['kills', 700_000, drawKills],
  ['partitions', 700_000, drawPartitions],
  ['resets', 700_000, drawResets],
  ['pauses', 600_000, drawPauses],
  ['drains', 250_000, drawDrains],
  ['leader sleeps', 250_000, drawLeaderSleeps],
  ['clock', 500_000, drawClockSteps],
  ['flaps', 300_000, drawFlaps],
  ['slow links', 300_000, drawSlowLinks],
  ['slow replicas', 300_000, drawSlowReplicas],
  ['slow disks', 300_000, drawSlowDisks],
  ['full disks', 300_000, drawFullDisks],
  ['bans', 120_000, drawBans],
]

export function drawFaults(
  seed: number,
  replicas: number,
  until: number,
  calls: readonly PlannedCall[],
): readonly Fault[] {
  return kinds
    .flatMap(([name, perMillion, drawer]) => {
      const draws = draw(seed, `plan ${name}`)
      return draws.chance(perMillion, 0) ? drawer(draws, replicas, until, calls) : []
    })
    .sort((a, b) => timeOf(a) - timeOf(b))
}

/** One replica after another, each back before the next dies; now and then all at once. Half of them while a call begins:
 * most of the time little is under way, and a death in a quiet moment finds nothing half done. */
function drawKills(kills: Draw, replicas: number, until: number, calls: readonly PlannedCall[]): readonly Fault[] {
  const tails: readonly Tail[] = ['kept', 'part', 'lost', 'torn', 'holed']
  const faults: Fault[] = []
  let at = kills.within(2 * second, 15 * second, 1)
  for (let i = 0; at < until; i++) {
    const restartAfter = kills.within(200_000, 6 * second, 2, i)
    const everyone = kills.chance(120_000, 3, i)
    const first = kills.within(1, replicas, 4, i)
    const call = calls.find((one) => one.at >= at)
    if (call !== undefined && kills.chance(500_000, 14, i)) at = call.at + kills.within(0, 40_000, 15, i)
    const damage = everyone ? null : drawDamage(kills, i)
    const victims = everyone ? Array.from({ length: replicas }, (_, k) => k + 1) : [first]
    for (const replica of victims) {
      faults.push({
        kind: 'kill',
        at: at + (everyone ? kills.within(0, 30_000, 5, i, replica) : 0),
        replica,
        effects: kills.below(12, 6, i, replica),
        ...(kills.chance(300_000, 16, i, replica) ? { unsynced: true } : {}),
        tail: pick(tails, kills, 7, i, replica),
        share: kills.below(1_000_000, 10, i, replica),
        ...(damage === null ? {} : { damage }),
        restartAfter: everyone
          ? Math.min(restartAfter, 3 * second) + kills.within(0, second, 8, i, replica)
          : restartAfter,
      })
    }
    at += restartAfter + (damage?.mendedAfter ?? 0) + kills.within(1_500_000, 12 * second, 9, i)
  }
  return faults
}

function drawDamage(kills: Draw, i: number): Damage | null {
  if (!kills.chance(150_000, 11, i)) return null
  const what = pick(['flipped', 'gone', 'swapped'] as const, kills, 12, i)
  return { what, mendedAfter: kills.within(second, 10 * second, 13, i) }
}

/** At most 10 s each, 40 s apart (issue 2). */
function drawPartitions(cuts: Draw, replicas: number, until: number): readonly Fault[] {
  const faults: Fault[] = []
  let at = cuts.within(second, 20 * second, 1)
  for (let i = 0; at < until; i++) {
    const length = cuts.within(200_000, 10 * second, 2, i)
    faults.push(drawPartition(cuts, replicas, at, Math.min(at + length, until), i))
    at += length + 40 * second
  }
  return faults
}

function drawPartition(cuts: Draw, replicas: number, at: number, until: number, i: number): Fault {
  const resets = cuts.chance(500_000, 7, i)
  if (cuts.chance(250_000, 8, i)) {
    return { kind: 'split', at, until, groups: drawGroups(cuts, replicas, i), resets }
  }
  const replica = cuts.within(1, replicas, 3, i)
  return {
    kind: 'partition',
    at,
    until,
    replica,
    other: cuts.chance(350_000, 5, i) ? otherThan(replica, cuts, replicas, 4, i) : null,
    way: pick(['both', 'both', 'out', 'in'] as const, cuts, 6, i),
    resets,
  }
}

/** Two groups with a bridge between them, two groups, or everyone alone. */
function drawGroups(cuts: Draw, replicas: number, i: number): readonly (readonly number[])[] {
  const first = cuts.below(replicas, 9, i)
  const order = Array.from({ length: replicas }, (_, k) => 1 + ((first + k) % replicas))
  const shape = cuts.below(5, 10, i)
  if (shape === 0) return order.map((replica) => [replica])
  const half = (replicas - 1) / 2
  if (shape <= 2) return [order.slice(0, half), order.slice(half)]
  return [order.slice(0, half), order.slice(half, 2 * half)]
}

function drawResets(resets: Draw, replicas: number, until: number): readonly Fault[] {
  return Array.from({ length: resets.within(1, 12, 1) }, (_, i) => {
    const replica = resets.within(1, replicas, 2, i)
    const other = otherThan(replica, resets, replicas, 3, i)
    return { kind: 'reset' as const, at: resets.within(second, until, 4, i), replica, other }
  })
}

/** Up to 5 s each (issue 3), now and then a second one before the first is over. */
function drawPauses(pauses: Draw, replicas: number, until: number): readonly Fault[] {
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

/** One of them, or each in turn: a rolling restart. */
function drawDrains(drains: Draw, replicas: number, until: number): readonly Fault[] {
  const isRolling = drains.chance(400_000, 1)
  const first = drains.within(1, replicas, 2)
  const restartAfter = drains.within(100_000, second, 3)
  const step = drains.within(2 * second, 8 * second, 4)
  const at = drains.within(3 * second, until - 6 * second, 5)
  return Array.from({ length: isRolling ? replicas : drains.within(1, 3, 6) }, (_, i) => ({
    kind: 'drain' as const,
    at: at + i * step,
    replica: isRolling ? 1 + ((first - 1 + i) % replicas) : drains.within(1, replicas, 7, i),
    restartAfter,
  })).filter((fault) => fault.at < until - second)
}

function drawLeaderSleeps(sleeps: Draw, _replicas: number, until: number): readonly Fault[] {
  return Array.from({ length: sleeps.within(1, 2, 1) }, (_, i) => ({
    kind: 'leader-sleeps' as const,
    at: sleeps.within(2 * second, until - 6 * second, 2, i),
    effects: sleeps.below(12, 3, i),
    length: 5 * second,
  }))
}

/** One replica's wall clock is wrong, by up to an hour either way: a minority. Some jump as their replica becomes leader. */
function drawClockSteps(steps: Draw, replicas: number, until: number): readonly Fault[] {
  const replica = steps.within(1, replicas, 1)
  return Array.from({ length: steps.within(1, 3, 2) }, (_, i) => ({
    kind: steps.chance(400_000, 5, i) ? ('leap' as const) : ('clock' as const),
    at: steps.within(0, until, 3, i),
    replica,
    by: steps.within(-3_600, 3_600, 4, i) * second,
  }))
}

function drawFlaps(flaps: Draw, replicas: number, until: number): readonly Fault[] {
  const replica = flaps.within(1, replicas, 1)
  const at = flaps.within(2 * second, until - 6 * second, 2)
  return [
    {
      kind: 'flap',
      at,
      until: Math.min(until, at + flaps.within(second, 8 * second, 3)),
      replica,
      other: otherThan(replica, flaps, replicas, 4),
      period: flaps.within(40_000, 1_500_000, 5),
      resets: flaps.chance(500_000, 6),
    },
  ]
}

function drawSlowLinks(slows: Draw, replicas: number, until: number): readonly Fault[] {
  const replica = slows.within(1, replicas, 1)
  return [
    {
      kind: 'slow-link',
      ...spellOf(slows, until, 10 * second),
      replica,
      other: otherThan(replica, slows, replicas, 4),
      delay: slows.within(20_000, 800_000, 5),
    },
  ]
}

function drawSlowReplicas(slows: Draw, replicas: number, until: number): readonly Fault[] {
  const replica = slows.within(1, replicas, 1)
  return [{ kind: 'slow-replica', ...spellOf(slows, until, 8 * second), replica, times: slows.within(10, 100, 4) }]
}

function drawSlowDisks(slows: Draw, replicas: number, until: number): readonly Fault[] {
  const replica = slows.within(1, replicas, 1)
  return [
    { kind: 'slow-disk', ...spellOf(slows, until, 8 * second), replica, sync: slows.within(200_000, 1_200_000, 4) },
  ]
}

function drawFullDisks(fulls: Draw, replicas: number, until: number): readonly Fault[] {
  return [{ kind: 'disk-full', ...spellOf(fulls, until, 8 * second), replica: fulls.within(1, replicas, 1) }]
}

/** Of the caller of some call while it goes on, as a rule; of a block of callers; of addresses that nobody has. */
function drawBans(bans: Draw, _replicas: number, until: number, calls: readonly PlannedCall[]): readonly Fault[] {
  return Array.from({ length: bans.within(1, 3, 1) }, (_, i): Fault => {
    const number = bans.within(1, calls.length, 2, i)
    const kind = bans.below(6, 3, i)
    const source = kind === 0 ? '10.200.0.0/16' : kind === 1 ? `10.0.0.${number & ~3}/30` : `10.0.0.${number}`
    const from = calls[number - 1]?.at ?? 0
    const at = Math.min(Math.max(2 * second, from + bans.within(-second, 6 * second, 4, i)), until - 2 * second)
    const ends = Math.min(until, at + bans.within(500_000, 12 * second, 5, i))
    return { kind: 'ban', at, until: ends, source, ...(bans.chance(300_000, 6, i) ? { runsOut: true } : {}) }
  })
}

function spellOf(draws: Draw, until: number, most: number): { readonly at: number; readonly until: number } {
  const at = draws.within(2 * second, until - 2 * second, 2)
  return { at, until: Math.min(until, at + draws.within(second, most, 3)) }
}

function otherThan(replica: number, draws: Draw, replicas: number, ...about: readonly number[]): number {
  return 1 + ((replica - 1 + draws.within(1, replicas - 1, ...about)) % replicas)
}

function pick<T>(from: readonly T[], draws: Draw, ...about: readonly number[]): T {
  return from[draws.below(from.length, ...about)] as T
}
