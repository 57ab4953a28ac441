// A follower's duties (paper 5.3, figure 3.1): take the leader's entries where they fit, say where they don't.

import { assert } from '../base/assert.ts'
import type { Index, ReplicaId } from '../base/brand.ts'
import { index, term } from '../base/brand.ts'
import type { Core } from './core.ts'
import { appendEntries, armElection, becomeFollower, send, sendAfterPersist, truncateLog } from './core.ts'
import { configurationFault } from './configuration.ts'
import { entryFault } from './membership.ts'
import type { AppendRequest, Heartbeat, InstallSnapshot, ReadIndexResponse } from './message.ts'
import { NEVER } from './progress.ts'

export function handleAppend(core: Core, message: AppendRequest): void {
  hearLeader(core, message.from)
  if (!isWhole(message)) return
  const { log } = core
  const { prevIndex, prevTerm, entries } = message
  // The entries that a snapshot holds can't be compared, and need not: they are committed.
  if (prevIndex < log.first - 1) return acknowledge(core, message.from, log.commit)
  // Paper 5.3, the consistency check: without the same entry before them, the new ones have no place here.
  if (log.termAt(prevIndex) !== prevTerm) return reject(core, message)
  // A delayed append may be shorter than what agrees already: only a conflict removes anything (figure 3.1, step 3).
  const missing = log.firstMissing(entries)
  if (missing !== null) {
    if (missing.index <= log.last) truncateLog(core, missing.index)
    appendEntries(core, entries.slice(missing.index - prevIndex - 1))
  }
  const matched = index(prevIndex + entries.length)
  // Figure 3.1, step 5: committed are only those that this append showed to agree.
  log.commitTo(index(Math.min(message.commit, matched)))
  acknowledge(core, message.from, matched)
}

/** Figure 5.3, InstallSnapshot: the caller has all of its bytes. */
export function handleSnapshot(core: Core, message: InstallSnapshot): void {
  hearLeader(core, message.from)
  const { log, disk } = core
  const { snapshot } = message
  if (snapshot.term > message.term || configurationFault(snapshot.configuration) !== null) return
  if (log.termAt(snapshot.index) === snapshot.term) {
    // Step 6: the log has all that the snapshot has, and goes on.
    log.commitTo(snapshot.index)
  } else if (snapshot.index > log.commit) {
    // Step 7: the whole log goes. What is on disk stays good as far as it was committed.
    disk.truncated(index(log.commit + 1))
    log.restore(snapshot)
    core.membership.restore(snapshot.index, snapshot.configuration)
    core.installed = snapshot
  }
  acknowledge(core, message.from, log.commit)
}

export function handleHeartbeat(core: Core, message: Heartbeat): void {
  hearLeader(core, message.from)
  // The leader sends no more than what this log acknowledged.
  core.log.commitTo(message.commit)
  const head = { from: core.id, to: message.from, term: core.term }
  send(core, { kind: 'heartbeat-response', ...head, context: message.context })
}

export function handleReadIndexResponse(core: Core, message: ReadIndexResponse): void {
  core.reads.push({ context: message.context, index: message.index })
}

/** Thesis 6.4: the leader answers for its followers too. Without one the question is lost. */
export function forwardRead(core: Core, context: number): void {
  if (core.leader === null) return
  send(core, { kind: 'read-index', from: core.id, to: core.leader, term: core.term, context })
}

/** Once all that this log took in is durable. */
function acknowledge(core: Core, to: ReplicaId, matched: Index): void {
  const head = { from: core.id, to, term: core.term }
  const hints = { rejected: false, hintIndex: index(0), hintTerm: term(0) }
  sendAfterPersist(core, { kind: 'append-response', ...head, index: matched, ...hints })
}

function hearLeader(core: Core, from: ReplicaId): void {
  assert(core.role.kind !== 'leader', 'a term has one leader')
  assert(core.leader === null || core.leader === from, 'a term has one leader')
  // A candidate knows no leader either.
  if (core.leader === null) becomeFollower(core, core.term, from)
  core.contact = core.now
  core.promptUntil = NEVER
  core.stallForgiven = false
  armElection(core)
}

/** Paper 5.3, end: the leader need not try index by index. */
function reject(core: Core, message: AppendRequest): void {
  const hintIndex = core.log.lastWithTermAtMost(message.prevIndex, message.prevTerm)
  const hintTerm = core.log.termAt(hintIndex) ?? term(0)
  const head = { from: core.id, to: message.from, term: core.term }
  send(core, { kind: 'append-response', ...head, index: message.prevIndex, rejected: true, hintIndex, hintTerm })
}

/** Whether the entries follow prevIndex without a gap, with terms that never fall, up to the message's own; and can be read. */
function isWhole(message: AppendRequest): boolean {
  let before = { index: message.prevIndex as number, term: message.prevTerm as number }
  for (const entry of message.entries) {
    if (entry.index !== before.index + 1 || entry.term < before.term || entry.term > message.term) return false
    if (entryFault(entry) !== null) return false
    before = entry
  }
  return true
}
