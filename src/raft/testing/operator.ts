// What is done to a set while it runs: members come, go and change their role, several at once; leadership is handed over; logs
// are compacted. All of it is asked of any replica at any moment, as a hasty operator would: what can't be done is refused.

import type { ReplicaId } from '../../base/brand.ts'
import { index } from '../../base/brand.ts'
import type { Instant } from '../../base/instant.ts'
import type { Random } from '../../base/random.ts'
import type { ConfChange } from '../conf-change.ts'
import { isJoint } from '../configuration.ts'
import type { Machine } from './machine.ts'

export type Deed = 'change' | 'leave' | 'transfer' | 'snapshot'

/** Does something with that replica; what it was, if it was not refused. */
export function operate(machine: Machine, ids: readonly ReplicaId[], draw: Random, now: Instant): Deed | null {
  const roll = draw.below(10)
  if (roll < 4) return changeSet(machine, ids, draw, now)
  if (roll < 5) return leave(machine, now)
  if (roll < 7) {
    const to = pick(ids, draw)
    const result = machine.do((raft) => raft.transferLeadership(to, now))
    return result?.ok === true ? 'transfer' : null
  }
  return compact(machine, draw)
}

/** Ends a joint configuration that nobody else would end. */
export function leave(machine: Machine, now: Instant): Deed | null {
  const raft = machine.raft?.inspect()
  if (raft === undefined || !isJoint(raft.membership.latest) || raft.membership.latest.autoLeave) return null
  return machine.do((each) => each.leaveJoint(now))?.ok === true ? 'leave' : null
}

function changeSet(machine: Machine, ids: readonly ReplicaId[], draw: Random, now: Instant): Deed | null {
  const changes = Array.from({ length: 1 + draw.below(3) }, (): ConfChange => {
    // More are added than removed, so that the set doesn't shrink to one.
    const kind = (['add-voter', 'add-voter', 'add-voter', 'add-learner', 'remove'] as const)[draw.below(5)] ?? 'remove'
    return { kind, replica: pick(ids, draw) }
  })
  const transition = (['auto', 'auto', 'implicit', 'explicit'] as const)[draw.below(4)] ?? 'auto'
  const result = machine.do((raft) => raft.proposeConfChange({ changes, transition }, now))
  return result?.ok === true ? 'change' : null
}

function compact(machine: Machine, draw: Random): Deed | null {
  const core = machine.raft?.inspect()
  if (core === undefined) return null
  const most = Math.min(core.log.applied, core.disk.stable)
  const least = core.log.snapshot?.index ?? 0
  if (most <= least) return null
  const at = index(least + 1 + draw.below(most - least))
  if (!machine.snapshot(at)) return null
  machine.do((raft) => raft.purge(index(Math.max(0, at - draw.below(4)))))
  return 'snapshot'
}

function pick(ids: readonly ReplicaId[], draw: Random): ReplicaId {
  return ids[draw.below(ids.length)] as ReplicaId
}
