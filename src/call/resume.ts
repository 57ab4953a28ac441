// The local part of INVITE transactions that the log has, rebuilt at a new owner.

import { between } from '../base/instant.ts'
import type { Duration, Stamp } from '../base/instant.ts'
import { resumeInviteClient } from '../transaction/invite-client.ts'
import { resumeInviteServer } from '../transaction/invite-server.ts'
import type { InviteRecord } from '../transaction/record.ts'
import type { BranchLocal, InviteLocal } from './group-state.ts'
import { allInvites } from './find.ts'
import type { Turn } from './turn.ts'

/** Deadlines of B, D, H, I, L come from the committed stamp; retransmissions begin anew (design.md 4). */
export function resume(turn: Turn): void {
  for (const { id, value } of allInvites(turn)) {
    if (!turn.local.invites.has(id)) turn.setInvite(id, resumed(turn, id, value))
  }
}

function resumed(turn: Turn, id: string, record: InviteRecord): InviteLocal {
  const { now } = turn
  const age = ageOf(turn, id)
  const branches = new Map<string, BranchLocal>()
  for (const branch of record.branches) {
    if (branch.state === 'waiting') continue
    const reliable = branch.hop.transport !== 'udp'
    // Timer B runs from the INVITE's own commit, the others from the one that made the state.
    const client = resumeInviteClient(
      branch.state,
      reliable,
      branch.state === 'calling' ? ageOf(turn, branch.id) : age,
      now,
    )
    branches.set(branch.id, { client, cancel: null, timerC: (now - age) as typeof now, isTaken: true })
  }
  const server = resumeInviteServer(record.state, record.upstream.transport !== 'udp', age, now)
  return { server, provisional: record.provisional, branches }
}

/** Since the last commit of a Transaction entity. */
export function ageOf(turn: Turn, id: string): Duration {
  const committed: Stamp = turn.held('Transaction', id)?.stamp ?? turn.ctx.cluster
  return Math.max(0, between(committed, turn.ctx.cluster)) as Duration
}
