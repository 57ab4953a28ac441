// Leadership transfer (thesis 3.10). The leader takes no proposals, brings the other voter's log up to its own, and asks it to
// campaign at once:
//
//     leader                          transferee
//       | transferLeadership              |
//       | ---- appends, until all matches |
//       | ---- timeout-now -------------> | candidate, without a pre-vote
//       | <--- transfer-vote ------------ | heard although a leader is
//
// If that leads to nothing within an election timeout, the leader goes on.

import type { ReplicaId } from '../base/brand.ts'
import { plus } from '../base/instant.ts'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { Core, Leadership } from './core.ts'
import { send, votersOf } from './core.ts'

/** `not-a-voter`: only one that votes from here on can lead. */
export type TransferError = 'not-leader' | 'not-a-voter'

/** To itself: the leader goes on, whatever was asked before. Another transferee takes the place of the one before. */
export function transferLeadership(core: Core, lead: Leadership, to: ReplicaId): Result<null, TransferError> {
  if (to === core.id) {
    lead.transfer = null
    return ok(null)
  }
  if (!votersOf(core).incoming.includes(to)) return err('not-a-voter')
  if (lead.transfer?.to !== to) {
    lead.transfer = { to, until: plus(core.now, core.settings.electionTimeout), asked: false }
  }
  return ok(null)
}

/** Asks the transferee to campaign once it has all of the log; again after each heartbeat round, for that may be lost. */
export function askTransferee(core: Core, lead: Leadership): void {
  const { transfer } = lead
  if (transfer === null || transfer.asked || lead.peers.get(transfer.to)?.match !== core.log.last) return
  send(core, { kind: 'timeout-now', from: core.id, to: transfer.to, term: core.term })
  lead.transfer = { ...transfer, asked: true }
}

/** A removed leader's last word: the voter that has most of the log need not wait for an election timeout. */
export function askSuccessor(core: Core, lead: Leadership): void {
  let best: ReplicaId | null = null
  for (const to of votersOf(core).incoming) {
    const match = lead.peers.get(to)?.match ?? 0
    if (best === null || match > (lead.peers.get(best)?.match ?? 0)) best = to
  }
  if (best !== null) send(core, { kind: 'timeout-now', from: core.id, to: best, term: core.term })
}
