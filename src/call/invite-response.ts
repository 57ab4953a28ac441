// A response to an INVITE, from downstream (RFC 3261 16.7). Provisionals pass at once, finals after their commit.

import { flat } from '../base/bytes.ts'
import { ackFor, cancelFor } from '../transaction/hop-by-hop.ts'
import { resumeInviteClient, stepInviteClient } from '../transaction/invite-client.ts'
import { stepInviteServer } from '../transaction/invite-server.ts'
import { startNonInviteClient } from '../transaction/non-invite-client.ts'
import type { Branch, InviteRecord } from '../transaction/record.ts'
import { timers } from '../transaction/timers.ts'
import { answerText } from '../proxy/answer.ts'
import { relayResponse } from '../proxy/response.ts'
import { edit } from '../sip/edit.ts'
import { toTag } from '../sip/message.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import { between, millis } from '../base/instant.ts'
import type { Duration } from '../base/instant.ts'
import type { InputRef } from './contract.ts'
import { confirmDialog, dropEarly, openEarly, refreshTargets } from './invite-dialog.ts'
import { allInvites, parsedRequest, sentInvite } from './find.ts'
import type { Found } from './find.ts'
import { buryTransaction } from './settle.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

export function onInviteResponse(
  turn: Turn,
  response: SipResponse,
  found: Found<InviteRecord> & { branch: Branch },
  ref: InputRef,
): void {
  const { branch } = found
  const { status } = response
  const open = branch.state === 'calling' || branch.state === 'proceeding'
  stepClient(turn, found, status)
  if (status < 200 && open) onProvisional(turn, response, found)
  else if (status >= 200 && status < 300 && open) onFirstSuccess(turn, response, found)
  else if (status >= 200 && status < 300 && branch.state === 'accepted') onLaterSuccess(turn, response, found)
  else if (status >= 300 && open) onFailure(turn, response, found)
  else if (status >= 300 && branch.state !== 'accepted') onLaterFailure(turn, response, branch)
  if (turn.commits) turn.handledAfter(ref)
  else turn.handled(ref)
}

function stepClient(turn: Turn, found: Found<InviteRecord> & { branch: Branch }, status: number): void {
  const local = turn.invite(found.id)
  const branch = local.branches.get(found.branch.id)
  if (branch === undefined) return
  const { machine } = stepInviteClient(branch.client, { kind: 'response', status }, turn.now)
  turn.setInvite(found.id, {
    ...local,
    branches: new Map(local.branches).set(found.branch.id, { ...branch, client: machine }),
  })
}

/** 16.7 step 4 and 5: relayed at once, committed behind if it changes anything. A 100 goes no further. */
function onProvisional(turn: Turn, response: SipResponse, found: Found<InviteRecord> & { branch: Branch }): void {
  const { id, value, branch } = found
  if (branch.state === 'calling') {
    turn.put(id, withBranch(value, branch.id, { state: 'proceeding' }))
    // 9.1: a CANCEL waits for the first provisional.
    if (branch.cancel !== null) sendCancel(turn, id, branch, 'at-once')
  }
  if (response.status === 100) return
  const relayed = relayResponse(response)
  if (relayed === null) return
  const local = turn.invite(id)
  const { machine, actions } = stepInviteServer(local.server, { kind: 'respond', status: response.status }, turn.now)
  if (actions.includes('send-response')) turn.send(value.upstream, relayed.text, what.response(id))
  turn.setInvite(id, { ...local, server: machine, provisional: flat(relayed.text) })
  if (toTag(response) !== null && value.dialog === '') openEarly(turn, response, found)
  resetTimerC(turn, id, branch)
}

/** 16.7 step 2: each 101 to 199 sets timer C anew; in the log no more often than once a minute. */
function resetTimerC(turn: Turn, id: string, branch: Branch): void {
  const local = turn.invite(id)
  if (between(local.timerC, turn.now) < timers.timerCReset || branch.cancel !== null) return
  turn.setTimer(`c.${branch.id}`, timers.timerC, null)
  turn.setInvite(id, { ...local, timerC: turn.now })
}

