// A request as it comes to the proxy from upstream.

import { buildRequest } from '../../sip/build.ts'
import type { HeaderList } from '../../sip/build.ts'
import { parseMessage } from '../../sip/message.ts'
import type { SipRequest } from '../../sip/message.ts'

export function made(method: string, requestUri: string, headers: HeaderList = [], to = '<sip:b@x>'): SipRequest {
  const text = buildRequest({
    method,
    requestUri,
    headers: [
      ['Via', 'SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK-up'],
      ['Max-Forwards', '70'],
      ['From', '<sip:a@x>;tag=a'],
      ['To', to],
      ['Call-ID', 'call'],
      ['CSeq', `1 ${method}`],
      ...headers,
    ],
  })
  return requestOf(text)
}

export function requestOf(text: string): SipRequest {
  const parsed = parseMessage(text)
  if (!parsed.ok || parsed.value.kind !== 'request') throw new Error(text)
  return parsed.value
}
