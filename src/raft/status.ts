// A replica's state at a glance, and as one canonical line.

import type { Index, ReplicaId, Term } from '../base/brand.ts'
import type { Instant } from '../base/instant.ts'
import type { Core } from './core.ts'
import { quorumContact } from './leader.ts'

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
  /** Sorted. */
  readonly voters: readonly ReplicaId[]
  /** A leader's: when each other voter last answered in this term; minus infinity = never, or known dead since. */
  readonly heard: ReadonlyMap<ReplicaId, Instant>
  /** The latest time of which is known that this replica was in touch with the quorum: at a leader, when the newest
   * heartbeat round was made that a quorum answered; elsewhere, when the leader was last heard. Minus infinity = never. */
  readonly quorumContact: Instant
  /** A leader's, sorted by id. */
  readonly peers: readonly PeerStatus[]
}

export interface PeerStatus {
  readonly id: ReplicaId
  readonly state: 'probe' | 'replicate'
  readonly match: Index
  readonly next: Index
  /** Appends with entries that are not acknowledged. */
  readonly inflight: number
}

export function statusOf(core: Core): RaftStatus {
  const { log, role } = core
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
    voters: core.voters.incoming,
    heard: new Map(peers.map(([id, peer]) => [id, peer.heard])),
    quorumContact: lead === null ? core.contact : quorumContact(core, lead),
    peers: peers.map(([id, { state, match, next, inflight }]) => ({ id, state, match, next, inflight })),
  }
}

/** `1 leader term=2 vote=1 leader=1 commit=5 applied=5 stable=6 last=6 voters=1,2,3 | 2 replicate match=5 next=7 inflight=1`:
 * times are left out, so that equal states print equal. */
export function formatStatus(status: RaftStatus): string {
  const { id, role, term, vote, leader, commit, applied, stable, last, voters } = status
  const log = `commit=${commit} applied=${applied} stable=${stable} last=${last}`
  const own = `${id} ${role} term=${term} vote=${vote ?? '-'} leader=${leader ?? '-'} ${log} voters=${voters.join(',')}`
  const line = (peer: PeerStatus): string =>
    ` | ${peer.id} ${peer.state} match=${peer.match} next=${peer.next} inflight=${peer.inflight}`
  return own + status.peers.map(line).join('')
}
