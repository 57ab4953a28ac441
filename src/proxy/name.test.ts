// A set with a domain name, whose replicas each have an address of their own (decision 0049): what it calls itself, and what it knows as
// itself.

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { hashKey } from '../base/hash.ts'
import { parseMessage, recordRoutes, topVia, values } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { buildResponse } from '../sip/build.ts'
import type { Transport } from '../sip/transport.ts'
import { parseUri } from '../sip/uri.ts'
import type { Flow } from '../wire/entry.ts'
import { forwardRequest } from './forward.ts'
import { flowsTo } from './locate.ts'
import { isOwnFlow, isSetHost, isSetUri, transportOfOwn } from './own.ts'
import { routeSets } from './own-request.ts'
import { route } from './route.ts'
import type { Listener, SetAddress, SetKeys } from './settings.ts'
import { made, requestOf } from './testing/request.ts'
import { groupOfCallId } from './token.ts'

const NAME = 'sip.example.com'
const PORTS: readonly (readonly [Transport, number])[] = [
  ['udp', 5060],
  ['tcp', 5060],
  ['tls', 5061],
  ['wss', 8443],
]
const at = (host: string): readonly Listener[] => PORTS.map(([transport, port]) => ({ transport, host, port }))
const set: SetAddress = {
  host: NAME,
  port: 5060,
  listeners: at(NAME),
  replicas: ['192.0.2.1', '192.0.2.2', '192.0.2.3'].flatMap(at),
}
const keys: SetKeys = {
  current: 1,
  at: () => 1,
  key: (generation) => (generation === 1 ? hashKey(new Uint8Array(16).fill(1)) : null),
}
const group = groupOfCallId(keys, 'call')

const flow = (transport: Transport, stream = ''): Flow => ({ transport, host: '192.0.2.90', port: 5062, stream })

function forwarded(request: SipRequest, arrival: Flow, own = set): SipRequest {
  const answer = route({ request, transport: arrival.transport, set: own, keys, nextHop: null, remote: null })
  if (answer.kind !== 'forward') throw new Error(answer.code)
  const place = { group, set: own, keys, arrival, ordinal: 1, attempt: 1, datagramMost: 1_300 }
  return requestOf(forwardRequest(request, answer, place).text)
}

/** Sent-by with its port; Record-Route without parameters of ours. */
function says(target: string, arrival: Flow, own = set): readonly string[] {
  const out = forwarded(made('INVITE', target), arrival, own)
  const via = must(topVia(out), 'a Via')
  const sentBy = via.port === null ? via.host : `${via.host}:${via.port}`
  return [`${via.transport} ${sentBy}`, ...recordRoutes(out).map(({ uri }) => uri.replace(/;lr;hf=\w+$/, ''))]
}

describe('what it calls itself', () => {
  test.each([
    ['sip:b@192.0.2.80', flow('udp'), [`UDP ${NAME}`, `sip:${NAME};transport=udp`]],
    [
      'sip:b@192.0.2.80;transport=tls',
      flow('tcp', '1.a.1/1'),
      [`TLS ${NAME}`, `sip:${NAME};transport=tls`, `sip:${NAME};transport=tcp`],
    ],
    ['sips:b@192.0.2.80', flow('tls', '1.a.1/1'), [`TLS ${NAME}`, `sips:${NAME}`]],
    // RFC 7118: a browser's server is at a URL, and DNS has no SRV of it.
    [
      'sip:b@192.0.2.80',
      flow('wss', '1.a.1/1'),
      [`UDP ${NAME}`, `sip:${NAME};transport=udp`, `sip:${NAME}:8443;transport=ws`],
    ],
  ] as const)(
    'RFC 3263: a name without a port is looked up, and a transport keeps the side on its own: %s from %o',
    (target, arrival, expected) => {
      expect(says(target, arrival)).toEqual(expected)
    },
  )

  test('18.2.2: a sent-by names the port where responses would not go to it by themselves', () => {
    const other = { ...set, port: 5070, listeners: [{ transport: 'udp', host: NAME, port: 5070 } as const] }
    expect(says('sip:b@192.0.2.80', flow('udp'), other)).toEqual([`UDP ${NAME}:5070`, `sip:${NAME};transport=udp`])
  })

  test('all replicas write the same bytes: nothing in them says which one', () => {
    expect(forwarded(made('INVITE', 'sip:b@192.0.2.80'), flow('udp')).text).not.toMatch(/192\.0\.2\.[123]\b/)
  })
})

