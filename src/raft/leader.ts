// A leader's duties: replicate (paper 5.3, thesis 10.2.2), commit (paper 5.4.2), heartbeats, check-quorum (thesis 6.2), reads
// (thesis 6.4).

import { must } from '../base/assert.ts'
import type { Index, ReplicaId } from '../base/brand.ts'
import { index } from '../base/brand.ts'
import type { Instant } from '../base/instant.ts'
import { instant, micros, plus } from '../base/instant.ts'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { Core, Leadership } from './core.ts'
import { appendOwn, becomeFollower, send, votersOf } from './core.ts'
import { forgiveStall } from './election.ts'
import { ENTRY_OVERHEAD, entryBytes } from './log.ts'
import type { AppendResponse, HeartbeatResponse } from './message.ts'
import type { Progress } from './progress.ts'
import { NEVER } from './progress.ts'
import { agreed } from './quorum.ts'
import type { ConfirmedRead, Read } from './read-only.ts'
import { settleConfiguration } from './reconfigure.ts'
import { makeSnapshot, needsSnapshot } from './snapshot.ts'
import { askTransferee } from './transfer.ts'

export type ProposeError = 'not-leader' | 'too-much' | 'transferring'

export function proposeAsLeader(core: Core, lead: Leadership, data: Uint8Array): Result<Index, ProposeError> {
  if (lead.transfer !== null) return err('transferring')
  if (lead.uncommittedBytes + data.length + ENTRY_OVERHEAD > core.settings.maxUncommittedBytes) return err('too-much')
  return ok(appendOwn(core, lead, 'normal', data))
}

export function handleAppendResponse(core: Core, lead: Leadership, message: AppendResponse): void {
  const peer = hearPeer(core, lead, message.from)
  const { log } = core
  if (peer === null || message.index > log.last) return
  if (message.rejected) {
    // From the hint on, this log's own terms say where the two can't agree either.
    peer.rejected(message.index, log.lastWithTermAtMost(message.hintIndex, message.hintTerm))
    return
  }
  if (peer.acknowledged(message.index, log.first)) advanceCommit(core, lead)
}

export function handleHeartbeatResponse(core: Core, lead: Leadership, message: HeartbeatResponse): void {
  const peer = hearPeer(core, lead, message.from)
  // A round that was never made is no answer.
  if (peer === null || message.context > lead.round) return
  if (message.context > peer.round) peer.round = instant(message.context)
  // A quarter of the time between heartbeats: a lost append is mostly found out by the next one, and rounds for reads don't
  // ask again for what is merely under way.
  peer.answered(instant(message.context), core.log.last, micros(core.settings.heartbeat / 4))
  confirmReads(core, lead)
}

/** A read of this leader's own, or of a follower. */
export function readAsLeader(core: Core, lead: Leadership, read: Read): void {
  const { commit } = core.log
  lead.reads.add(read, commit >= lead.noOp ? commit : null)
}

/** What this leader wrote itself may have become durable: it counts like any follower's acknowledgement. */
export function advanceCommit(core: Core, lead: Leadership): void {
  const { log, disk } = core
  const to = index(agreed(votersOf(core), (id) => (id === core.id ? disk.stable : (lead.peers.get(id)?.match ?? 0))))
  // Paper 5.4.2 and figure 8: an entry of an earlier term is committed only with one of this term behind it.
  if (to <= log.commit || log.termAt(to) !== core.term) return
  lead.uncommittedBytes -= log.bytesBetween(log.commit, to)
  log.commitTo(to)
  lead.reads.release(to)
  settleConfiguration(core, lead)
}

/** The latest time of which is known that a quorum followed this leader then: when the newest round that a quorum answered
 * was made. Answers that lay unread while this replica was paused don't move it beyond the pause. */
export function quorumContact(core: Core, lead: Leadership): Instant {
  return instant(Math.min(core.now, confirmedRound(core, lead)))
}

export function leaderDue(core: Core, lead: Leadership): Instant {
  return instant(Math.min(lead.heartbeatDue, quorumDue(core, lead), lead.transfer?.until ?? lead.heartbeatDue))
}

/** Thesis 6.2: a leader that can't reach a quorum steps down, so that its clients look elsewhere.
 *
 * After a stall of its own loop it waits for one more window, because answers may lie unread. That lets no old leader decide:
 * it commits nothing without fresh acknowledgements of its term, answers no read without a fresh round, `quorumContact` still
 * says how old its knowledge is, and a second stall is not forgiven before a quorum was heard. */
