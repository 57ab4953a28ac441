// What must hold of one replica after every step, and from one step to the next (paper figure 3; the project's list of
// invariants 1-5, 7, 8 and 10). Checked in all tests and in the simulator, never in the product: a check returns what is wrong,
// or null. What holds between replicas is the test network's to check.

import type { Index, ReplicaId, Term } from '../base/brand.ts'
import { index } from '../base/brand.ts'
import type { Core, Leadership } from './core.ts'
import { isVoter, mayLead, otherMembers } from './core.ts'
import type { RaftEntry } from './message.ts'
import type { Raft } from './raft.ts'

/** What `checkStep` compares. Its size is that of the uncommitted tail. */
export interface Observation {
  readonly term: Term
  readonly vote: ReplicaId | null
  readonly role: Core['role']['kind']
  readonly purged: Index
  readonly snapshot: Index
  readonly leader: ReplicaId | null
  readonly applied: Index
  readonly commit: Index
  readonly commitTerm: Term | null
  readonly last: Index
  readonly lastTerm: Term
  readonly durableTerm: Term
  /** Where the configuration in force was made. */
  readonly configurationIndex: Index
  /** The entries above `commit`. */
  readonly tail: readonly RaftEntry[]
  readonly termAt: (at: Index) => Term | null
}

export function observe(raft: Raft): Observation {
  const { log, disk, role, term, vote, leader, membership } = raft.inspect()
  return {
    term,
    vote,
    role: role.kind,
    purged: index(log.first - 1),
    snapshot: log.snapshot?.index ?? index(0),
    leader,
    applied: log.applied,
    commit: log.commit,
    commitTerm: log.termAt(log.commit),
    last: log.last,
    lastTerm: log.lastTerm,
    durableTerm: disk.durableTerm,
    configurationIndex: membership.latestIndex,
    tail: log.tail(index(log.commit + 1)),
    termAt: (at) => log.termAt(at),
  }
}

/** What is wrong with this replica as it is. */
export function checkState(raft: Raft): string | null {
  const core = raft.inspect()
  return checkLog(core) ?? checkRole(core)
}

/** What is wrong with the way from `before` to `after`, two observations of one life with one call between them. */
export function checkStep(before: Observation, after: Observation): string | null {
  if (after.term < before.term) return `term fell from ${before.term} to ${after.term}`
  if (after.durableTerm < before.durableTerm) return `durable term fell from ${before.durableTerm}`
  if (after.commit < before.commit) return `commit fell from ${before.commit} to ${after.commit}`
  if (after.applied < before.applied) return `applied fell from ${before.applied} to ${after.applied}`
  if (after.snapshot < before.snapshot) return `snapshot fell from ${before.snapshot} to ${after.snapshot}`
  if (after.purged < before.purged) return `purged fell from ${before.purged} to ${after.purged}`
  if (after.term === before.term) {
    if (before.vote !== null && after.vote !== before.vote) return `second vote in term ${after.term}`
    const changed = before.leader !== null && after.leader !== null && before.leader !== after.leader
    if (changed) return `leader of term ${after.term} changed from ${before.leader ?? '-'} to ${after.leader ?? '-'}`
    if (before.role === 'leader' && after.last < before.last) return 'a leader shortened its log'
  }
  const leads = after.role === 'leader' && before.role === 'leader' && after.term === before.term
  // Paper 5.4.2: only entries of the own term are committed by counting.
  if (leads && after.commit > before.commit && after.commitTerm !== after.term) {
    return `leader of term ${after.term} committed ${after.commit} of term ${after.commitTerm ?? '-'}`
  }
  if (leads && after.configurationIndex > before.configurationIndex) {
    // Thesis 4.1: one change at a time; and not before an entry of the own term is committed.
    const isSettled = before.configurationIndex <= after.commit && after.commitTerm === after.term
    if (!isSettled) return `a second configuration at ${after.configurationIndex} while ${after.commit} is committed`
  }
  return checkTruncation(before, after)
}

