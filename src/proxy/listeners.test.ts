// A set with more addresses than one for UDP and TCP: which of them each side is told (RFC 3261 16.6, RFC 5658, RFC 7118).

import { describe, expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { hashKey } from '../base/hash.ts'
import { buildResponse } from '../sip/build.ts'
import type { HeaderList } from '../sip/build.ts'
import { parseMessage, recordRoutes, topVia } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { parseUri } from '../sip/uri.ts'
import type { Flow } from '../wire/entry.ts'
import { forwardRequest } from './forward.ts'
import { isSetHost, isSetUri } from './own.ts'
import { relayResponse } from './response.ts'
import { route } from './route.ts'
import type { RouteAnswer, RouteQuestion } from './route.ts'
import type { SetAddress, SetKeys } from './settings.ts'
import { made, requestOf } from './testing/request.ts'
import { TOKEN, groupOfCallId, makeToken, readToken } from './token.ts'

const set: SetAddress = {
  host: '127.0.0.10',
  port: 5060,
  listeners: [
    { transport: 'udp', host: '127.0.0.10', port: 5060 },
    { transport: 'tcp', host: '127.0.0.10', port: 5060 },
    { transport: 'udp', host: '::1', port: 5070 },
    { transport: 'tls', host: '127.0.0.10', port: 5061 },
    { transport: 'ws', host: '127.0.0.10', port: 80 },
    { transport: 'wss', host: '127.0.0.10', port: 8443 },
  ],
}
const keys: SetKeys = {
  current: 1,
  at: () => 1,
  key: (generation) => (generation === 1 ? hashKey(new Uint8Array(16).fill(1)) : null),
}
/** Of the requests here. */
const group = groupOfCallId(keys, 'call')

const from = {
  udp: { transport: 'udp', host: '127.0.0.1', port: 5062, stream: '' },
  udp6: { transport: 'udp', host: '::1', port: 5062, stream: '' },
  tcp: { transport: 'tcp', host: '127.0.0.1', port: 5062, stream: '1.a.1/1' },
  tls: { transport: 'tls', host: '127.0.0.1', port: 5062, stream: '1.a.1/2' },
  ws: { transport: 'ws', host: '127.0.0.1', port: 5062, stream: '1.a.1/3' },
  wss: { transport: 'wss', host: '127.0.0.1', port: 5062, stream: '1.a.1/4' },
} as const satisfies Record<string, Flow>

function ask(request: SipRequest, change: Partial<RouteQuestion> = {}): RouteAnswer {
  return route({ request, transport: 'udp', set, keys, nextHop: null, remote: null, ...change })
}

function summary(answer: RouteAnswer): string {
  if (answer.kind === 'refuse') return `${answer.status} ${answer.code}`
  const { transport, host, port, stream } = answer.hop
  return `${transport} ${host}:${port}${stream === '' ? '' : ` on ${stream}`}`
}

function forward(request: SipRequest, arrival: Flow): SipRequest {
  const answer = ask(request, { transport: arrival.transport })
  if (answer.kind !== 'forward') throw new Error(answer.code)
  return requestOf(
    forwardRequest(request, answer, { group, set, keys, arrival, ordinal: 1, attempt: 1, datagramMost: 1_300 }).text,
  )
}

/** The Record-Route values from top to bottom, without their tokens; the Via's sent-by. */
function recorded(target: string, arrival: Flow): readonly string[] {
  const out = forward(made('INVITE', target), arrival)
  const via = must(topVia(out), 'a Via')
  const values = recordRoutes(out).map(({ uri }) => {
    const parsed = parseUri(uri)
    if (parsed === null || !isSetUri(set, parsed)) throw new Error(uri)
    expect(readToken(keys, parsed.params.get(TOKEN) ?? '', '')).toBe(group)
    return uri.replace(/;lr;hf=\w+$/, '')
  })
  return [`${via.transport} ${via.host} ${via.port}`, ...values]
}

describe('RFC 3261 16.6 step 4, RFC 5658: each side finds us by its own transport and its own kind of address', () => {
  test.each([
    ['sip:b@127.0.0.2', from.udp, ['UDP 127.0.0.10 5060', 'sip:127.0.0.10:5060']],
    ['sip:b@[::2]', from.udp6, ['UDP ::1 5070', 'sip:[::1]:5070']],
    ['sip:b@[::2]', from.udp, ['UDP ::1 5070', 'sip:[::1]:5070', 'sip:127.0.0.10:5060']],
    ['sip:b@127.0.0.2', from.udp6, ['UDP 127.0.0.10 5060', 'sip:127.0.0.10:5060', 'sip:[::1]:5070']],
    [
      'sip:b@127.0.0.2;transport=tls',
      from.tcp,
      ['TLS 127.0.0.10 5061', 'sip:127.0.0.10:5061;transport=tls', 'sip:127.0.0.10:5060;transport=tcp'],
    ],
    ['sips:b@127.0.0.2', from.tls, ['TLS 127.0.0.10 5061', 'sips:127.0.0.10:5061']],
    [
      'sips:b@127.0.0.2',
      from.wss,
      ['TLS 127.0.0.10 5061', 'sips:127.0.0.10:5061', 'sips:127.0.0.10:8443;transport=ws'],
    ],
    ['sip:b@127.0.0.2', from.ws, ['UDP 127.0.0.10 5060', 'sip:127.0.0.10:5060', 'sip:127.0.0.10:80;transport=ws']],
  ] as const)('%s from %o', (target, arrival, expected) => {
    expect(recorded(target, arrival)).toEqual(expected)
  })

  test('16.4: both halves go, and the last one names the transport of the side that is left by', () => {
    for (const [arrival, target] of [
      [from.ws, 'sip:b@127.0.0.2'],
      [from.wss, 'sip:b@127.0.0.2;transport=tcp'],
      [from.tls, 'sip:b@[::2];transport=udp'],
    ] as const) {
      const values = recordRoutes(forward(made('INVITE', target), arrival)).map(({ uri }) => `<${uri}>`)
      const there = (routes: readonly string[]): string => {
        const bye = made('BYE', 'sip:x@127.0.0.3:5099', [['Route', routes.join(', ')]], '<sip:b@x>;tag=b')
        const answer = ask(bye)
        return answer.kind === 'forward' ? `${answer.hop.transport} ${answer.routes?.length}` : answer.code
      }
      const onward = target.endsWith('tcp') ? 'tcp' : 'udp'
      expect([there(values), there(values.toReversed())]).toEqual([`${arrival.transport} 0`, `${onward} 0`])
    }
  })
})

describe('where a request goes', () => {
  test.each([
    ['sip:b@127.0.0.2;transport=tls', 'udp', 'tls 127.0.0.2:5061'],
    ['sips:b@127.0.0.2', 'udp', 'tls 127.0.0.2:5061'],
    ['sips:b@127.0.0.2;transport=tcp', 'udp', 'tls 127.0.0.2:5061'],
    ['sips:b@127.0.0.2;transport=udp', 'udp', '416 uri-scheme'],
    ['sips:b@127.0.0.2:9443;transport=ws', 'udp', 'wss 127.0.0.2:9443'],
    ['sip:b@127.0.0.2;transport=ws', 'udp', 'ws 127.0.0.2:80'],
    ['sip:b@127.0.0.2;transport=sctp', 'udp', '404 transport'],
    // RFC 3263 4.1: a client's WebSocket says nothing of who is called.
    ['sip:b@127.0.0.2', 'wss', 'udp 127.0.0.2:5060'],
  ] as const)('%s from %s: %s', (uri, transport, expected) => {
    expect(summary(ask(made('INVITE', uri), { transport }))).toBe(expected)
  })

  test('26.2.2: a sips URI leaves by TLS or not at all, whatever the next hop is', () => {
    const hop = (transport: 'tcp' | 'tls' | 'wss'): string =>
      summary(ask(made('INVITE', 'sips:b@x'), { nextHop: { host: '127.0.0.7', port: 5070, transport } }))
    expect([hop('tcp'), hop('tls'), hop('wss')]).toEqual(['416 uri-scheme', 'tls 127.0.0.7:5070', 'wss 127.0.0.7:5070'])
    const routed = made('INVITE', 'sips:b@x', [['Route', '<sip:127.0.0.7;lr>']])
    expect(summary(ask(routed))).toBe('416 uri-scheme')
  })

  test('a set goes by no transport that it does not listen to', () => {
    const only: SetAddress = { ...set, listeners: [{ transport: 'tls', host: '127.0.0.10', port: 5060 }] }
    const out = (uri: string): string => summary(ask(made('INVITE', uri), { set: only, transport: 'tls' }))
    expect([out('sip:b@127.0.0.2'), out('sip:b@127.0.0.2;transport=udp'), out('sip:b@127.0.0.2;transport=ws')]).toEqual(
      ['tls 127.0.0.2:5061', '404 transport', '404 transport'],
    )
  })

  test('RFC 7118 5.2.2, RFC 5626 4.3: who can’t be called back is reached by his connection, and nobody else is', () => {
    const remote = { target: 'sip:a@df7jal23ls0d.invalid;transport=ws', transport: 'ws', stream: '1.a.1/3' } as const
    const bye = (uri: string, headers: HeaderList = []): string =>
      summary(ask(made('BYE', uri, headers, '<sip:b@x>;tag=b'), { remote }))
    expect(bye('sip:a@DF7jal23ls0d.invalid;transport=ws')).toBe('ws DF7jal23ls0d.invalid:80 on 1.a.1/3')
    expect(bye('sip:a@elsewhere.invalid;transport=ws')).toBe('ws elsewhere.invalid:80')
    expect(bye(remote.target, [['Route', '<sip:127.0.0.4;transport=tcp;lr>']])).toBe('tcp 127.0.0.4:5060')
  })
})

test('each address is ours, with the default port of its own transport', () => {
  expect(isSetHost(set, '127.0.0.10', null)).toBe(true)
  expect([5060, 5061, 80, 8443].map((port) => isSetHost(set, '127.0.0.10', port))).toEqual([true, true, true, true])
  expect(isSetHost(set, '127.0.0.10', 5070)).toBe(false)
  expect(isSetHost(set, '0::1', 5070)).toBe(true)
  expect(isSetHost(set, '::1', null)).toBe(false)
})

describe('18.3: what leaves on a stream says its length', () => {
  const bare = requestOf(`${made('INVITE', 'sip:b@127.0.0.2').text.replace('Content-Length: 0\r\n', '')}v=0\r\n`)

  test('a request that came without, from a datagram or a WebSocket', () => {
    const tcp = requestOf(bare.text.replace('sip:b@127.0.0.2', 'sip:b@127.0.0.2;transport=tcp'))
    expect(forward(tcp, from.ws).text).toContain('Content-Length: 5\r\n\r\nv=0\r\n')
    expect(forward(bare, from.ws).text).not.toContain('Content-Length')
  })

  test('a response', () => {
    const sent = requestOf(
      forward(made('INVITE', 'sip:b@127.0.0.2'), from.tcp).text.replace('/UDP 127.0.0.1:5062', '/TCP x'),
    )
    const answer = buildResponse(sent, 200, undefined, { toTag: 'b', headers: [] }).replace('Content-Length: 0\r\n', '')
    const parsed = parseMessage(answer)
    if (!parsed.ok || parsed.value.kind !== 'response') throw new Error(answer)
    expect(relayResponse(parsed.value)?.text).toContain('Content-Length: 0\r\n')
  })
})

test('a token of ours under another host is no key', () => {
  const uri = parseUri(`sip:127.0.0.11:5060;lr;hf=${makeToken(keys, group, '')}`)
  expect(uri !== null && isSetUri(set, uri)).toBe(false)
})
