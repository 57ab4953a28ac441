// A request that is refused for want of room or of a quorum: no state is kept.

import { answerText } from '../proxy/answer.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import type { CallContext, InputRef, Outgoing, Verdict } from './contract.ts'
import { callLimits } from './limits.ts'
import { upstreamOf } from './reply.ts'
import type { Turn } from './turn.ts'
import { what } from './what.ts'

/** `retryAfterSeconds` null = without saying when. */
export function refuse(
  request: SipRequest,
  flow: Flow,
  status: number,
  retryAfterSeconds: number | null,
  ctx: CallContext,
): Outgoing {
  const headers = retryAfterSeconds === null ? [] : ([['Retry-After', String(retryAfterSeconds)]] as const)
  const data = answerText(request, ctx.keys, status, { headers, source: flow })
  return { flow: upstreamOf(request, flow), data, what: what.untracked }
}

/** There are as many calls as may be, or as many requests as are let in. */
export function refuseForNow(request: SipRequest, flow: Flow, ctx: CallContext): Outgoing {
  return refuse(request, flow, 503, callLimits.fullRetryAfterSeconds, ctx)
}

/** A request that is one too many: 503, or nothing at all to who goes on and on. */
export function turnAway(
  turn: Turn,
  request: SipRequest,
  flow: Flow,
  ref: InputRef,
  verdict: Exclude<Verdict, 'admit'> = 'refuse',
): void {
  if (verdict === 'refuse') {
    const out = refuseForNow(request, flow, turn.ctx)
    turn.send(out.flow, out.data, out.what)
  }
  turn.handled(ref)
}
