// Elections: paper 5.2 and 5.4.1, pre-vote (thesis 9.6), leader stickiness (thesis 4.2.3), check-quorum's other half.

import type { ReplicaId } from '../base/brand.ts'
import { term } from '../base/brand.ts'
import type { Instant } from '../base/instant.ts'
import { between, micros, plus } from '../base/instant.ts'
import type { Candidate, Core } from './core.ts'
import {
  armElection,
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
  isAlone,
  mayLead,
  otherVoters,
  send,
  sendAfterPersist,
  votersOf,
} from './core.ts'
import type { TimeoutNow, VoteRequest, VoteResponse } from './message.ts'
import { NEVER } from './progress.ts'
import { outcome } from './quorum.ts'

/** The election timeout passed without a leader. */
export function campaign(core: Core): void {
  if (!mayCampaign(core)) return awaitOthers(core)
  becomePreCandidate(core)
  request(core, 'pre-vote')
  recordVote(core, core.id, true)
}

/** Thesis 3.10: the leader asks this replica to lead in its place. No pre-vote: nobody is doubted. */
export function handleTimeoutNow(core: Core, message: TimeoutNow): void {
  if (message.from !== core.leader || !mayCampaign(core)) return
  becomeCandidate(core)
  request(core, 'transfer-vote')
}

/** Not one that stands aside, and not before a snapshot that took the log's place is on its way to the disk. */
function mayCampaign(core: Core): boolean {
  return !core.standsAside && mayLead(core) && core.installed === null
}

/** Leading or campaigning ends, until further notice. A leader of this term that others still take it for is given up by
 * them as any that falls silent. */
export function stepDown(core: Core): void {
  core.standsAside = true
  if (core.role.kind !== 'follower') becomeFollower(core, core.term, null)
}

/** Nobody leads as far as this replica knows, and it won't. */
function awaitOthers(core: Core): void {
  core.leader = null
  armElection(core)
}

/** Whether a leader may still count on this replica: then nobody gets its vote, and no request raises its term. A replica
 * that was cut off can't depose a leader that all others hear. */
export function sticksToLeader(core: Core): boolean {
  return core.role.kind === 'leader' || between(core.contact, core.now) < core.settings.electionTimeout
}

/** Figure 3.1, RequestVote: the receiver's side. The term was adopted before, but for a pre-vote's. */
export function handleVoteRequest(core: Core, message: VoteRequest): void {
  const isPreVote = message.kind === 'pre-vote'
  const free =
    core.vote === message.from ||
    (core.vote === null && core.leader === null) ||
    (isPreVote && message.term > core.term)
  const granted = free && core.log.isUpToDate(message.lastIndex, message.lastTerm)
  const head = { from: core.id, to: message.from, granted }
  if (isPreVote) {
    // A pre-vote promises nothing, so nothing need be durable; a granted one answers in the term it was asked for.
    send(core, { kind: 'pre-vote-response', ...head, term: granted ? message.term : core.term })
    return
  }
  if (granted) {
    core.vote = message.from
    armElection(core)
  }
  sendAfterPersist(core, { kind: 'vote-response', ...head, term: core.term })
}

export function handleVoteResponse(core: Core, message: VoteResponse): void {
  const { role } = core
  if (message.kind === 'pre-vote-response') {
    if (role.kind !== 'pre-candidate') return
    if (message.granted && message.term !== core.term + 1) return
  } else if (role.kind !== 'candidate') return
  recordVote(core, message.from, message.granted)
}

/** What was handed to the disk may have been this candidate's vote for itself, which counts from then on. */
export function ownVoteDurable(core: Core): void {
  const { role, disk } = core
  if (role.kind !== 'candidate' || role.votes.has(core.id)) return
  if (disk.durableTerm === core.term && disk.durableVote === core.id) recordVote(core, core.id, true)
}

/** That replica's process is known dead. If it led, its successor is sought at once: nobody need wait for its silence. */
export function forgetLeader(core: Core, peer: ReplicaId): void {
  if (core.role.kind === 'leader' || core.leader !== peer) return
  const { prompt, electionTimeout, random } = core.settings
  core.leader = null
  core.contact = NEVER
  core.promptUntil = plus(core.now, electionTimeout)
  core.electionDue = plus(core.now, micros(random.below(prompt + 1)))
}

/** The loop stalled: what came meanwhile is not read yet, so the silence may be its own. The window starts again, once per
 * contact. Not where a death was seen and not heard by silence, and not where there is nobody to hear. */
export function forgiveStall(core: Core, due: Instant): boolean {
  if (core.stallForgiven || between(due, core.now) <= core.settings.stall) return false
  if (core.now < core.promptUntil || isAlone(core)) return false
  core.stallForgiven = true
  return true
}

function request(core: Core, kind: VoteRequest['kind']): void {
  const asked = kind === 'pre-vote' ? term(core.term + 1) : core.term
  const { last: lastIndex, lastTerm } = core.log
  for (const to of otherVoters(core)) send(core, { kind, from: core.id, to, term: asked, lastIndex, lastTerm })
}

/** Paper 5.2: each voter is counted once. */
function recordVote(core: Core, from: ReplicaId, granted: boolean): void {
  const { votes, kind } = core.role as Candidate
  if (!votes.has(from)) votes.set(from, granted)
  const result = outcome(votersOf(core), (id) => votes.get(id))
  if (result === 'pending') return
  // A lost campaign waits for its timeout and asks again.
  if (result === 'lost') return becomeFollower(core, core.term, null)
  if (kind === 'candidate') {
    becomeLeader(core)
    return
  }
  becomeCandidate(core)
  request(core, 'vote')
}