function onFirstSuccess(turn: Turn, response: SipResponse, found: Found<InviteRecord> & { branch: Branch }): void {
  const { id, value, branch } = found
  // On UDP the callee repeats its 2xx until the ACK (13.3.1.4); on a stream not every callee does, so the log keeps it.
  const isRepeated = value.upstream.transport === 'udp' && branch.hop.transport === 'udp'
  const accepted: InviteRecord = {
    ...withBranch(value, branch.id, { state: 'accepted', cancel: null }),
    state: 'accepted',
    final: isRepeated ? null : flat(relayResponse(response)?.text ?? ''),
  }
  turn.put(id, accepted)
  cancelBranchTimers(turn, branch)
  if (value.dialog === '') {
    confirmDialog(turn, response, found)
    dropEarly(turn, id)
  } else refreshTargets(turn, response, found)
  buryTransaction(
    turn,
    id,
    value.branches.map((one) => one.id),
  )
  relaySuccess(turn, response, found, 'after')
}

/** RFC 6026 7.1, 7.2: every 2xx is relayed; one with a new To tag (a fork further down) makes its dialog first. */
function onLaterSuccess(turn: Turn, response: SipResponse, found: Found<InviteRecord> & { branch: Branch }): void {
  if (found.value.dialog === '') confirmDialog(turn, response, found)
  relaySuccess(turn, response, found, turn.commits ? 'after' : 'at-once')
}

function relaySuccess(turn: Turn, response: SipResponse, found: Found<InviteRecord>, when: 'at-once' | 'after'): void {
  const relayed = relayResponse(response)
  if (relayed === null) return
  const { id, value } = found
  const local = turn.invite(id)
  const { machine } = stepInviteServer(local.server, { kind: 'respond', status: response.status }, turn.now)
  turn.setInvite(id, { ...local, server: machine })
  if (when === 'at-once') turn.send(value.upstream, relayed.text, what.response(id))
  else turn.sendAfter(value.upstream, relayed.text, what.response(id))
}

/** 16.7 step 6 to 9 with one target: the failure is the answer. Its commit holds both what goes up and the ACK. */
function onFailure(turn: Turn, response: SipResponse, found: Found<InviteRecord> & { branch: Branch }): void {
  const invite = sentInvite(turn, found.branch)
  const ack = ackFor(invite, response)
  turn.sendAfter(found.branch.hop, ack, what.ack(found.branch.id))
  // 16.7 step 6: a 503 speaks of all requests to the one that sent it; only if all of ours go there it is true of us.
  const relayed = response.status === 503 && turn.ctx.settings.nextHop === null ? null : relayResponse(response)
  const text = relayed?.text ?? answerText(receivedInvite(invite), turn.ctx.keys, 500)
  finishWith(turn, found, { state: 'completed', ack: flat(ack), cancel: null }, response.status, flat(text))
}

/** 17.1.1.2: a failure that is repeated gets the ACK again; one that comes after our own 408 gets one too, and ends here. */
function onLaterFailure(turn: Turn, response: SipResponse, branch: Branch): void {
  turn.send(branch.hop, branch.ack ?? ackFor(sentInvite(turn, branch), response), what.ack(branch.id))
}

/** The INVITE ends with a final of our own making: 408, 487 or 500. */
export function failWith(turn: Turn, found: Found<InviteRecord> & { branch: Branch }, status: number): void {
  const { id, branch } = found
  const local = turn.invite(id)
  const place = local.branches.get(branch.id)
  if (place !== undefined) {
    const client = resumeInviteClient('terminated', place.client.reliable, millis(0), turn.now)
    turn.setInvite(id, { ...local, branches: new Map(local.branches).set(branch.id, { ...place, client }) })
  }
  const text = answerText(receivedInvite(sentInvite(turn, branch)), turn.ctx.keys, status)
  finishWith(turn, found, { state: 'terminated', ack: null, cancel: null }, status, text)
}

