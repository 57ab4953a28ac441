// RFC 3261 16.7 step 3 and 16.11: a response on its way back, without our Via.

import type { GroupKey } from '../base/brand.ts'
import { edit } from '../sip/edit.ts'
import { callId, cseq, fromTag, vias } from '../sip/message.ts'
import type { SipMessage, SipResponse } from '../sip/message.ts'
import type { Flow } from '../wire/entry.ts'
import { upstreamKey } from './branch.ts'
import type { SetKeys } from './settings.ts'
import { TOKEN, readToken } from './token.ts'
import { responseFlow, streamOf, viaOf } from './upstream.ts'

export interface RelayedResponse {
  readonly text: string
  /** Where its next Via says that it goes. */
  readonly flow: Flow
  /** `requestKey` of the request it answers. */
  readonly key: string
}

/** The response for upstream; null if ours is its only Via: then it answers a request of our own. */
export function relayResponse(response: SipResponse): RelayedResponse | null {
  const [ours, next] = vias(response)
  if (ours === undefined || next === undefined) return null
  const key = upstreamKey(next, {
    callId: callId(response),
    fromTag: fromTag(response),
    cseq: cseq(response).number,
  })
  const flow = responseFlow(next, streamOf(ours))
  const change = edit(response).removeTopVia()
  if (flow.transport !== 'udp') change.contentLength()
  return { text: change.print(), flow, key }
}

/** The group in our Via, if we put it there. */
export function groupOfVia(message: SipMessage, keys: SetKeys): GroupKey | null {
  const via = viaOf(message)
  return readToken(keys, via.params.get(TOKEN) ?? '', streamOf(via))
}
