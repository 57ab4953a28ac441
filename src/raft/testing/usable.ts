// Which configurations of a set can decide something now, and whether two of them could without knowing of each other
// (invariant 8; thesis 4.1 and 4.3). Worked out from all disks, as no replica could.

import type { Index, ReplicaId, Term } from '../../base/brand.ts'
import type { Configuration } from '../configuration.ts'
import { formatVoters, membersOf } from '../configuration.ts'
import { outcome } from '../quorum.ts'
import type { HardState } from '../message.ts'
import type { Raft } from '../raft.ts'

/** A replica with its disk, as this needs to see it: the random network's, or the simulator's. */
export interface Elector {
  readonly id: ReplicaId
  /** Null while it is dead. */
  readonly raft: Pick<Raft, 'inspect' | 'term'> | null
  /** Index and term of the last entry on its disk. */
  readonly durableLast: readonly [Index, Term]
  readonly durable: { readonly state: Pick<HardState, 'term'> }
}

const names = new WeakMap<Configuration, string>()

/** Two usable configurations with quorums that share nobody, or null. */
export function disjointUsable(machines: readonly Elector[]): string | null {
  const usable = new Map<string, Configuration>()
  for (const machine of machines) {
    const config = machine.raft?.inspect().membership.latest
    if (config === undefined || config.voters.incoming.length === 0) continue
    const name = nameOf(config)
    if (!usable.has(name) && isUsable(machine, machines)) usable.set(name, config)
  }
  const all = [...usable]
  for (const [at, [name, config]] of all.entries()) {
    for (const [other, otherConfig] of all.slice(at + 1)) {
      if (!intersect(config, otherConfig)) return `both ${name} and ${other} could decide, and share no voter`
    }
  }
  return null
}

function nameOf(config: Configuration): string {
  let name = names.get(config)
  if (name === undefined) names.set(config, (name = formatVoters(config.voters)))
  return name
}

/** Whether the replica could win an election, or, leading, commit something, if only messages went through. */
function isUsable(machine: Elector, machines: readonly Elector[]): boolean {
  const core = machine.raft?.inspect()
  if (core === undefined) return false
  const { log, role, term, membership } = core
  const leads = role.kind === 'leader'
  const helps = (other: Elector): boolean => {
    const [last, lastTerm] = other.durableLast
    const wouldVote = log.lastTerm > lastTerm || (log.lastTerm === lastTerm && log.last >= last)
    return wouldVote || (leads && (other.raft?.term ?? other.durable.state.term) <= term)
  }
  const byId = new Map(machines.map((each) => [each.id, each]))
  return (
    outcome(membership.latest.voters, (id) => {
      const other = byId.get(id)
      return other !== undefined && helps(other)
    }) === 'won'
  )
}

/** Whether every quorum of one shares a voter with every quorum of the other: no group and its complement are both one. */
export function intersect(a: Configuration, b: Configuration): boolean {
  const ids = membersOf({ ...a, voters: { incoming: a.voters.incoming, outgoing: a.voters.outgoing }, learners: [] })
  for (let chosen = 0; chosen < 1 << ids.length; chosen++) {
    const isChosen = (id: number): boolean => {
      const at = ids.findIndex((each) => each === id)
      return at !== -1 && ((chosen >> at) & 1) === 1
    }
    if (outcome(a.voters, isChosen) === 'won' && outcome(b.voters, (id) => !isChosen(id)) === 'won') return false
  }
  return true
}
