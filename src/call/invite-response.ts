// A response to an INVITE, from downstream (RFC 3261 16.7). Provisionals pass at once, finals after their commit.

import { flat } from '../base/bytes.ts'
import { stepInviteClient } from '../transaction/invite-client.ts'
import { stepInviteServer } from '../transaction/invite-server.ts'
import type { Branch, InviteRecord } from '../transaction/record.ts'
import { timers } from '../transaction/timers.ts'
import { answerText } from '../proxy/answer.ts'
import { relayResponse } from '../proxy/response.ts'
import { toTag } from '../sip/message.ts'
import type { SipResponse } from '../sip/message.ts'
import { between } from '../base/instant.ts'
import { cancelBranchTimers, cancelBranches, isOpen, sendCancel, withBranch } from './branches.ts'
import type { InputRef } from './contract.ts'
import { confirmDialog, dropEarly, openEarly, refreshTargets } from './invite-dialog.ts'
import { allInvites, sentInvite } from './find.ts'
import type { Found } from './find.ts'
import { onFailure, onLaterFailure, receivedInvite } from './invite-failure.ts'
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
  const open = isOpen(branch)
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
  const known = branch.state === 'calling' ? withBranch(value, branch.id, { state: 'proceeding' }) : value
  if (known !== value) {
    turn.put(id, known)
    // 9.1: a CANCEL waits for the first provisional.
    if (branch.cancel !== null) sendCancel(turn, id, branch, 'at-once')
  }
  if (response.status === 100) return
  const relayed = relayResponse(response)
  if (relayed === null) return
  const local = turn.invite(id)
  const { machine, actions } = stepInviteServer(local.server, { kind: 'respond', status: response.status }, turn.now)
  if (actions.includes('send-response')) turn.send(value.upstream, relayed.text, what.response(id))
  const provisional = flat(relayed.text)
  turn.setInvite(id, { ...local, server: machine, provisional })
  if (known.state === 'proceeding' && known.upstream.transport !== 'udp' && known.provisional !== provisional)
    turn.put(id, { ...known, provisional })
  if (toTag(response) !== null && value.dialog === '' && value.state === 'proceeding') openEarly(turn, response, found)
  // JSR 289 10.2.3: an application's patience is not renewed by those who ring.
  if ((value.rules?.patience ?? null) === null) resetTimerC(turn, id, branch)
}

/** 16.7 step 2: each 101 to 199 sets timer C anew; in the log no more often than once a minute. */
function resetTimerC(turn: Turn, id: string, branch: Branch): void {
  const local = turn.invite(id)
  const place = local.branches.get(branch.id)
  if (place === undefined || between(place.timerC, turn.now) < timers.timerCReset || branch.cancel !== null) return
  turn.setTimer(`c.${branch.id}`, timers.timerC, null)
  const branches = new Map(local.branches).set(branch.id, { ...place, timerC: turn.now })
  turn.setInvite(id, { ...local, branches })
}

/** 16.7 step 5 and 10: a branch's 2xx goes upstream after its commit, which has the CANCELs of the others; of several that were
 * faster than their CANCEL each does, and makes a dialog of its own. */
function onFirstSuccess(turn: Turn, response: SipResponse, found: Found<InviteRecord> & { branch: Branch }): void {
  const { id, value, branch } = found
  // On UDP the callee repeats its 2xx until the ACK (13.3.1.4); on a stream not every callee does, so the log keeps it.
  const isRepeated = value.upstream.transport === 'udp' && branch.hop.transport === 'udp'
  const kept = isRepeated ? null : flat(relayResponse(response)?.text ?? '')
  const isFirst = value.state === 'proceeding'
  const change = { state: 'accepted', cancel: null, answer: isFirst ? null : kept } as const
  const accepted: InviteRecord = {
    ...(isFirst ? withoutFailures(value, branch.id, change) : withBranch(value, branch.id, change)),
    state: 'accepted',
    provisional: null,
    final: isFirst ? kept : value.final,
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
  turn.put(id, cancelBranches(turn, id, accepted))
}

/** The failures that were kept go no further. */
function withoutFailures(record: InviteRecord, id: string, change: Partial<Branch>): InviteRecord {
  const branches = record.branches.map((branch) => (branch.answer === null ? branch : { ...branch, answer: null }))
  return withBranch({ ...record, branches }, id, change)
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

/** The provisional of an owner before this one, with the same bytes: the newest, or 100. */
export function tryAgain(turn: Turn, { id, value }: Found<InviteRecord>): void {
  const [branch] = value.branches
  if (branch === undefined) return
  const text = value.provisional ?? answerText(receivedInvite(sentInvite(turn, branch)), turn.ctx.keys, 100)
  turn.send(value.upstream, text, what.response(id))
}

/** The commit of a CANCEL of the caller's, with its answer as far as it is kept: what it sends, and when it is given up (9.1:
 * 64*T1). */
export function decideCancel(turn: Turn, id: string, callers: Pick<InviteRecord, 'cancelAnswer'>): void {
  const record = allInvites(turn).find((one) => one.id === id)
  if (record === undefined) return
  turn.put(id, cancelBranches(turn, id, { ...record.value, ...callers, cancelled: true }))
}
