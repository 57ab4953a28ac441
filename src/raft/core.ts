// The state of one Raft replica and its named transitions: the only places that change its role, term or vote. The roles'
// duties are in election.ts, leader.ts and follower.ts; raft.ts is the door.
//
//            election timeout      pre-votes of a quorum       votes of a quorum,
//                                                              own vote durable
//      follower ----------> pre-candidate ----------> candidate ----------> leader
//        ^ ^  ^                  |  ^                   |  |                   |
//        | |  '------------------'  '-------------------'  |                   |
//        | |   lost, or a leader      election timeout     |                   |
//        | '-----------------------------------------------'                   |
//        |     lost, a leader of this term, or a higher term                   |
//        '---------------------------------------------------------------------'
//              a higher term, or no quorum heard for an election timeout

import { assert } from '../base/assert.ts'
import type { Index, ReplicaId, Term } from '../base/brand.ts'
import { index, term } from '../base/brand.ts'
import type { Duration, Instant } from '../base/instant.ts'
import { micros, plus } from '../base/instant.ts'
import type { Restored, Settings } from './config.ts'
import { restoredFault, startFault } from './config.ts'
import { configuration, membersOf } from './configuration.ts'
import { entryBytes, RaftLog } from './log.ts'
import { Membership } from './membership.ts'
import type { HardState, RaftEntry, RaftMessage, SnapshotMetadata } from './message.ts'
import { Persistence } from './persistence.ts'
import { NEVER, Progress } from './progress.ts'
import type { VoterSet } from './quorum.ts'
import { allVoters } from './quorum.ts'
import { ReadOnly } from './read-only.ts'
import type { ReadResult } from './ready.ts'

/** What only a leader has. A new one is made in each term that is led: nothing of it outlives the term. */
export interface Leadership {
  readonly kind: 'leader'
  /** The other members, in order of id. Invariant: those of the latest configuration. */
  peers: ReadonlyMap<ReplicaId, Progress>
  readonly reads: ReadOnly
  /** Index of the term's no-op: what is committed from there on is committed in this term. */
  readonly noOp: Index
  /** The last heartbeat round: the time it was made, raised by one where needed, so that no round of a term has the number
   * of another. A replica leads a term once in its lives (its vote is durable), so neither does a restart. */
  round: Instant
  roundWanted: boolean
  heartbeatDue: Instant
  /** Check-quorum counts silence from here, if nothing was heard since: the start of the term, or the end of a stall. */
  windowStart: Instant
  /** `entryBytes` above the commit index. */
  uncommittedBytes: number
  /** Leadership is being handed over (thesis 3.10): no proposals meanwhile. */
  transfer: Transfer | null
}

export interface Transfer {
  readonly to: ReplicaId
  /** The leader goes on leading from then on, if nothing came of it. */
  readonly until: Instant
  /** It has been asked to campaign, since the last heartbeat round. */
  readonly asked: boolean
}

export interface Follower {
  readonly kind: 'follower'
}

/** `votes` may hold answers of others, too: only voters are counted. */
export interface Candidate {
  readonly kind: 'pre-candidate' | 'candidate'
  readonly votes: Map<ReplicaId, boolean>
}

export type Role = Follower | Candidate | Leadership

export interface Core {
  readonly settings: Settings
  readonly id: ReplicaId
  readonly log: RaftLog
  /** The configurations that the log holds. */
  readonly membership: Membership
  readonly disk: Persistence
  /** Invariant: never falls. */
  term: Term
  /** Invariant: set once in a term. */
  vote: ReplicaId | null
  role: Role
  /** Whom this replica takes for the leader of its term: itself if it leads. */
  leader: ReplicaId | null
  /** The last word of a leader (or this life's start, for an earlier life may have answered one): for an election timeout
   * after it no other gets a vote here (leader stickiness, thesis 4.2.3 and 9.6). `NEVER` once it is known dead. */
  contact: Instant
  electionDue: Instant
  /** Until then a dead leader's successor is sought at once: elections are repeated in `prompt`, not in timeouts. */
  promptUntil: Instant
  /** Between `stepDown` and `standAgain`. Invariant: then it neither leads nor campaigns. */
  standsAside: boolean
  /** A stall was forgiven since the last contact: the next one is not. */
  stallForgiven: boolean
  /** The latest time given. Invariant: never falls. */
  now: Instant
  /** Messages that claim only what is durable, and those that wait for the disk. */
  outbox: { atOnce: RaftMessage[]; afterPersist: RaftMessage[] }
  reads: ReadResult[]
  /** A leader's snapshot took the log's place; the next Ready hands it out. */
  installed: SnapshotMetadata | null
}

