// A request that is refused for want of room or of a quorum: no state is kept.

import { answerText } from '../proxy/answer.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import type { CallContext, Outgoing } from './contract.ts'
import { upstreamOf } from './reply.ts'
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