export function tickLeader(core: Core, lead: Leadership): void {
  if (quorumContact(core, lead) > lead.windowStart) core.stallForgiven = false
  if (forgiveStall(core, lead.heartbeatDue)) lead.windowStart = core.now
  if (core.now >= quorumDue(core, lead)) return becomeFollower(core, core.term, null)
  if (core.now >= lead.heartbeatDue) lead.roundWanted = true
  if (lead.transfer === null || core.now < lead.transfer.until) return
  // Thesis 3.10: the transferee doesn't lead within an election timeout, so this leader goes on.
  lead.transfer = null
  settleConfiguration(core, lead)
}

/** Makes what this turn gathered: at most one heartbeat round, and appends with all that was proposed. */
export function makeMessages(core: Core, lead: Leadership): void {
  if (lead.roundWanted || lead.reads.wantsRound) makeRound(core, lead)
  for (const [to, peer] of lead.peers) makeAppends(core, to, peer)
  askTransferee(core, lead)
}

/** That peer's process is known dead: it was not heard since. */
export function forgetPeer(lead: Leadership, id: ReplicaId): void {
  const peer = lead.peers.get(id)
  if (peer === undefined) return
  peer.heard = NEVER
  peer.round = NEVER
  peer.snapshotDone(false)
}

function makeRound(core: Core, lead: Leadership): void {
  lead.round = instant(Math.max(core.now, lead.round + 1))
  lead.roundWanted = false
  lead.heartbeatDue = plus(core.now, core.settings.heartbeat)
  lead.reads.ask(lead.round)
  if (lead.transfer !== null) lead.transfer = { ...lead.transfer, asked: false }
  for (const [to, peer] of lead.peers) {
    const commit = index(Math.min(peer.match, core.log.commit))
    send(core, { kind: 'heartbeat', from: core.id, to, term: core.term, commit, context: lead.round })
  }
  // A leader that is a quorum by itself has its answer.
  confirmReads(core, lead)
}

function makeAppends(core: Core, to: ReplicaId, peer: Progress): void {
  const { log, settings } = core
  if (needsSnapshot(core, peer)) return makeSnapshot(core, to, peer)
  let made = false
  while (peer.open && peer.next <= log.last) {
    makeAppend(core, to, peer, settings.maxAppendEntries)
    made = true
  }
  // Whoever waits for a commit learns of it at once.
  if (!made && peer.wantsEmpty(log.commit, settings.lazyCommit)) makeAppend(core, to, peer, 0)
}

function makeAppend(core: Core, to: ReplicaId, peer: Progress, count: number): void {
  const { log, settings } = core
  const prevIndex = index(peer.next - 1)
  const prevTerm = must(log.termAt(prevIndex), 'next is at most one beyond the last entry')
  const entries = count === 0 ? [] : log.slice(peer.next, log.last, count, settings.maxAppendBytes)
  const head = { from: core.id, to, term: core.term }
  send(core, { kind: 'append', ...head, prevIndex, prevTerm, entries, commit: log.commit })
  const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0)
  peer.sent(index(prevIndex + entries.length), log.commit, core.now, bytes)
}

function confirmReads(core: Core, lead: Leadership): void {
  for (const read of lead.reads.confirm(confirmedRound(core, lead))) answerRead(core, read)
}

function answerRead(core: Core, read: ConfirmedRead): void {
  const { context, index: at, from } = read
  if (from === core.id) core.reads.push({ context, index: at })
  else send(core, { kind: 'read-index-response', from: core.id, to: from, term: core.term, context, index: at })
}

/** The newest round that a quorum answered, this leader's own answer included. */
function confirmedRound(core: Core, lead: Leadership): Instant {
  const own = Math.max(core.now, lead.round)
  return instant(agreed(votersOf(core), (id) => (id === core.id ? own : (lead.peers.get(id)?.round ?? NEVER))))
}

function quorumDue(core: Core, lead: Leadership): Instant {
  const heard = Math.max(quorumContact(core, lead), lead.windowStart)
  return plus(instant(heard), core.settings.electionTimeout)
}

function hearPeer(core: Core, lead: Leadership, from: ReplicaId): Progress | null {
  const peer = lead.peers.get(from) ?? null
  if (peer !== null) peer.heard = core.now
  return peer
}
