// The requests that follow an INVITE from hop to hop, made from the bytes we sent it with: the ACK for a failure (RFC 3261
// 17.1.1.3) and the CANCEL (9.1).

import { must } from '../base/assert.ts'
import { cseq, header, values } from '../sip/message.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import { buildRequest } from '../sip/build.ts'

/** The ACK for a final of 300 to 699: the INVITE's Request-URI, top Via, From, Call-ID, CSeq number and Route, the
 * response's To. */
export function ackFor(invite: SipRequest, response: SipResponse): string {
  return follower(invite, 'ACK', required(response, 'To'))
}

/** The CANCEL of an INVITE: its To too. */
export function cancelFor(invite: SipRequest): string {
  return follower(invite, 'CANCEL', required(invite, 'To'))
}

function follower(invite: SipRequest, method: string, to: string): string {
  const headers: (readonly [string, string])[] = [
    ['Via', must(values(invite, 'Via')[0], 'an INVITE of ours without Via')],
    ['Max-Forwards', '70'],
    ...values(invite, 'Route').map((route) => ['Route', route] as const),
    ['From', required(invite, 'From')],
    ['To', to],
    ['Call-ID', required(invite, 'Call-ID')],
    ['CSeq', `${cseq(invite).number} ${method}`],
  ]
  return buildRequest({ method, requestUri: invite.requestUri, headers })
}

function required(message: SipRequest | SipResponse, name: string): string {
  return must(header(message, name), `a message without ${name}`)
}
