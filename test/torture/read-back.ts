// What the tests of RFC 4475 and 5118 look at: what was read of a message, and that nothing else of it was changed. What left
// is compared line by line, without the codec.

import { expect } from 'vitest'
import * as sip from '../../src/sip/message.ts'
import type { SipMessage } from '../../src/sip/message.ts'
import { parseUri } from '../../src/sip/uri.ts'
import { SET, SOURCE } from './proxied.ts'
import type { World } from './proxied.ts'

/** A forwarded request is the one that came but for what 16.6 and 18.2.1 change. Nothing here asks the codec. */
export function expectUntouched(original: string, forwarded: string, world: World = {}): void {
  const set = world.set ?? SET
  const ours = [`Via: SIP/2.0/UDP ${set}:5060;`, `Record-Route: <sip:${set}:5060;`]
  const lines = (text: string): string[] =>
    text
      .split('\r\n')
      .filter((line) => !ours.some((prefix) => line.startsWith(prefix)) && !/^max-forwards:/i.test(line))
      .map((line) => line.replace(`;received=${SOURCE.host}`, '').replace(/;rport=\d+/, ';rport'))
  expect(lines(forwarded)).toEqual(lines(original))
  expect(forwarded.split('\r\n').filter((line) => line.startsWith(ours[0] ?? ''))).toHaveLength(1)
}

/** What an element must have read of a message, in plain values. */
export function fields(message: SipMessage): Record<string, unknown> {
  const uri = message.kind === 'request' ? parseUri(message.requestUri) : null
  return {
    ...(message.kind === 'request'
      ? { method: message.method, uri }
      : { status: message.status, reason: message.reason }),
    from: sip.from(message),
    to: sip.to(message),
    callId: sip.callId(message),
    cseq: sip.cseq(message).number,
    maxForwards: sip.maxForwards(message),
    vias: sip.vias(message).map((via) => `${via.transport} ${via.host} ${via.port ?? '-'} ${via.branch ?? '-'}`),
    contacts: contactUris(message),
    routes: sip.routes(message).map((route) => route.uri),
    bodyLength: sip.body(message).length,
  }
}

function contactUris(message: SipMessage): readonly string[] {
  const list = sip.contacts(message)
  return list === '*' ? ['*'] : list.map((contact) => contact.uri)
}
