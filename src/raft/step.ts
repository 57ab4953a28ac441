// A message of a peer: first its term (paper 5.1), then what its kind asks of this replica's role (etcd's Step).

import { unreachable } from '../base/assert.ts'
import { index, term } from '../base/brand.ts'
import type { Core } from './core.ts'
import { becomeFollower, send } from './core.ts'
import { handleTimeoutNow, handleVoteRequest, handleVoteResponse, sticksToLeader } from './election.ts'
import { handleAppend, handleHeartbeat, handleReadIndexResponse, handleSnapshot } from './follower.ts'
import { handleAppendResponse, handleHeartbeatResponse, readAsLeader } from './leader.ts'
import type { RaftMessage } from './message.ts'

export function stepMessage(core: Core, message: RaftMessage): void {
  if (message.term > core.term && !adoptTerm(core, message)) return
  if (message.term < core.term) return answerEarlierTerm(core, message)
  dispatch(core, message)
}

/** Paper 5.1: a higher term is adopted; but a pre-vote's is only asked for, and a request for votes is not heard at all while
 * a leader may count on this replica. Whether the message is to be handled. */
function adoptTerm(core: Core, message: RaftMessage): boolean {
  switch (message.kind) {
    case 'pre-vote':
      return !sticksToLeader(core)
    case 'vote':
      if (sticksToLeader(core)) return false
      becomeFollower(core, message.term, null)
      return true
    case 'pre-vote-response':
      if (!message.granted) becomeFollower(core, message.term, null)
      return true
    case 'append':
    case 'heartbeat':
    case 'snapshot':
      becomeFollower(core, message.term, message.from)
      return true
    default:
      becomeFollower(core, message.term, null)
      return true
  }
}

/** Paper 5.1: a message of an earlier term is refused. A leader or candidate that doesn't know the newer term learns it from
 * the answer, and with check-quorum only so (its own requests are not heard); the answer claims nothing else. */
function answerEarlierTerm(core: Core, message: RaftMessage): void {
  const head = { from: core.id, to: message.from, term: core.term }
  if (message.kind === 'pre-vote') send(core, { kind: 'pre-vote-response', ...head, granted: false })
  if (message.kind === 'vote' || message.kind === 'transfer-vote')
    send(core, { kind: 'vote-response', ...head, granted: false })
  if (message.kind !== 'append' && message.kind !== 'heartbeat' && message.kind !== 'snapshot') return
  const nothing = { index: index(0), rejected: true, hintIndex: index(0), hintTerm: term(0) }
  send(core, { kind: 'append-response', ...head, ...nothing })
}

function dispatch(core: Core, message: RaftMessage): void {
  const lead = core.role.kind === 'leader' ? core.role : null
  switch (message.kind) {
    case 'pre-vote':
    case 'vote':
    case 'transfer-vote':
      return handleVoteRequest(core, message)
    case 'pre-vote-response':
    case 'vote-response':
      return handleVoteResponse(core, message)
    case 'append':
      return handleAppend(core, message)
    case 'heartbeat':
      return handleHeartbeat(core, message)
    case 'snapshot':
      return handleSnapshot(core, message)
    case 'timeout-now':
      return handleTimeoutNow(core, message)
    case 'append-response':
      return lead === null ? undefined : handleAppendResponse(core, lead, message)
    case 'heartbeat-response':
      return lead === null ? undefined : handleHeartbeatResponse(core, lead, message)
    case 'read-index':
      return lead === null ? undefined : readAsLeader(core, lead, message)
    case 'read-index-response':
      return message.from === core.leader ? handleReadIndexResponse(core, message) : undefined
    default:
      return unreachable(message)
  }
}
