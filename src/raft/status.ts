// A replica's state at a glance, and as one canonical line.

import type { Index, ReplicaId, Term } from '../base/brand.ts'
import { index } from '../base/brand.ts'
import type { Instant } from '../base/instant.ts'
import type { Configuration } from './configuration.ts'
import { formatConfiguration } from './configuration.ts'
import type { Core } from './core.ts'
import { quorumContact } from './leader.ts'
import type { ProgressState } from './progress.ts'

export interface RaftStatus {
  readonly id: ReplicaId
  readonly role: 'follower' | 'pre-candidate' | 'candidate' | 'leader'
  /** Null = none known. */
  readonly leader: ReplicaId | null
  readonly term: Term
  readonly vote: ReplicaId | null
  readonly commit: Index
  /** The last index handed out in `Ready.committed`. */
  readonly applied: Index
  /** The last index that is durable here. */
  readonly stable: Index
  readonly last: Index
  /** Those of the newest configuration in the log; while it is joint, those that will be. Sorted. */
  readonly voters: readonly ReplicaId[]
  /** The newest configuration in the log, which is in force, and the index of its entry: it is committed if `commit` is as high. */
  readonly configuration: Configuration
  readonly configurationIndex: Index
  /** The index of the newest snapshot, and up to which entries are purged. */
  readonly snapshot: Index
  readonly purged: Index
  /** To whom a leader is handing over; null = to nobody. */
  readonly transferee: ReplicaId | null
  /** A leader's: when each other member last answered in this term; minus infinity = never, or known dead since. */
  readonly heard: ReadonlyMap<ReplicaId, Instant>
  /** The latest time of which is known that this replica was in touch with the quorum: at a leader, when the newest
   * heartbeat round was made that a quorum answered; elsewhere, when the leader was last heard. Minus infinity = never. */
  readonly quorumContact: Instant
  /** A leader's, sorted by id. */
  readonly peers: readonly PeerStatus[]
}

export interface PeerStatus {
  readonly id: ReplicaId
  readonly state: ProgressState
  readonly isLearner: boolean
  readonly match: Index
  readonly next: Index
  /** Appends with entries that are not acknowledged. */
  readonly inflight: number
  /** `entryBytes` of those. */
  readonly inflightBytes: number
  /** The index of the snapshot on its way; 0 = none. */
  readonly pendingSnapshot: Index
}

export function statusOf(core: Core): RaftStatus {
  const { log, role } = core
  const { latest, latestIndex } = core.membership
  const lead = role.kind === 'leader' ? role : null
  const peers = [...(lead?.peers ?? [])]
  return {
    id: core.id,
    role: role.kind,
    leader: core.leader,
    term: core.term,
    vote: core.vote,
    commit: log.commit,
    applied: log.applied,
    stable: core.disk.stable,
    last: log.last,
    voters: latest.voters.incoming,
    configuration: latest,
    configurationIndex: latestIndex,
    snapshot: log.snapshot?.index ?? index(0),
    purged: index(log.first - 1),
    transferee: lead?.transfer?.to ?? null,
    heard: new Map(peers.map(([id, peer]) => [id, peer.heard])),
    quorumContact: lead === null ? core.contact : quorumContact(core, lead),
    peers: peers.map(([id, { state, match, next, inflight, inflightBytes, pendingSnapshot }]) => {
      return {
        id,
        state,
        isLearner: latest.learners.includes(id),
        match,
        next,
        inflight,
        inflightBytes,
        pendingSnapshot,
      }
    }),
  }
}

/** `1 leader term=2 vote=1 leader=1 commit=5 applied=5 stable=6 last=6 voters=1,2,3 | 2 replicate match=5 next=7 inflight=1`:
 * times are left out, so that equal states print equal; and so is what is empty, `learners=4 next=3 auto-leave snapshot=5 purged=3
 * transferee=2` before the peers, ` learner snapshot=5` after one. */
export function formatStatus(status: RaftStatus): string {
  const { id, role, term, vote, leader, commit, applied, stable, last } = status
  const log = `commit=${commit} applied=${applied} stable=${stable} last=${last}`
  const own = `${id} ${role} term=${term} vote=${vote ?? '-'} leader=${leader ?? '-'} ${log}`
  return `${own} ${formatConfiguration(status.configuration)}${formatRest(status)}${status.peers.map(formatPeer).join('')}`
}

function formatRest(status: RaftStatus): string {
  const { snapshot, purged, transferee } = status
  const parts = [snapshot > 0 ? ` snapshot=${snapshot}` : '', purged > 0 ? ` purged=${purged}` : '']
  return parts.join('') + (transferee === null ? '' : ` transferee=${transferee}`)
}

function formatPeer(peer: PeerStatus): string {
  const { id, state, match, next, inflight, isLearner, pendingSnapshot } = peer
  const rest = `${isLearner ? ' learner' : ''}${pendingSnapshot > 0 ? ` snapshot=${pendingSnapshot}` : ''}`
  return ` | ${id} ${state} match=${match} next=${next} inflight=${inflight}${rest}`
}