describe('what it knows as itself', () => {
  test('its name with and without a port of its own, whatever its case, and each replica’s address', () => {
    const ours = [null, 5060, 5061, 8443].map((port) => isSetHost(set, 'SIP.Example.com', port))
    expect(ours).toEqual([true, true, true, true])
    expect([isSetHost(set, NAME, 5070), isSetHost(set, 'example.com', null)]).toEqual([false, false])
    expect(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((host) => isSetHost(set, host, null))).toEqual([
      true,
      true,
      true,
    ])
    expect([isSetHost(set, '192.0.2.4', 5060), isSetHost(set, '192.0.2.1', 5070)]).toEqual([false, false])
  })

  test('a flow to it by its name stays inside, one to another replica too', () => {
    const inside = (host: string): boolean => isOwnFlow(set, { transport: 'udp', host, port: 5060, stream: '' })
    expect([inside(NAME), inside('192.0.2.3'), inside('192.0.2.90')]).toEqual([true, true, false])
  })

  test.each([
    [`sip:${NAME};transport=udp`, 'udp'],
    [`sip:${NAME};transport=tcp`, 'tcp'],
    [`sip:${NAME};transport=tls`, 'tls'],
    [`sips:${NAME}`, 'tls'],
    [`sip:${NAME}:8443;transport=ws`, 'wss'],
    [`sip:${NAME}`, 'udp'],
    ['sip:192.0.2.3:5061;transport=tls', 'tls'],
    ['sip:192.0.2.3;transport=tcp', 'tcp'],
  ] as const)('%s is the side of %s', (text, transport) => {
    const uri = parseUri(text)
    expect(uri !== null && isSetUri(set, uri) && transportOfOwn(set, uri)).toBe(transport)
  })

  test('16.4: what it recorded goes from the Route of either side', () => {
    const invite = forwarded(made('INVITE', 'sip:b@192.0.2.80;transport=tls'), flow('tcp', '1.a.1/1'))
    const recorded = values(invite, 'Record-Route')
    const left = (routes: readonly string[]): string => {
      const bye = made('BYE', 'sip:x@192.0.2.77:5099', [['Route', routes.join(', ')]], '<sip:b@x>;tag=b')
      const answer = route({ request: bye, transport: 'udp', set, keys, nextHop: null, remote: null })
      return answer.kind === 'forward'
        ? `${answer.hop.transport} ${answer.hop.host} ${answer.routes?.length}`
        : answer.code
    }
    expect(left(recorded)).toBe('tcp 192.0.2.77 0')
    expect(left(recorded.toReversed())).toBe('tls 192.0.2.77 0')
  })

  test('the route sets of a dialog end at it', () => {
    const invite = forwarded(made('INVITE', 'sip:b@192.0.2.80', [['Record-Route', '<sip:192.0.2.50;lr>']]), flow('udp'))
    const recorded = values(invite, 'Record-Route').map((value) => ['Record-Route', value] as const)
    const headers = [['Record-Route', '<sip:192.0.2.60;lr>'], ...recorded] as const
    const answer = parseMessage(buildResponse(invite, 200, undefined, { toTag: 'b', headers }))
    if (!answer.ok) throw new Error(answer.error.code)
    expect(routeSets(invite, answer.value, { set, keys, group })).toEqual({
      toCaller: ['<sip:192.0.2.50;lr>'],
      toCallee: ['<sip:192.0.2.60;lr>'],
    })
  })
})

test('servers are reached by the family of its replicas’ addresses', () => {
  const found = [
    { transport: 'udp', order: 0, priority: 0, weight: 0, port: 5060, addresses: ['::9', '192.0.2.9'] },
  ] as const
  expect(flowsTo(found, set, false, () => 0).map(({ host }) => host)).toEqual(['192.0.2.9'])
})
