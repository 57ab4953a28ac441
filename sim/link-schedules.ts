// Schedules whose links are at fault: between replicas, or between phones and the set.

import { draw } from './draws.ts'
import { many } from './many-calls.ts'
import type { Fault, Plan } from './plan.ts'
import { calm } from './scenarios.ts'

const second = 1_000_000

/** Short calls, while one link after another breaks. */
function underResets(seed: number, of: ReturnType<typeof draw>): Plan {
  const resets: Fault[] = []
  let at = 3 * second
  for (let i = 0; at < 9 * second; i++) {
    const replica = of.within(1, 3, 1, i)
    resets.push({ kind: 'reset', at, replica, other: 1 + (replica % 3) })
    at += of.within(50_000, 200_000, 2, i)
  }
  return calm(seed, many(of, ['at-once', 'refused', 'callee-hangs-up'], 30, 3 * second, 8 * second), resets, 10)
}

export function lateProposals(seed: number): Plan {
  const plan = underResets(seed, draw(seed, 'late proposals'))
  return { ...plan, peer: { delayLeast: 3_000, delayMost: 20_000, late: 1_000_000 } }
}

/** Cuts of one pair, too short for anybody to lose his calls: whoever is cut from the leader misses what it compacts meanwhile, and what
 * the third one has passed to him is still in his hands when the snapshot comes. No new link makes that one pass it again. */
export function brokenLinksBehindTheLog(seed: number): Plan {
  const of = draw(seed, 'broken links behind the log')
  const replica = of.within(1, 3, 1)
  const cuts = [0, 1, 2].map((i): Fault & { readonly kind: 'partition' } => {
    const at = (3 + 2.5 * i) * second
    const until = at + of.within(60_000, 250_000, 2, i)
    return { kind: 'partition', at, until, replica, other: 1 + (replica % 3), way: 'both', resets: true }
  })
  const flows = ['at-once', 'refused', 'callee-hangs-up']
  const calls = cuts.flatMap(({ at, until }, i) => many(draw(seed, `cut ${i}`), flows, 15, at - 50_000, until + 50_000))
  return {
    ...calm(seed, calls, cuts, 11),
    compaction: { every: of.within(300, 1_000, 3), kept: 0, piece: 3_000 },
    peer: { delayLeast: 3_000, delayMost: 20_000, late: 0 },
  }
}

/** What is lost goes again, for longer than four of both. */
export function lostByes(seed: number): Plan {
  const of = draw(seed, 'lost byes')
  const plan = calm(seed, many(of, ['bye-crossing-bye'], 120, 3 * second, 20 * second), [], 30)
  return { ...plan, udp: { ...plan.udp, loss: 125_000 } }
}
