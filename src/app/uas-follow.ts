// What follows an INVITE that an application answers: the ACK for its 2xx (13.3.1.4) or its failure (17.2.1), and a CANCEL (9.2).

import { allUac, allUas } from '../call/find.ts'
import { upstreamOf } from '../call/reply.ts'
import type { Turn } from '../call/turn.ts'
import { what } from '../call/what.ts'
import { flat } from '../base/bytes.ts'
import { requestKey } from '../proxy/branch.ts'
import type { Leg } from '../session/leg.ts'
import { cseq } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { stepInviteServer } from '../transaction/invite-server.ts'
import type { Flow } from '../wire/entry.ts'
import { legOf, uasOfKey } from './leg-find.ts'
import type { LegEvent, LegOutcome } from './leg-find.ts'
import { refusalText } from './leg-messages.ts'
import { acknowledge, answer, requestEvent } from './uas.ts'
import { startWaiting } from './uac.ts'

export function onUasAck(turn: Turn, request: SipRequest, leg: Leg | null): LegOutcome {
  const failed = uasOfKey(turn, requestKey(request))
  const local = failed === null ? undefined : turn.local.uas.get(failed.id)
  if (failed !== null && local?.kind === 'failure') {
    const { machine } = stepInviteServer(local.server, { kind: 'ack' }, turn.now)
    turn.setUas(failed.id, { kind: 'failure', server: machine })
    return 'core'
  }
  if (failed?.value.state === 'completed') return 'core'
  if (leg === null) return null
  const { number } = cseq(request)
  const accepted = allUas(turn).find(
    ({ value }) => value.session === leg.session && value.state === 'accepted' && value.cseq === number,
  )
  // Repeated, or for a refusal that kept nothing.
  if (accepted === undefined) return 'core'
  acknowledge(turn, accepted.id, accepted.value)
  // 15: now a BYE of ours may go.
  for (const { id, value } of allUac(turn))
    if (value.session === leg.session && value.state === 'waiting') startWaiting(turn, id)
  const event = requestEvent(leg.session, '', request)
  return event
}

/** Its 200 and the INVITE's 487 wait for one commit, which has all that the application makes of it. */
export function onUasCancel(turn: Turn, request: SipRequest, flow: Flow): LegOutcome {
  const known = uasOfKey(turn, requestKey(request))
  const leg = known === null ? null : legOf(turn, known.value.session)
  if (known === null || leg === null) return null
  const { id, value } = known
  const upstream = upstreamOf(request, flow)
  const ok = flat(refusalText(request, leg, 200))
  // 9.2: a 200 whatever comes of it.
  if (value.state !== 'open' || value.method !== 'INVITE') {
    turn.send(upstream, ok, what.untracked)
    return 'core'
  }
  turn.sendAfter(upstream, ok, what.untracked)
  const cancelAnswer = upstream.transport === 'udp' ? null : ok
  answer(turn, id, { ...value, cancelAnswer }, { status: 487, headers: [], body: '' })
  const event: LegEvent = requestEvent(value.session, '', request)
  return event
}
