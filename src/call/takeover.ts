// A new owner sends again what its predecessor may have taken with it (design.md 4): the bytes of the log, once each.
// What the machines repeat by themselves begins anew (resume.ts).

import { timers } from '../transaction/timers.ts'
import { isOpen, sendCancel } from './branches.ts'
import { allInvites, branchOfId } from './find.ts'
import { failWith } from './invite-failure.ts'
import { tryAgain } from './invite-response.ts'
import { ageOf } from './resume.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

export function onTakeover(turn: Turn): void {
  for (const invite of allInvites(turn)) {
    // One that waits has nothing to be sent again; if its turn comes now, it begins now, however old its entity is.
    for (const branch of invite.value.branches) if (branch.state !== 'waiting') takeBranch(turn, branch.id)
    const { state, final, upstream, cancelAnswer, branches } = invite.value
    // Nobody repeats an INVITE on a stream: without a 100 its caller gives up after 64*T1 (17.1.1.2).
    if (state === 'proceeding' && upstream.transport !== 'udp') tryAgain(turn, invite)
    if (cancelAnswer !== null) turn.send(upstream, cancelAnswer, what.untracked)
    if (state !== 'proceeding' && final !== null) turn.send(upstream, final, what.response(invite.id))
    // The 2xx of other branches, where nobody repeats them.
    for (const { answer, state: came } of branches) {
      if (came === 'accepted' && answer !== null) turn.send(upstream, answer, what.response(invite.id))
    }
  }
  for (const [id, record] of turn.entries('Transaction')) {
    if (record.kind === 'bye') turn.send(record.upstream, record.final, what.byeFinal(id))
  }
}

/** By its id: what one branch comes to may have changed the others. */
function takeBranch(turn: Turn, branchId: string): void {
  const found = branchOfId(turn, branchId)
  if (found === null) return
  const { id, branch } = found
  if (branch.state === 'completed' && branch.ack !== null) turn.send(branch.hop, branch.ack, what.ack(branch.id))
  if (!isOpen(branch)) return
  const young = ageOf(turn, branch.id) < timers.sixtyFourT1
  // Calling past its time becomes 408; proceeding waits on for the callee, or for timer C.
  if (!young && branch.state === 'calling') {
    failWith(turn, found, 408)
    return
  }
  // On a stream that died with the old owner the callee's last response may be lost: the INVITE fetches it again, also of one that
  // has rung for long: it has that response for 64*T1 (17.2.1). On UDP timer A fires after 2*T1, and a callee that has answered
  // repeats its 2xx before that (docs/decisions/0013).
  if (branch.hop.transport !== 'udp') {
    const record = turn.get('Transaction', branch.id)
    if (record?.kind === 'request') turn.send(branch.hop, record.text, what.invite(branch.id))
  }
  if (branch.state === 'proceeding') sendCancel(turn, id, branch, 'at-once', ageOf(turn, id))
}