function finishWith(
  turn: Turn,
  found: Found<InviteRecord> & { branch: Branch },
  change: Partial<Branch>,
  status: number,
  final: string,
): void {
  const { id, value, branch } = found
  turn.put(id, { ...withBranch(value, branch.id, change), state: 'completed', final })
  cancelBranchTimers(turn, branch)
  if (value.dialog === '') dropEarly(turn, id)
  buryTransaction(
    turn,
    id,
    value.branches.map((one) => one.id),
  )
  const local = turn.invite(id)
  const { machine } = stepInviteServer(local.server, { kind: 'respond', status }, turn.now)
  const branches = new Map([...local.branches].map(([key, one]) => [key, { ...one, cancel: null }]))
  turn.setInvite(id, { ...local, server: machine, branches })
  turn.sendAfter(value.upstream, final, what.response(id))
}

/** The 100 of an owner before this one, with the same bytes. */
export function tryAgain(turn: Turn, { id, value }: Found<InviteRecord>): void {
  const [branch] = value.branches
  if (branch === undefined) return
  const text = answerText(receivedInvite(sentInvite(turn, branch)), turn.ctx.keys, 100)
  turn.send(value.upstream, text, what.response(id))
}

/** The INVITE as it came: what we put on top of it taken off again, so that answers find their way. */
function receivedInvite(sent: SipRequest): SipRequest {
  return parsedRequest(edit(sent).removeTopVia().print())
}

/** The commit of a CANCEL, of ours (null) or of the caller's with its answer as far as it is kept: what it sends, and when it is
 * given up (9.1: 64*T1). */
export function decideCancel(turn: Turn, id: string, callers: Pick<InviteRecord, 'cancelAnswer'> | null): void {
  const record = allInvites(turn).find((one) => one.id === id)
  if (record === undefined) return
  let value: InviteRecord = callers === null ? record.value : { ...record.value, ...callers, cancelled: true }
  for (const branch of record.value.branches) {
    if ((branch.state !== 'calling' && branch.state !== 'proceeding') || branch.cancel !== null) continue
    const cancel = flat(cancelFor(sentInvite(turn, branch)))
    value = withBranch(value, branch.id, { cancel })
    turn.setTimer(`k.${branch.id}`, timers.sixtyFourT1, null)
    turn.cancelTimer(`c.${branch.id}`)
    if (branch.state === 'proceeding') sendCancel(turn, id, { ...branch, cancel }, 'after')
  }
  turn.put(id, value)
}

/** The stored CANCEL goes out, with its own client transaction. */
export function sendCancel(turn: Turn, id: string, branch: Branch, when: 'at-once' | 'after', age = millis(0)): void {
  if (branch.cancel === null) return
  const local = turn.invite(id)
  const place = local.branches.get(branch.id)
  if (place === undefined) return
  const cancel = startNonInviteClient(branch.hop.transport !== 'udp', age as Duration, turn.now)
  turn.setInvite(id, { ...local, branches: new Map(local.branches).set(branch.id, { ...place, cancel }) })
  if (when === 'at-once') turn.send(branch.hop, branch.cancel, what.cancel(branch.id))
  else turn.sendAfter(branch.hop, branch.cancel, what.cancel(branch.id))
}

function withBranch(record: InviteRecord, id: string, change: Partial<Branch>): InviteRecord {
  return {
    ...record,
    branches: record.branches.map((branch) => (branch.id === id ? { ...branch, ...change } : branch)),
  }
}

function cancelBranchTimers(turn: Turn, branch: Branch): void {
  turn.cancelTimer(`c.${branch.id}`)
  if (branch.cancel !== null) turn.cancelTimer(`k.${branch.id}`)
}
