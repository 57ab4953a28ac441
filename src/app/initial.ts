// An INVITE that begins a call: its application proxies it, or refuses it, or leaves it to the set's own route.

import { answerText } from '../proxy/answer.ts'
import type { CallInput } from '../call/contract.ts'
import { allDialogs } from '../call/find.ts'
import { forwardInvite, refuseInvite } from '../call/invite.ts'
import { hangUp } from '../call/own-bye.ts'
import type { Turn } from '../call/turn.ts'
import type { SipRequest } from '../sip/message.ts'
import { aimAt } from './aim.ts'
import type { MessageParts, Op, ProxyPlan } from './contract.ts'

export type Initial = Extract<CallInput, { kind: 'message' }> & { readonly message: SipRequest }

/** What is to become of the INVITE in hand. */
export interface InvitePlan {
  proxy: ProxyPlan | null
  refusal: (MessageParts & { readonly status: number }) | null
  /** Why it isn't allowed; null = it is noted. */
  take(op: Extract<Op, { kind: 'proxy' | 'respond' }>): string | null
}

export function newPlan(isInitial: boolean): InvitePlan {
  return {
    proxy: null,
    refusal: null,
    take(op) {
      if (!isInitial) return `IllegalState: ${op.kind}: only an INVITE that begins a call can be proxied or answered`
      if (this.proxy !== null || this.refusal !== null) {
        return `IllegalState: ${op.kind}: the INVITE is proxied or answered already`
      }
      if (op.kind === 'proxy') this.proxy = op.plan
      else if (op.response.status >= 300) this.refusal = op.response
      else return 'not-supported: respond: a proxy refuses a call (300 to 699), and answers none'
      return null
    },
  }
}

const OWN_ROUTE: ProxyPlan = { targets: [], recurse: false, timeout: null }

export function beginProxied(turn: Turn, { message, flow, ref }: Initial, { proxy, refusal }: InvitePlan): void {
  if (refusal === null) {
    forwardInvite(turn, message, flow, ref, aimAt(turn, message, flow, proxy ?? OWN_ROUTE))
    return
  }
  const { status, reason, headers } = refusal
  const text = answerText(message, turn.ctx.keys, status, { headers, ...(reason === undefined ? {} : { reason }) })
  refuseInvite(turn, message, flow, ref, { status, text })
}

/** A BYE to both sides of each dialog of that session that is up. */
export function endCall(turn: Turn, session: string): string | null {
  for (const { id, value } of allDialogs(turn)) {
    if (value.session === session && value.state === 'confirmed') hangUp(turn, id, value)
  }
  return null
}
