// A follower's duties (paper 5.3, figure 3.1): take the leader's entries where they fit, say where they don't.

import { assert } from '../base/assert.ts'
import type { ReplicaId } from '../base/brand.ts'
import { index, term } from '../base/brand.ts'
import type { Core } from './core.ts'
import { armElection, becomeFollower, send, sendAfterPersist } from './core.ts'
import type { AppendRequest, Heartbeat, ReadIndexResponse } from './message.ts'
import { NEVER } from './progress.ts'

export function handleAppend(core: Core, message: AppendRequest): void {
  hearLeader(core, message.from)
  if (!isContiguous(message)) return
  const { log, disk } = core
  const { prevIndex, prevTerm, entries } = message
  // Paper 5.3, the consistency check: without the same entry before them, the new ones have no place here.
  if (log.termAt(prevIndex) !== prevTerm) return reject(core, message)
  // A delayed append may be shorter than what agrees already: only a conflict removes anything (figure 3.1, step 3).
  const missing = log.firstMissing(entries)
  if (missing !== null) {
    if (missing.index <= log.last) {
      log.truncate(missing.index)
      disk.truncated(missing.index)
    }
    log.append(entries.slice(missing.index - prevIndex - 1))
  }
  const matched = index(prevIndex + entries.length)
  // Figure 3.1, step 5: committed are only those that this append showed to agree.
  log.commitTo(index(Math.min(message.commit, matched)))
  const head = { from: core.id, to: message.from, term: core.term }
  const hints = { rejected: false, hintIndex: index(0), hintTerm: term(0) }
  sendAfterPersist(core, { kind: 'append-response', ...head, index: matched, ...hints })
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

/** Whether the entries follow prevIndex without a gap, with terms that never fall, up to the message's own. */
function isContiguous(message: AppendRequest): boolean {
  let before = { index: message.prevIndex as number, term: message.prevTerm as number }
  for (const entry of message.entries) {
    if (entry.index !== before.index + 1 || entry.term < before.term || entry.term > message.term) return false
    before = entry
  }
  return true
}