export function createCore(settings: Settings, restored: Restored, now: Instant): Core {
  const { state, entries, snapshot = null, applied = index(0) } = restored
  const fault = restoredFault(restored) ?? startFault(settings)
  assert(fault === null, `a core starts on a whole log: ${fault ?? ''}`)
  const first = snapshot?.configuration ?? configuration(settings.voters, settings.learners)
  const membership = new Membership(snapshot?.index ?? index(0), first)
  membership.append(entries)
  const log = new RaftLog(entries, state.commit, snapshot, !settings.asyncStorage)
  log.startAt(applied)
  const core: Core = {
    settings,
    id: settings.id,
    log,
    membership,
    disk: new Persistence(state, log.last),
    term: state.term,
    vote: state.vote,
    role: { kind: 'follower' },
    leader: null,
    contact: state.term > 0 ? now : NEVER,
    electionDue: now,
    promptUntil: NEVER,
    stallForgiven: false,
    standsAside: false,
    now,
    outbox: { atOnce: [], afterPersist: [] },
    reads: [],
    installed: null,
  }
  // Alone in its set, a replica has nobody to wait for.
  if (!isAlone(core)) armElection(core)
  return core
}

export function hardState(core: Core): HardState {
  // Only what is durable here counts: else a cut of the disk's tail could leave this hint above another entry.
  return { term: core.term, vote: core.vote, commit: index(Math.min(core.log.commit, core.disk.stable)) }
}

/** Who decides: the voters of the newest configuration in the log (thesis 4.1). */
export function votersOf(core: Readonly<Core>): VoterSet {
  return core.membership.latest.voters
}

export function isVoter(core: Readonly<Core>, id: ReplicaId): boolean {
  return allVoters(votersOf(core)).includes(id)
}

export function otherVoters(core: Core): readonly ReplicaId[] {
  return allVoters(votersOf(core)).filter((id) => id !== core.id)
}

export function otherMembers(core: Readonly<Core>): readonly ReplicaId[] {
  return membersOf(core.membership.latest).filter((id) => id !== core.id)
}

/** Whether this replica may lead (etcd's promotable): a voter, or one that was a voter until an entry that isn't committed yet. Thesis
 * 4.2.2 and figure 4.6: who removed itself may have the only log that can win, and then nobody else could ever be elected. */
export function mayLead(core: Readonly<Core>): boolean {
  if (isVoter(core, core.id)) return true
  const { membership, log } = core
  if (membership.latestIndex <= log.commit) return false
  return allVoters(membership.at(index(membership.latestIndex - 1)).voters).includes(core.id)
}

/** The only voter. */
export function isAlone(core: Core): boolean {
  return isVoter(core, core.id) && otherVoters(core).length === 0
}

/** Sends what is true whatever the disk loses, but for the term: at once if that is durable. */
export function send(core: Core, message: RaftMessage): void {
  const { atOnce, afterPersist } = core.outbox
  if (core.disk.durableTerm === core.term) atOnce.push(message)
  else afterPersist.push(message)
}

/** Sends what must be durable first: a vote, or an acknowledgement. */
export function sendAfterPersist(core: Core, message: RaftMessage): void {
  const { afterPersist } = core.outbox
  const before = afterPersist.at(-1)
  // The appends of one turn are acknowledged together.
  if (message.kind === 'append-response' && before?.kind === 'append-response' && before.to === message.to) {
    if (!before.rejected && before.index <= message.index) afterPersist.pop()
  }
  afterPersist.push(message)
}

