// A 2xx for an INVITE of ours that has a final of our own making: timer B, or a CANCEL that nobody answered.

import type { Turn } from '../call/turn.ts'
import { what } from '../call/what.ts'
import { sendOwn } from '../proxy/own-request.ts'
import type { Leg } from '../session/leg.ts'
import { toTag, values } from '../sip/message.ts'
import type { SipResponse } from '../sip/message.ts'
import type { UacRecord } from '../transaction/record.ts'
import { legOf, placeOf } from './leg-find.ts'
import { farEnd, legDraft, wayOf } from './leg-messages.ts'

const MAX_FORWARDS = 70
const NOTHING = { headers: [], body: '' } as const

/** Somebody answers after a final of our own making: the call is over, and its application knows. He gets the ACK, or his 2xx would come for 64*T1, and
 * a BYE (13.2.2.4). Both are made of his answer alone: whoever owns the call, what comes again gets the same bytes, and nothing is kept. */
export function hangUpLate(turn: Turn, response: SipResponse, { session, cseq, hop, isInitial }: UacRecord): void {
  const leg = legOf(turn, session)
  const { target, stream } = farEnd(response, hop)
  if (leg === null || target === null || !isInitial) return
  const remote = { ...leg.remote, tag: toTag(response) ?? '', target, transport: hop.transport, stream }
  const routes = values(response, 'Record-Route').toReversed()
  const far: Leg = { ...leg, state: 'confirmed', remote, routes }
  for (const [i, method] of ['ACK', 'BYE'].entries()) {
    const asked = { method, cseq: cseq + i, parts: NOTHING, maxForwards: MAX_FORWARDS }
    const draft = legDraft(far, asked, null)
    const way = draft === null ? null : wayOf(turn, far, draft)
    if (draft === null || way?.kind !== 'forward') return
    const { text, hop: to } = sendOwn(draft, way, placeOf(turn))
    turn.send(to, text, what.untracked)
  }
}