/** Paper 5.3 and figure 3.1: an entry goes only because another term's stands in its place, and what is committed stays. */
function checkTruncation(before: Observation, after: Observation): string | null {
  // A snapshot may have taken the whole log's place, and compaction what is committed.
  if (after.purged > before.commit) return null
  if (after.purged < before.commit && after.termAt(before.commit) !== before.commitTerm)
    return `committed entry ${before.commit} changed`
  for (const entry of before.tail) {
    const now = after.termAt(entry.index)
    if (now === null) return `entry ${entry.index} was removed without a conflict`
    if (now === entry.term) continue
    if (before.role === 'leader' && after.term === before.term) return `a leader replaced its entry ${entry.index}`
    return null
  }
  return null
}

function checkLog(core: Readonly<Core>): string | null {
  const { log, disk, membership } = core
  const [purged, snapshot] = [log.first - 1, log.snapshot?.index ?? 0]
  if (purged > snapshot || snapshot > log.applied)
    return `purged ${purged}, snapshot ${snapshot}, applied ${log.applied}`
  if (log.applied > log.handedOut || log.handedOut > log.commit)
    return `applied ${log.applied}, handed out ${log.handedOut}, commit ${log.commit}`
  if (log.commit > log.last) return `commit ${log.commit} is above last ${log.last}`
  if (disk.stable > disk.handed || disk.handed > log.last)
    return `stable ${disk.stable}, handed ${disk.handed}, last ${log.last}`
  if (disk.durableTerm > core.term) return `durable term ${disk.durableTerm} is above term ${core.term}`
  if (core.term < log.lastTerm) return `term ${core.term} is below the last entry's, ${log.lastTerm}`
  const { latestIndex } = membership
  if (latestIndex > log.last) return `configuration of ${latestIndex} is beyond last ${log.last}`
  let term = log.termAt(log.commit) ?? 0
  let at = log.commit + 1
  for (const entry of log.tail(index(at))) {
    if (entry.index !== at || entry.term < term)
      return `entry ${entry.index}/${entry.term} stands at ${at} after term ${term}`
    term = entry.term
    at++
  }
  return null
}

function checkRole(core: Readonly<Core>): string | null {
  const { role, id, vote, leader } = core
  if (core.standsAside && role.kind !== 'follower') return `it stands aside, and is a ${role.kind}`
  if (role.kind === 'leader') {
    if (vote !== id || leader !== id) return `a leader voted for ${vote ?? '-'} and follows ${leader ?? '-'}`
    return checkLeader(core, role)
  }
  if (leader === id) return 'follows itself without leading'
  if (role.kind === 'follower') return null
  if (leader !== null) return 'a candidate has a leader'
  if (!mayLead(core)) return 'a candidate that was not a voter in the last committed configuration'
  return role.kind === 'candidate' && vote !== id ? 'a candidate did not vote for itself' : null
}

function checkLeader(core: Readonly<Core>, lead: Leadership): string | null {
  const { log, settings, disk, membership } = core
  // Thesis 4.2.2: a leader leads without a vote until the configuration that removes it is committed.
  if (!isVoter(core, core.id) && membership.latestIndex <= log.commit) return 'leads, and is not a voter any more'
  const members = otherMembers(core)
  if (members.length !== lead.peers.size || members.some((id) => !lead.peers.has(id)))
    return 'its peers are not those of its configuration'
  const noOpTerm = lead.noOp < log.first ? core.term : log.termAt(lead.noOp)
  if (log.lastTerm !== core.term || noOpTerm !== core.term) return 'a leader has no entry of its term'
  if (disk.durableTerm !== core.term || disk.durableVote !== core.id) return 'a leader has its vote not durable'
  if (lead.uncommittedBytes !== log.bytesBetween(log.commit, log.last)) return 'uncommitted bytes are miscounted'
  if (lead.reads.size > settings.maxReads) return `${lead.reads.size} reads wait`
  for (const [id, peer] of lead.peers) {
    if (peer.match >= peer.next || peer.next > log.last + 1)
      return `peer ${id}: match ${peer.match}, next ${peer.next}, last ${log.last}`
    if (peer.inflight > settings.maxInflight) return `peer ${id}: ${peer.inflight} appends in flight`
    if (peer.state !== 'replicate' && peer.inflight > 0) return `peer ${id}: appends in flight in state ${peer.state}`
    if (peer.pendingSnapshot > (log.snapshot?.index ?? 0)) return `peer ${id}: waits for a snapshot that is not there`
    if (peer.round > lead.round) return `peer ${id} answered a round that was not made`
  }
  return null
}
