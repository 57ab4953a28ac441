// Raft (Ongaro and Ousterhout 2014; Ongaro's thesis) after etcd-io/raft: messages, time and proposals in, `Ready` out. It does
// no I/O, has no clock and doesn't know what it orders. One turn of its caller:
//
//     raft.step(message, now) ... raft.propose(data, now) ... raft.tick(now)     what happened
//     while ((ready = raft.takeReady(now)) !== null)
//         send ready.messages; apply ready.committed; answer ready.reads
//         if (ready.mustPersist) write ready.state, then ready.entries;
//             once they are durable: send ready.afterPersist, then raft.persisted(ready.number)
//
// Messages may be lost, delayed, doubled and reordered. Those for an earlier life of a replica must be dropped by the caller.

import { assert } from '../base/assert.ts'
import type { Index, ReplicaId, Term } from '../base/brand.ts'
import { index } from '../base/brand.ts'
import type { Instant } from '../base/instant.ts'
import { instant } from '../base/instant.ts'
import type { Result } from '../base/result.ts'
import { err } from '../base/result.ts'
import type { ConfChanges } from './conf-change.ts'
import type { RaftConfig, Restored } from './config.ts'
import { settingsOf } from './config.ts'
import type { Configuration } from './configuration.ts'
import { configurationFault } from './configuration.ts'
import type { Core } from './core.ts'
import { armElection, createCore, hardState, isAlone } from './core.ts'
import { campaign, forgetLeader, forgiveStall, ownVoteDurable, stepDown } from './election.ts'
import { forwardRead } from './follower.ts'
import {
  advanceCommit,
  forgetPeer,
  leaderDue,
  makeMessages,
  type ProposeError,
  proposeAsLeader,
  quorumContact,
  readAsLeader,
  tickLeader,
} from './leader.ts'
import type { HardState, InstallSnapshot, RaftEntry, RaftMessage, SnapshotMetadata } from './message.ts'
import type { Ready } from './ready.ts'
import type { RebootstrapError } from './rebootstrap.ts'
import { rebootstrap } from './rebootstrap.ts'
import type { ReconfigureError } from './reconfigure.ts'
import { proposeConfChange, proposeLeaveJoint, settleConfiguration } from './reconfigure.ts'
import { snapshotMetadata } from './snapshot.ts'
import type { RaftStatus } from './status.ts'
import { statusOf } from './status.ts'
import { stepMessage } from './step.ts'
import type { TransferError } from './transfer.ts'
import { transferLeadership } from './transfer.ts'

export class Raft {
  readonly #core: Core
  #ready = 0

  constructor(config: RaftConfig, restored: Restored, now: Instant) {
    this.#core = createCore(settingsOf(config), restored, now)
  }

  get isLeader(): boolean {
    return this.#core.role.kind === 'leader'
  }

  /** Whom this replica takes for the leader of its term, itself included; null = nobody. */
  get leader(): ReplicaId | null {
    return this.#core.leader
  }

  get term(): Term {
    return this.#core.term
  }

  get commitIndex(): Index {
    return this.#core.log.commit
  }

