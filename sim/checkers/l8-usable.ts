// Which configurations of a set can decide something now, and whether two of them could without knowing of each other (invariant 8;
// Raft thesis 4.1 and 4.3): worked out from all disks, as no replica could, and counted apart from the code that is checked.

import type { ReplicaId } from '../../src/base/brand.ts'
import { formatVoters } from '../../src/raft/configuration.ts'
import type { Core } from '../../src/raft/core.ts'
import type { VoterSet } from '../../src/raft/quorum.ts'
import { alwaysMeet, isQuorum } from '../majority.ts'

/** Of a log on disk. */
export interface LogEnd {
  /** The term that the disk has. */
  readonly term: number
  readonly last: number
  readonly lastTerm: number
}

export interface Elector {
  readonly id: ReplicaId
  /** Null while it is dead. */
  readonly core: Readonly<Core> | null
  readonly end: LogEnd
}

/** Two configurations that could each decide, with quorums that share nobody; or null. */
export function disjointUsable(electors: readonly Elector[]): string | null {
  const usable = new Map<string, VoterSet>()
  for (const { id, core } of electors) {
    if (core === null) continue
    const { voters } = core.membership.latest
    const name = formatVoters(voters)
    if (voters.incoming.length > 0 && !usable.has(name) && isUsable(id, core, electors)) usable.set(name, voters)
  }
  const all = [...usable]
  for (const [at, [name, voters]] of all.entries()) {
    for (const [other, others] of all.slice(at + 1)) {
      if (!alwaysMeet(voters, others)) return `both ${name} and ${other} could decide, and share no voter`
    }
  }
  return null
}

/** Whether the replica could win an election, or, leading, commit something, if only messages went through. */
function isUsable(
  id: ReplicaId,
  { log, role, term, membership }: Readonly<Core>,
  electors: readonly Elector[],
): boolean {
  const helps = (far: ReplicaId): boolean => {
    if (far === id) return true
    const other = electors.find((one) => one.id === far)
    if (other === undefined) return false
    const { last, lastTerm } = other.end
    if (log.lastTerm > lastTerm || (log.lastTerm === lastTerm && log.last >= last)) return true
    return role.kind === 'leader' && (other.core?.term ?? other.end.term) <= term
  }
  return isQuorum(membership.latest.voters, helps)
}
