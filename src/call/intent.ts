// Log timers of kind callback that fired. Each ends in a commit that has the intent done, whatever else is in it.
//
//   c.BRANCH  timer C (RFC 3261 16.8)     k.BRANCH  no final within 64*T1 of our CANCEL (9.1)     e.DIALOG  BYE without a final

import { endDialog } from './bye.ts'
import { allInvites } from './find.ts'
import type { Found } from './find.ts'
import { decideCancel, failWith } from './invite-response.ts'
import type { Branch, InviteRecord } from '../transaction/record.ts'
import type { Turn } from './turn.ts'

export function onIntent(turn: Turn, id: string): void {
  turn.intentDone(id)
  const kind = id.slice(0, 2)
  const subject = id.slice(2)
  if (kind === 'e.') {
    const dialog = turn.get('Dialog', subject)
    if (dialog?.kind === 'dialog' && dialog.state !== 'ended') endDialog(turn, subject, dialog)
    return
  }
  const found = openBranch(turn, subject)
  if (found === null) return
  if (kind === 'c.') onTimerC(turn, found)
  // Whoever cancelled gets 487; if it was timer C, 408.
  else if (kind === 'k.') failWith(turn, found, found.value.cancelled ? 487 : 408)
}

/** 16.8: a branch that rings is cancelled, one that never answered is as good as a 408. */
function onTimerC(turn: Turn, found: Found<InviteRecord> & { branch: Branch }): void {
  if (found.branch.state === 'proceeding') decideCancel(turn, found.id, null)
  else failWith(turn, found, 408)
}

function openBranch(turn: Turn, id: string): (Found<InviteRecord> & { branch: Branch }) | null {
  for (const invite of allInvites(turn)) {
    const branch = invite.value.branches.find((one) => one.id === id)
    if (branch === undefined) continue
    return branch.state === 'calling' || branch.state === 'proceeding' ? { ...invite, branch } : null
  }
  return null
}
