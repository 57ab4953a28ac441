// CANCEL and ACK from upstream: what follows an INVITE from hop to hop.

import { answerText, ownTag } from '../proxy/answer.ts'
import { requestKey } from '../proxy/branch.ts'
import { toTag } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { stepInviteServer } from '../transaction/invite-server.ts'
import type { Flow } from '../wire/entry.ts'
import type { InputRef } from './contract.ts'
import { dialogOf, inviteOfKey } from './find.ts'
import { forwardStateless } from './forward.ts'
import { acknowledged } from './lifetime.ts'
import { decideCancel } from './invite-response.ts'
import { upstreamOf } from './reply.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

/** 16.10: its commit, then its 200, then our own CANCELs; one whose INVITE is unknown is forwarded without state. */
export function onCancel(turn: Turn, request: SipRequest, flow: Flow, ref: InputRef): void {
  const known = inviteOfKey(turn, requestKey(request))
  if (known === null) {
    forwardStateless(turn, request, flow, dialogOf(turn, request))
    turn.handled(ref)
    return
  }
  // 9.2: a 200 whatever comes of it.
  const ok = answerText(request, turn.ctx.keys, 200)
  const upstream = upstreamOf(request, flow)
  if (known.value.state !== 'proceeding' || known.value.cancelled) {
    turn.send(upstream, ok, what.untracked)
    turn.handled(ref)
    return
  }
  turn.sendAfter(upstream, ok, what.untracked)
  decideCancel(turn, known.id, { cancelAnswer: upstream.transport === 'udp' ? null : ok })
  turn.handledAfter(ref)
}

/** The ACK for a failure ends here (17.2.1); the one for a 2xx is relayed at once, without state (16.11). */
export function onAck(turn: Turn, request: SipRequest, flow: Flow, ref: InputRef): void {
  turn.handled(ref)
  const known = inviteOfKey(turn, requestKey(request))
  if (known !== null && known.value.state !== 'accepted') {
    const local = turn.invite(known.id)
    turn.setInvite(known.id, { ...local, server: stepInviteServer(local.server, { kind: 'ack' }, turn.now).machine })
    return
  }
  // The ACK for a refusal of our own, which kept no state.
  if (known === null && toTag(request) === ownTag(request, turn.ctx.keys)) return
  const dialog = dialogOf(turn, request)
  forwardStateless(turn, request, flow, dialog)
  acknowledged(turn, dialog)
}
