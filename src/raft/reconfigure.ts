// A leader's duties when the set changes (thesis chapter 4). One change at a time, and the first one of a term only after the
// term's no-op is committed: so any two configurations that can decide anything at the same time share a voter in every two
// of their quorums.
//
//     proposeConfChange --> [ C_old,new in the log ] -- committed, auto-leave --> [ C_new in the log ] -- committed --> done
//                             in force at once                                     in force at once      a leader that
//                                                                                                        isn't in it ends

import type { Index } from '../base/brand.ts'
import { index } from '../base/brand.ts'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { ConfChangeError, ConfChanges } from './conf-change.ts'
import { applyChanges, leaveJoint } from './conf-change.ts'
import type { Configuration } from './configuration.ts'
import { encodeConfiguration, isJoint } from './configuration.ts'
import type { Core, Leadership } from './core.ts'
import { appendOwn, becomeFollower, isVoter, newProgress, otherMembers } from './core.ts'
import { askSuccessor } from './transfer.ts'

/** `pending`: the configuration before is not committed yet. `new-leader`: nothing of this leader's term is. */
export type ReconfigureError = 'not-leader' | 'transferring' | 'pending' | 'new-leader' | ConfChangeError

export function proposeConfChange(core: Core, lead: Leadership, wanted: ConfChanges): Result<Index, ReconfigureError> {
  const hindrance = hindranceOf(core, lead)
  if (hindrance !== null) return err(hindrance)
  const next = applyChanges(core.membership.latest, wanted)
  return next.ok ? ok(appendConfiguration(core, lead, next.value)) : next
}

export function proposeLeaveJoint(core: Core, lead: Leadership): Result<Index, ReconfigureError> {
  const hindrance = hindranceOf(core, lead)
  if (hindrance !== null) return err(hindrance)
  const next = leaveJoint(core.membership.latest)
  return next.ok ? ok(appendConfiguration(core, lead, next.value)) : next
}

/** The commit index rose, or a transfer came to nothing: what follows from the configuration that is committed now. */
export function settleConfiguration(core: Core, lead: Leadership): void {
  const { latest, latestIndex } = core.membership
  if (latestIndex > core.log.commit) return
  if (isJoint(latest)) {
    if (latest.autoLeave) proposeLeaveJoint(core, lead)
    return
  }
  // Thesis 4.2.2: it led without a vote of its own until here. A leader that became a learner ends as well.
  if (isVoter(core, core.id)) return
  askSuccessor(core, lead)
  becomeFollower(core, core.term, null)
}

function hindranceOf(core: Core, lead: Leadership): ReconfigureError | null {
  if (lead.transfer !== null) return 'transferring'
  if (core.log.commit < lead.noOp) return 'new-leader'
  return core.membership.latestIndex > core.log.commit ? 'pending' : null
}

/** In force from here on: its members get the log, and whoever isn't one hears nothing more. */
function appendConfiguration(core: Core, lead: Leadership, next: Configuration): Index {
  const at = appendOwn(core, lead, 'configuration', encodeConfiguration(next))
  const known = lead.peers
  const fresh = index(core.log.last + 1)
  lead.peers = new Map(otherMembers(core).map((id) => [id, known.get(id) ?? newProgress(core, fresh)]))
  // Voters that were never heard count as silent from now on, not from the start of the term.
  lead.windowStart = core.now
  lead.roundWanted = true
  return at
}
