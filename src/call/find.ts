// What of a group a message belongs to.

import { must } from '../base/assert.ts'
import { callId, fromTag, parseMessage, toTag } from '../sip/message.ts'
import type { SipMessage, SipRequest } from '../sip/message.ts'
import { senderOf } from '../session/dialog.ts'
import type { Dialog, Side } from '../session/dialog.ts'
import type { Leg } from '../session/leg.ts'
import type { SipSession } from '../session/sip-session.ts'
import type { Branch, ByeRecord, InviteRecord, UacRecord, UasRecord } from '../transaction/record.ts'
import type { Turn } from './turn.ts'

export interface Found<T> {
  readonly id: string
  readonly value: T
}

export function allInvites(turn: Turn): readonly Found<InviteRecord>[] {
  const found: Found<InviteRecord>[] = []
  for (const [id, value] of turn.entries('Transaction')) if (value.kind === 'invite') found.push({ id, value })
  return found
}

export function allDialogs(turn: Turn): readonly Found<Dialog>[] {
  const found: Found<Dialog>[] = []
  for (const [id, value] of turn.entries('Dialog')) if (value.kind === 'dialog') found.push({ id, value })
  return found
}

export function allSessions(turn: Turn): readonly Found<SipSession>[] {
  const found: Found<SipSession>[] = []
  for (const [id, value] of turn.entries('SipSession')) if (value.kind === 'session') found.push({ id, value })
  return found
}

/** Dialogs of which one end is an application's, with what of its transactions the log has. */
export function allLegs(turn: Turn): readonly Found<Leg>[] {
  const found: Found<Leg>[] = []
  for (const [id, value] of turn.entries('Dialog')) if (value.kind === 'leg') found.push({ id, value })
  return found
}

export function allUas(turn: Turn): readonly Found<UasRecord>[] {
  const found: Found<UasRecord>[] = []
  for (const [id, value] of turn.entries('Transaction')) if (value.kind === 'uas') found.push({ id, value })
  return found
}

export function allUac(turn: Turn): readonly Found<UacRecord>[] {
  const found: Found<UacRecord>[] = []
  for (const [id, value] of turn.entries('Transaction')) if (value.kind === 'uac') found.push({ id, value })
  return found
}

/** 17.2.3: the INVITE transaction that a request from upstream belongs to. */
export function inviteOfKey(turn: Turn, key: string): Found<InviteRecord> | null {
  return allInvites(turn).find((invite) => invite.value.key === key) ?? null
}

/** 17.1.3: the INVITE transaction and the branch that a response with our branch parameter belongs to. */
export function inviteOfBranch(turn: Turn, parameter: string): (Found<InviteRecord> & { branch: Branch }) | null {
  for (const invite of allInvites(turn)) {
    const branch = invite.value.branches.find((one) => one.branch === parameter)
    if (branch !== undefined) return { ...invite, branch }
  }
  return null
}

/** The branch of that id as it is now, and its INVITE transaction. */
export function branchOfId(turn: Turn, branchId: string): (Found<InviteRecord> & { branch: Branch }) | null {
  for (const invite of allInvites(turn)) {
    const branch = invite.value.branches.find((one) => one.id === branchId)
    if (branch !== undefined) return { ...invite, branch }
  }
  return null
}

/** The stored final of a BYE from upstream. */
export function byeOfKey(turn: Turn, key: string): Found<ByeRecord> | null {
  for (const [id, value] of turn.entries('Transaction')) {
    if (value.kind === 'bye' && value.key === key) return { id, value }
  }
  return null
}

/** The dialog of a request, or of the request that a response answers, and which side sent that. */
export function dialogOf(turn: Turn, message: SipMessage): (Found<Dialog> & { sender: Side }) | null {
  const remote = toTag(message)
  if (remote === null) return null
  for (const dialog of allDialogs(turn)) {
    const sender = senderOf(dialog.value, callId(message), fromTag(message) ?? '', remote)
    if (sender !== null) return { ...dialog, sender }
  }
  return null
}

/** The INVITE as we sent it on a branch. */
export function sentInvite(turn: Turn, branch: Branch): SipRequest {
  const record = turn.get('Transaction', branch.id)
  return parsedRequest(record?.kind === 'request' ? record.text : null)
}

/** A request that we printed ourselves. */
export function parsedRequest(text: string | null): SipRequest {
  const parsed = parseMessage(must(text, 'a branch without its request'))
  const message = parsed.ok ? parsed.value : null
  return must(message?.kind === 'request' ? message : null, 'a request of ours that can not be parsed')
}
