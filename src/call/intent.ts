// Log timers of kind callback that fired. Each ends in a commit that has its intent done, whatever else is in it.
//
//   c.BRANCH  timer C (RFC 3261 16.8)     k.BRANCH  no final within 64*T1 of our CANCEL (9.1)     e.DIALOG  BYE without a final
//   l.DIALOG  the oldest that a call becomes     o.DIALOG  are both sides there?     s.DIALOG  its session expires
//
//   g.1  is the group there that messages are passed on to?
//
// And intents that a commit opened: b.RECORD, a BYE of our own.

import type { Index } from '../base/brand.ts'
import { lookAfterAlias } from './alias.ts'
import { endDialog } from './bye.ts'
import { cancelBranches, isOpen } from './branches.ts'
import { branchOfId } from './find.ts'
import type { Found } from './find.ts'
import { failWith } from './invite-failure.ts'
import { onExpired, onLimit } from './lifetime.ts'
import { performBye } from './own-bye.ts'
import { performProbe } from './probe.ts'
import type { Branch, InviteRecord } from '../transaction/record.ts'
import type { Turn } from './turn.ts'

export function onIntent(turn: Turn, id: string, opened: Index): void {
  const kind = id.slice(0, 2)
  const subject = id.slice(2)
  if (kind === 'b.') return performBye(turn, subject)
  if (kind === 'o.') return performProbe(turn, subject, opened)
  turn.intentDone(id)
  if (kind === 'l.') return onLimit(turn, subject)
  if (kind === 's.') return onExpired(turn, subject)
  if (kind === 'g.') return lookAfterAlias(turn)
  if (kind === 'e.') {
    const dialog = turn.get('Dialog', subject)
    if (dialog?.kind === 'dialog' && dialog.state !== 'ended') endDialog(turn, subject, dialog)
    return
  }
  const found = branchOfId(turn, subject)
  if (found === null || !isOpen(found.branch)) return
  if (kind === 'c.') onTimerC(turn, found)
  // Whoever cancelled gets 487; if it was timer C, 408.
  else if (kind === 'k.') failWith(turn, found, found.value.cancelled ? 487 : 408)
}

/** 16.8: a branch that rings is cancelled, one that never answered is as good as a 408. */
function onTimerC(turn: Turn, found: Found<InviteRecord> & { branch: Branch }): void {
  const { id, value, branch } = found
  if (branch.state === 'proceeding') turn.put(id, cancelBranches(turn, id, value, branch.id))
  else failWith(turn, found, 408)
}
