// Answers of our own to a request in hand, and where responses to it go.

import { answerText } from '../proxy/answer.ts'
import type { AnswerParts } from '../proxy/answer.ts'
import { answerFlow, viaOf } from '../proxy/upstream.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

/** Where the responses to `request` go, which came on `flow`. */
export function upstreamOf(request: SipRequest, flow: Flow): Flow {
  return answerFlow(viaOf(request), flow)
}

/** An answer that keeps no state; nothing to an ACK, which has no answer. */
export function reply(turn: Turn, request: SipRequest, flow: Flow, status: number, parts: AnswerParts = {}): void {
  if (request.method === 'ACK') return
  turn.send(upstreamOf(request, flow), answerText(request, turn.ctx.keys, status, parts), what.untracked)
}