  /** The latest time of which is known that this replica was in touch with the quorum (`RaftStatus.quorumContact`). */
  get quorumContact(): Instant {
    const { role, contact } = this.#core
    return role.kind === 'leader' ? quorumContact(this.#core, role) : contact
  }

  /** The newest in the log, which is in force, and the index of its entry: it is committed if `commitIndex` is as high. */
  get configuration(): Configuration {
    return this.#core.membership.latest
  }

  get configurationIndex(): Index {
    return this.#core.membership.latestIndex
  }

  /** Everyone who is a member by the configuration that is committed, or by a newer one, which may come to nothing. Nobody else need
   * be heard, and all of these must: who is not in the newest one votes as long as that isn't committed (thesis 4.3). Sorted. */
  get possibleMembers(): readonly ReplicaId[] {
    const { membership, log } = this.#core
    return membership.membersSince(log.commit)
  }

  lastIndex(): Index {
    return this.#core.log.last
  }

  status(): RaftStatus {
    return statusOf(this.#core)
  }

  /** A leader's snapshot has taken the log's place, and the next Ready says so. */
  get isInstalling(): boolean {
    return this.#core.installed !== null
  }

  /** For checkers (invariants.ts), which look and don't touch. */
  inspect(): Readonly<Core> {
    return this.#core
  }

  /** A message of a peer. One that isn't for this replica is ignored. Its sender need not be in the newest configuration that
   * this replica knows: it may know a newer one (thesis 4.1). Whether it is the one it says it is, is for the caller to know. */
  step(message: RaftMessage, now: Instant): void {
    const core = this.#core
    this.#advance(now)
    if (message.to === core.id && message.from !== core.id) stepMessage(core, message)
  }

  /** Does what is due: elections, heartbeats, check-quorum. */
  tick(now: Instant): void {
    const core = this.#core
    this.#advance(now)
    if (now < this.deadline()) return
    if (core.role.kind === 'leader') return tickLeader(core, core.role)
    if (forgiveStall(core, core.electionDue)) return armElection(core)
    campaign(core)
  }

  /** When `tick` has something to do, at the latest. */
  deadline(): Instant {
    const core = this.#core
    if (core.role.kind !== 'leader') {
      // Alone in its set, a candidate waits for nothing but its disk.
      const waits = core.role.kind === 'follower' || !isAlone(core)
      return waits ? core.electionDue : FOREVER
    }
    return core.role.peers.size > 0 ? leaderDue(core, core.role) : FOREVER
  }

  /** Appends `data` to the log, if this replica leads: its index, if it is committed at all and in this term. `too-much`: the
   * uncommitted entries fill their bound; ask again once some are committed. `transferring`: it is about to hand over. */
  propose(data: Uint8Array, now: Instant): Result<Index, ProposeError> {
    const core = this.#core
    this.#advance(now)
    return core.role.kind === 'leader' ? proposeAsLeader(core, core.role, data) : err('not-leader')
  }

  /** Changes who is in the set, if this replica leads: the index of the configuration, which is in force at once, and done when
   * it is committed (if joint: when the one is that the leader appends after it). */
  proposeConfChange(wanted: ConfChanges, now: Instant): Result<Index, ReconfigureError> {
    const core = this.#core
    this.#advance(now)
    return core.role.kind === 'leader' ? proposeConfChange(core, core.role, wanted) : err('not-leader')
  }

  /** Ends a joint configuration that was entered with `explicit`. */
  leaveJoint(now: Instant): Result<Index, ReconfigureError> {
    const core = this.#core
    this.#advance(now)
    return core.role.kind === 'leader' ? proposeLeaveJoint(core, core.role) : err('not-leader')
  }

  /** Hands leadership to another voter, if this replica leads; to itself: calls that off. */
  transferLeadership(to: ReplicaId, now: Instant): Result<null, TransferError> {
    const core = this.#core
    this.#advance(now)
    if (core.role.kind !== 'leader') return err('not-leader')
    const result = transferLeadership(core, core.role, to)
    // What waited for the transfer may go on.
    if (core.role.transfer === null) settleConfiguration(core, core.role)
    return result
  }

  /** The majority is gone for good, and an operator says so: this replica goes on alone (rebootstrap.ts). Null: it campaigns. */
  rebootstrap(now: Instant): RebootstrapError | null {
    this.#advance(now)
    return rebootstrap(this.#core)
  }

  /** With `asyncStorage`: what was handed out up to `at` is applied. */
  applied(at: Index): void {
    this.#core.log.appliedTo(at)
  }

  /** The state machine's state at `at`, which is applied and durable in the log, is durable as a snapshot: what to keep with it.
   * Null: who was in the set at `at` is not known here, because this replica joined later; no snapshot can be taken of that. */
  snapshot(at: Index): SnapshotMetadata | null {
    const core = this.#core
    assert(at <= core.disk.stable, 'the log on disk is never behind its snapshot')
    const metadata = snapshotMetadata(core, at)
    if (configurationFault(metadata.configuration) !== null) return null
    core.log.snapshotTaken(metadata)
    return metadata
  }

  /** What a log on disk has to begin with that is to need nothing up to `at`, which is applied: what to keep with the snapshot,
   * the state, and the entries after it. */
  suffix(at: Index): {
    readonly metadata: SnapshotMetadata
    readonly state: HardState
    readonly entries: readonly RaftEntry[]
  } {
    const core = this.#core
    return {
      metadata: snapshotMetadata(core, at),
      state: { ...hardState(core), commit: at },
      entries: core.log.tail(index(at + 1)),
    }
  }

  /** For a follower that has all of this snapshot, which may be newer than the one that was asked for; null = this replica leads no
   * more. */
  installMessage(to: ReplicaId, snapshot: SnapshotMetadata): InstallSnapshot | null {
    const { id, term: of, role } = this.#core
    return role.kind === 'leader' ? { kind: 'snapshot', from: id, to, term: of, snapshot } : null
  }

  /** Forgets the entries up to `at`, which the newest snapshot has. */
  purge(at: Index): void {
    this.#core.log.compact(at)
    this.#core.membership.compact(at)
  }

  /** How the way of a snapshot to that peer ended; without this word a lost one is waited for as long as this leader leads. */
  reportSnapshot(peer: ReplicaId, arrived: boolean): void {
    const { role } = this.#core
    if (role.kind === 'leader') role.peers.get(peer)?.snapshotDone(arrived)
  }

  /** What was sent to that peer last may be lost: a leader probes instead of waiting for acknowledgements. */
  reportUnreachable(peer: ReplicaId): void {
    const { role } = this.#core
    if (role.kind === 'leader') role.peers.get(peer)?.reportUnreachable()
  }

  /** That follower waits for `at` to be committed: a leader with `lazyCommit` tells it as soon as it is. */
  tellCommit(peer: ReplicaId, at: Index): void {
    const { role } = this.#core
    if (role.kind === 'leader') role.peers.get(peer)?.tellCommit(at)
  }

  /** Asks for an index that all reads from now on must have applied; it comes in `Ready.reads`. It may be lost (no leader, a
   * leader change, a lost message, more than `maxReads`): the caller asks again, with a context that it never used before, in
   * none of its lives: the leader knows none, and may answer an earlier one's. */
  readIndex(context: number, now: Instant): void {
    const core = this.#core
    this.#advance(now)
    if (core.role.kind === 'leader') readAsLeader(core, core.role, { from: core.id, context })
    else forwardRead(core, context)
  }

  /** That peer's process is known dead: its link closed, and its address refused a new one. A leader no longer counts it for
   * its quorum; a follower of it forgets it and asks for pre-votes within `prompt`. */
  forget(peer: ReplicaId, now: Instant): void {
    const core = this.#core
    this.#advance(now)
    if (core.role.kind === 'leader') forgetPeer(core.role, peer)
    else forgetLeader(core, peer)
  }

  /** This replica can't make anything durable (its disk is full): it gives up leading, or its campaign, and doesn't campaign
   * until `standAgain`. It goes on as a follower: what needs no disk is answered, votes and acknowledgements wait for it as
   * ever. Its log stays; what it appended as leader may still be committed by the others. */
  stepDown(now: Instant): void {
    this.#advance(now)
    stepDown(this.#core)
  }

  /** The end of `stepDown`: from its next election timeout on it campaigns as any other. */
  standAgain(now: Instant): void {
    this.#advance(now)
    this.#core.standsAside = false
  }

  /** What gathered since the last call; null = nothing. To be called until it is null, since one Ready is bounded. */
  takeReady(now: Instant): Ready | null {
    const core = this.#core
    this.#advance(now)
    if (core.role.kind === 'leader') makeMessages(core, core.role)
    const { log, disk, installed: snapshot } = core
    const entries = log.tail(index(disk.handed + 1))
    const state = stateToWrite(core, entries.length > 0 || snapshot !== null)
    const { maxCommittedBytes, asyncStorage } = core.settings
    const committed = log.takeCommitted(maxCommittedBytes, asyncStorage ? disk.stable : log.commit)
    const { reads, outbox } = core
    const writes = state !== null || entries.length > 0 || snapshot !== null
    // What waits for the disk need not, if the disk has everything.
    const waits = writes || !disk.isIdle
    const messages = waits ? outbox.atOnce : [...outbox.atOnce, ...outbox.afterPersist]
    const afterPersist = waits ? outbox.afterPersist : []
    const mustPersist = writes || afterPersist.length > 0
    if (!mustPersist && messages.length === 0 && committed.length === 0 && reads.length === 0) return null
    core.outbox = { atOnce: [], afterPersist: [] }
    core.reads = []
    core.installed = null
    this.#ready++
    if (mustPersist) disk.hand(this.#ready, state ?? disk.handedState, log.last)
    return { number: this.#ready, state, snapshot, entries, messages, afterPersist, committed, reads, mustPersist }
  }

  /** Ready `number` and all before it are durable. */
  persisted(number: number): void {
    const core = this.#core
    assert(number <= this.#ready, 'only what was handed out becomes durable')
    core.disk.acknowledge(number)
    ownVoteDurable(core)
    if (core.role.kind === 'leader') advanceCommit(core, core.role)
  }

  #advance(now: Instant): void {
    assert(now >= this.#core.now, 'time never falls')
    this.#core.now = now
  }
}

/** After every instant that comes: nothing is due. */
const FOREVER = instant(Number.MAX_SAFE_INTEGER)

/** A term or a vote must be durable. The commit hint rides along when there is something to write anyway. */
function stateToWrite(core: Core, withEntries: boolean): HardState | null {
  const before = core.disk.handedState
  const state = hardState(core)
  if (state.term !== before.term || state.vote !== before.vote) return state
  return withEntries && state.commit > before.commit ? state : null
}
