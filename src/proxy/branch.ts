// The branch parameter of our Via (design.md 4): any replica, of any later life, makes the same one for the same request,
// so a CANCEL, an ACK or a repeat that is relayed without state still belongs to what another replica sent. Under the first generation of
// the set key for ever, so that a new one falls between no INVITE and its CANCEL.
//
//   z9hG4bK + version + hash(group, upstream's sent-by and branch, CSeq number, method, target, attempt) + '.' + loop part

import type { GroupKey } from '../base/brand.ts'
import { must } from '../base/assert.ts'
import { hashHex, sipHashText } from '../base/hash.ts'
import { hex32 } from '../base/bytes.ts'
import { callId, cseq, fromTag, values, vias } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import type { Via } from '../sip/via.ts'
import type { SetAddress, SetKeys } from './settings.ts'
import { isSetHost } from './own.ts'
import { viaOf } from './upstream.ts'

/** 8.1.1.7: what tells a branch of RFC 3261 from older ones. */
export const COOKIE = 'z9hG4bK'
const VERSION = '1'

export interface BranchPlace {
  /** Which target, and which attempt at it, from 1. */
  readonly ordinal: number
  readonly attempt: number
}

/** What names a request upstream: sent-by and branch; without RFC 3261's cookie the fields of 16.11 that its responses,
 * its ACK and its CANCEL share. Server transactions match by it (17.2.3). */
export function upstreamKey(via: Via, fields: { callId: string; fromTag: string | null; cseq: number }): string {
  const sentBy = `${via.host.toLowerCase()}:${via.port ?? 5060}`
  const branch = via.branch ?? ''
  // RFC 4475 3.2.1: the cookie alone names nothing.
  if (branch.startsWith(COOKIE) && branch.length > COOKIE.length) return `${sentBy} ${branch}`
  return `${sentBy} ${branch} ${fields.callId} ${fields.fromTag ?? ''} ${fields.cseq}`
}

/** `upstreamKey` of a request. */
export function requestKey(request: SipRequest): string {
  return upstreamKey(viaOf(request), {
    callId: callId(request),
    fromTag: fromTag(request),
    cseq: cseq(request).number,
  })
}

export function makeBranch(keys: SetKeys, group: GroupKey, request: SipRequest, place: BranchPlace): string {
  const key = must(keys.key(1), 'the set has no key yet')
  const { number, method } = cseq(request)
  // An ACK or CANCEL has its INVITE's branch (16.10, 17.1.1.3).
  const name = method === 'ACK' || method === 'CANCEL' ? 'INVITE' : method
  const text = `branch ${group} ${requestKey(request)} ${number} ${name} ${place.ordinal} ${place.attempt}`
  return `${COOKIE}${VERSION}${hashHex(sipHashText(key, text))}.${loopPart(keys, request)}`
}

/** The branch of another attempt at what went with `branch`, with its loop part. */
export function nextBranch(keys: SetKeys, branch: string, attempt: number): string {
  const key = must(keys.key(1), 'the set has no key yet')
  const loop = branch.slice(branch.lastIndexOf('.'))
  return `${COOKIE}${VERSION}${hashHex(sipHashText(key, `attempt ${branch} ${attempt}`))}${loop}`
}

/** RFC 5393 4.2: a hash of all that decides where a request goes; equal on its return means a loop, else it is a spiral. */
function loopPart(keys: SetKeys, request: SipRequest): string {
  const key = must(keys.key(1), 'the set has no key yet')
  // Without the To tag: that of an ACK differs from its INVITE's, and it must get the INVITE's branch.
  const parts = [
    request.requestUri,
    ...values(request, 'Route'),
    callId(request),
    fromTag(request) ?? '',
    String(cseq(request).number),
  ]
  const hash = sipHashText(key, `loop ${parts.join('\n')}`)
  return hex32(hash.low)
}

/** 16.3 step 4 as RFC 5393 has it: one of our own Vias with the loop part that we would make now. */
export function isLoop(keys: SetKeys, set: SetAddress, request: SipRequest): boolean {
  let part: string | null = null
  for (const via of vias(request)) {
    if (!isSetHost(set, via.host, via.port)) continue
    part ??= loopPart(keys, request)
    if (via.branch?.endsWith(`.${part}`)) return true
  }
  return false
}
