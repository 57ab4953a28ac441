// The schedule `bans`: sources are banned and taken back while their calls and those of others go on, and who sees to that dies.

import { draw } from './draws.ts'
import type { Spell, Strike } from './fault.ts'
import type { Plan, PlannedCall } from './plan.ts'
import { calm } from './scenarios.ts'

type Ban = Spell & { readonly kind: 'ban' }

const second = 1_000_000
const flows = ['basic', 'at-once', 'refused', 'small-talk', 'callee-hangs-up', 're-invite', 'cancelled', 'long-call']

export function bans(seed: number): Plan {
  const of = draw(seed, 'bans')
  const calls = Array.from({ length: 24 }, (_, i): PlannedCall => {
    const flow = flows[of.below(flows.length, 1, i)] ?? ''
    const at = of.within(3 * second, 22 * second, 2, i)
    return of.chance(200_000, 3, i) ? { flow, at, caller: 'tcp', callee: 'tcp' } : { flow, at }
  }).toSorted((a, b) => a.at - b.at)
  const orders = Array.from({ length: 6 }, (_, i): readonly Ban[] => {
    const number = of.within(1, calls.length, 4, i)
    const at = (calls[number - 1]?.at ?? 0) + of.within(0, 2 * second, 5, i)
    const source = of.chance(150_000, 6, i) ? '10.200.0.0/16' : `10.0.0.${number}`
    const ban = { kind: 'ban', source, isOutlasted: true, at, until: at + of.within(second, 4 * second, 7, i) } as const
    if (of.chance(500_000, 8, i)) return [ban]
    // Of no end, before one that runs out has.
    const later = { ...ban, at: at + of.within(200_000, second, 9, i), until: ban.until + 2 * second }
    return [{ ...ban, runsOut: true }, ...(of.chance(700_000, 10, i) ? [later] : [])]
  }).flat()
  // While an order is under way, or its end.
  const deaths = orders.slice(0, 6).map(({ at, until }, i): Strike => {
    const strikes = (of.chance(500_000, 11, i) ? at : until) + of.within(0, 12_000, 12, i)
    const replica = of.within(1, 3, 13, i)
    const tail = of.chance(500_000, 14, i) ? 'kept' : 'lost'
    const restartAfter = of.within(200_000, 2_500_000, 15, i)
    return { kind: 'kill', at: strikes, replica, effects: of.below(12, 16, i), tail, restartAfter }
  })
  if (of.chance(500_000, 17)) return calm(seed, calls, [...orders, ...deaths], 28)
  // Who has slept gets the list with a snapshot, and hears many that are on it.
  const broad = orders.slice(0, 2).map((ban) => ({ ...ban, source: '10.0.0.0/27', until: ban.until + 2 * second }))
  const sleeps = broad.map(({ at }, i): Strike => {
    const replica = of.within(1, 3, 20, i)
    const length = of.within(1_200_000, 2_000_000, 18, i)
    return { kind: 'pause', at: at - of.within(50_000, 400_000, 19, i), replica, effects: 0, length }
  })
  const plan = calm(seed, calls, [...broad, ...sleeps], 32)
  return { ...plan, compaction: { every: of.within(150, 600, 21), kept: 0, piece: 3_000 } }
}