/** Draws the next election timeout from now on. */
export function armElection(core: Core): void {
  const { electionTimeout, electionSpread, random } = core.settings
  core.electionDue = plus(core.now, micros(electionTimeout + random.below(electionSpread)))
}

/** A campaign's own timeout: what follows if it isn't decided. Short while the leader is known dead; a real vote gets twice
 * the time, because it waits for disks. */
function armCampaign(core: Core, share: number): void {
  if (core.now >= core.promptUntil) return armElection(core)
  const least: Duration = micros(core.settings.prompt * share)
  core.electionDue = plus(core.now, micros(least + core.settings.random.below(least)))
}

/** A leader of this term was heard, or a higher term, or a campaign is lost, or a leader lost its quorum: it follows. Its
 * election timeout goes on; a leader had none. */
export function becomeFollower(core: Core, at: Term, leader: ReplicaId | null): void {
  assert(at >= core.term, 'the term never falls')
  assert(at > core.term || core.role.kind !== 'leader' || leader === null, 'a term has one leader')
  const led = core.role.kind === 'leader'
  enterTerm(core, at)
  core.role = { kind: 'follower' }
  core.leader = leader
  if (led) {
    core.contact = NEVER
    core.stallForgiven = false
    armElection(core)
  }
}

/** Thesis 9.6: asks who would vote, and changes no term until a quorum would. */
export function becomePreCandidate(core: Core): void {
  assert(core.role.kind !== 'leader', 'a leader does not campaign')
  core.role = { kind: 'pre-candidate', votes: new Map() }
  core.leader = null
  armCampaign(core, 1)
}

/** Paper 5.2: a new term, and its vote for itself. After a pre-vote, or because the leader asked for it (thesis 3.10). */
export function becomeCandidate(core: Core): void {
  assert(core.role.kind !== 'leader', 'a leader does not campaign')
  enterTerm(core, term(core.term + 1))
  core.vote = core.id
  core.leader = null
  core.role = { kind: 'candidate', votes: new Map() }
  armCampaign(core, 2)
}

/** Paper 5.2 and 5.4.2: leads from here on, and starts its term with a no-op. */
export function becomeLeader(core: Core): Leadership {
  assert(core.role.kind === 'candidate', 'only a candidate wins')
  const { log, settings, now } = core
  const next = index(log.last + 1)
  const lead: Leadership = {
    kind: 'leader',
    peers: new Map(otherMembers(core).map((id) => [id, newProgress(core, next)])),
    reads: new ReadOnly(settings.maxReads),
    noOp: next,
    round: NEVER,
    roundWanted: true,
    heartbeatDue: now,
    windowStart: now,
    uncommittedBytes: log.bytesBetween(log.commit, log.last),
    transfer: null,
  }
  core.role = lead
  core.leader = core.id
  core.promptUntil = NEVER
  core.stallForgiven = false
  appendOwn(core, lead, 'no-op', new Uint8Array(0))
  return lead
}

/** Paper 5.3: a leader only appends to its log. */
export function appendOwn(core: Core, lead: Leadership, kind: RaftEntry['kind'], data: Uint8Array): Index {
  const entry: RaftEntry = { term: core.term, index: index(core.log.last + 1), kind, data }
  appendEntries(core, [entry])
  lead.uncommittedBytes += entryBytes(entry)
  return entry.index
}

export function newProgress(core: Core, next: Index): Progress {
  return new Progress(next, core.settings.maxInflight, core.settings.maxInflightBytes)
}

/** What the log takes in counts at once for who is in the set (thesis 4.1). Whether that changed. */
export function appendEntries(core: Core, entries: readonly RaftEntry[]): boolean {
  core.log.append(entries)
  return core.membership.append(entries)
}

/** A conflict with the leader's log: the entry at `from` goes and all after it (paper 5.3), with the configurations they held. */
export function truncateLog(core: Core, from: Index): void {
  core.log.truncate(from)
  core.membership.truncate(from)
  core.disk.truncated(from)
}

function enterTerm(core: Core, at: Term): void {
  if (at === core.term) return
  core.term = at
  core.vote = null
  // What was not sent in its term helps nobody in the next.
  core.outbox = { atOnce: [], afterPersist: [] }
}
