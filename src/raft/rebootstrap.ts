// The majority of a set is gone for good: one survivor goes on alone, by an operator's word (etcd's --force-new-cluster). This
// breaks what Raft promises, and nothing else here may: what only the lost ones had is lost, and should they come back as they
// were, there are two sets. Its own log counts whole, what was not committed, too.

import { index, term } from '../base/brand.ts'
import { configuration, encodeConfiguration } from './configuration.ts'
import { appendEntries, becomeFollower } from './core.ts'
import type { Core } from './core.ts'
import { campaign } from './election.ts'

/** `has-leader`: somebody leads, so there is a quorum. `installing`: a snapshot is on its way to the disk. */
export type RebootstrapError = 'has-leader' | 'installing'

/** A configuration of this replica alone, in a term of its own, and a campaign that nobody else is asked in. */
export function rebootstrap(core: Core): RebootstrapError | null {
  if (core.leader !== null || core.role.kind === 'leader') return 'has-leader'
  if (core.installed !== null) return 'installing'
  becomeFollower(core, term(core.term + 1), null)
  const data = encodeConfiguration(configuration([core.id]))
  appendEntries(core, [{ term: core.term, index: index(core.log.last + 1), kind: 'configuration', data }])
  campaign(core)
  return null
}
