import { describe, expect, test } from 'vitest'
import { groupKey } from '../base/brand.ts'
import { hashKey } from '../base/hash.ts'
import { parseMessage } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { parseVia } from '../sip/via.ts'
import type { Flow } from '../wire/entry.ts'
import { isLoop, makeBranch, requestKey } from './branch.ts'
import { forwardRequest } from './forward.ts'
import { hostPort, isNumeric, isSetHost } from './own.ts'
import { placeName } from './locate.ts'
import { route } from './route.ts'
import type { Hop, RouteAnswer, RouteQuestion } from './route.ts'
import type { SetKeys } from './settings.ts'
import { made } from './testing/request.ts'
import { groupOfCallId, makeToken, readToken } from './token.ts'
import { responseFlow, sourceParams, streamOf, streamToken } from './upstream.ts'

const set = { host: '127.0.0.10', port: 5060 }
const keys: SetKeys = {
  current: 2,
  at: () => 2,
  key: (generation) => (generation === 1 || generation === 2 ? hashKey(new Uint8Array(16).fill(generation)) : null),
}
const group = groupKey('0123456789abcdef')
const arrival: Flow = { transport: 'udp', host: '127.0.0.1', port: 5062, stream: '' }

describe('tokens (design.md 3)', () => {
  test('what the set made it reads, under every generation that it has', () => {
    const token = makeToken(keys, group, '')
    expect(token).toMatch(/^2[0-9a-f]{32}$/)
    expect(readToken(keys, token, '')).toBe(group)
    expect(readToken({ ...keys, current: 1 }, token, '')).toBe(group)
    expect(readToken(keys, makeToken({ ...keys, current: 1 }, group, ''), '')).toBe(group)
  })

  test('a bad MAC is no key: any digit changed, another generation, another stream', () => {
    const token = makeToken(keys, group, '')
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === '0' ? '1' : '0'
      expect(readToken(keys, token.slice(0, i) + other + token.slice(i + 1), '')).toBeNull()
    }
    for (const bad of ['', '2', token.slice(1), `${token}0`, `3${token.slice(1)}`, `x${token}`]) {
      expect(readToken(keys, bad, '')).toBeNull()
    }
    expect(readToken(keys, token, '1.a.1/3')).toBeNull()
    expect(readToken(keys, makeToken(keys, group, '1.a.1/3'), '1.a.1/3')).toBe(group)
  })

  test('a new key moves no call', () => {
    expect(groupOfCallId(keys, 'x')).toBe(groupOfCallId({ ...keys, current: 1 }, 'x'))
  })
})

describe('branches (design.md 4)', () => {
  const invite = made('INVITE', 'sip:b@127.0.0.2')
  const first = { ordinal: 1, attempt: 1 }

  test('the same request gets the same branch; an ACK and a CANCEL get their INVITE’s', () => {
    const branch = makeBranch(keys, group, invite, first)
    expect(branch).toMatch(/^z9hG4bK1[0-9a-f]{16}\.[0-9a-f]{8}$/)
    expect(makeBranch(keys, group, made('INVITE', 'sip:b@127.0.0.2'), first)).toBe(branch)
    expect(makeBranch(keys, group, made('CANCEL', 'sip:b@127.0.0.2'), first)).toBe(branch)
    expect(makeBranch(keys, group, made('ACK', 'sip:b@127.0.0.2', [], '<sip:b@x>;tag=b'), first)).toBe(branch)
  })

  test('schedules.md: another target, attempt, method, group or upstream branch is another branch', () => {
    const others = [
      makeBranch(keys, group, invite, { ordinal: 2, attempt: 1 }),
      makeBranch(keys, group, invite, { ordinal: 1, attempt: 2 }),
      makeBranch(keys, group, made('INFO', 'sip:b@127.0.0.2'), first),
      makeBranch(keys, groupKey('f123456789abcdef'), invite, first),
    ]
    const all = [makeBranch(keys, group, invite, first), ...others]
    expect(new Set(all).size).toBe(all.length)
  })

  test('17.2.3: without the cookie a request is named by From tag, Call-ID and CSeq too', () => {
    const old = parseMessage(invite.text.replace('z9hG4bK-up', '1'))
    expect(old.ok && old.value.kind === 'request' && requestKey(old.value)).toBe('127.0.0.1:5062 1 call a 1')
    expect(requestKey(invite)).toBe('127.0.0.1:5062 z9hG4bK-up')
    // RFC 4475 3.2.1: the cookie alone is no identifier.
    const bare = parseMessage(invite.text.replace('z9hG4bK-up', 'z9hG4bK'))
    expect(bare.ok && bare.value.kind === 'request' && requestKey(bare.value)).toBe('127.0.0.1:5062 z9hG4bK call a 1')
  })

  test('RFC 5393 4.2: a loop is our Via with the loop part of now', () => {
    const mark = makeBranch(keys, group, invite, first).slice(-9)
    const via = (host: string): SipRequest =>
      made('INVITE', 'sip:b@127.0.0.2', [['Via', `SIP/2.0/UDP ${host};branch=z9hG4bK1x${mark}`]])
    expect(isLoop(keys, set, via('127.0.0.10:5060'))).toBe(true)
    expect(isLoop(keys, set, via('127.0.0.11:5060'))).toBe(false)
    expect(isLoop(keys, set, invite)).toBe(false)
  })
})

describe('routes (RFC 3261 16.4 to 16.6)', () => {
  const ask = (request: SipRequest, change: Partial<RouteQuestion> = {}): RouteAnswer =>
    route({ request, transport: 'udp', set, keys, nextHop: null, remote: null, ...change })
  const summary = (answer: RouteAnswer): string =>
    answer.kind === 'refuse'
      ? `${answer.status} ${answer.code}`
      : `${whither(answer.hop)} ${answer.requestUri ?? 'same'} ${answer.routes?.join('|') ?? 'same'}`
  const whither = ({ place, transport, host, port }: Hop): string =>
    place === undefined ? `${transport} ${host}:${port}` : `found by [${placeName(place)}]`
  const own = `sip:127.0.0.10:5060;lr;hf=${makeToken(keys, group, '')}`
  const dialog = '<sip:b@x>;tag=b'

  test.each([
    ['sip:b@127.0.0.2', 'udp 127.0.0.2:5060 same same'],
    ['sip:b@127.0.0.2:5080;transport=TCP', 'tcp 127.0.0.2:5080 same same'],
    ['sip:b@[::1]:5070', 'udp ::1:5070 same same'],
    ['sip:b@127.0.0.2;maddr=127.0.0.9', 'udp 127.0.0.9:5060 same same'],
    ['sip:b@Example.com', 'found by [example.com  ] same same'],
    ['sip:b@example.com:5070', 'found by [example.com 5070 udp] same same'],
    ['sip:b@example.com;transport=tcp', 'found by [example.com  tcp] same same'],
    ['sip:b@127.0.0.2;maddr=there.example.com', 'found by [there.example.com  ] same same'],
    ['sip:b@127.0.0.2;transport=tls', '404 transport'],
    ['sips:b@127.0.0.2', '416 uri-scheme'],
    ['tel:+358', '416 no-next-hop'],
    ['sip:b@127.0.0.10', '404 no-next-hop'],
    ['sip:b@127.0.0.300', '404 host-name'],
  ])('without Route: %s -> %s', (uri, expected) => {
    expect(summary(ask(made('INVITE', uri)))).toBe(expected)
  })

  test('a new request goes to the next hop, whatever its Request-URI; one in a dialog does not', () => {
    const nextHop = { host: '127.0.0.7', port: 5070, transport: null }
    for (const uri of ['sip:b@127.0.0.2', 'sip:b@example.com', 'sip:b@127.0.0.10', 'tel:+358']) {
      expect(summary(ask(made('INVITE', uri), { nextHop }))).toBe('udp 127.0.0.7:5070 same same')
    }
    // 16.3 step 2, 26.2.2: not what nobody knows, and nothing that must go by TLS.
    expect(summary(ask(made('INVITE', 'nobody:knows'), { nextHop }))).toBe('416 request-uri-scheme')
    expect(summary(ask(made('INVITE', 'sips:b@example.com'), { nextHop }))).toBe('416 uri-scheme')
    const tcp = { nextHop: { ...nextHop, transport: 'tcp' as const } }
    expect(summary(ask(made('INVITE', 'sip:b@127.0.0.2'), tcp))).toBe('tcp 127.0.0.7:5070 same same')
    expect(summary(ask(made('BYE', 'sip:b@127.0.0.2', [], dialog), { nextHop }))).toBe('udp 127.0.0.2:5060 same same')
  })

  test.each([
    ['ours is removed', [`<${own}>`], 'udp 127.0.0.2:5060 same '],
    [
      'both of ours are, and the last one names the transport',
      [`<${own}>`, `<${own};transport=tcp>`],
      'tcp 127.0.0.2:5060 same ',
    ],
    ['the next one is followed', [`<${own}>`, '<sip:127.0.0.4;lr>'], 'udp 127.0.0.4:5060 same <sip:127.0.0.4;lr>'],
    ['a foreign one on top is followed', ['<sip:127.0.0.4:5064;lr;transport=tcp>'], 'tcp 127.0.0.4:5064 same same'],
    [
      'a strict router',
      ['<sip:127.0.0.4>', '<sip:127.0.0.5;lr>'],
      'udp 127.0.0.4:5060 sip:127.0.0.4 <sip:127.0.0.5;lr>|<sip:b@127.0.0.2>',
    ],
    ['one by name', ['<sip:p.example.com;lr>'], 'found by [p.example.com  ] same same'],
    // 19.1.1; found by fuzzing.
    ['a strict router with headers in its URI', ['<sip:127.0.0.4?Subject=x>'], '400 route-headers'],
    [
      'a strict router behind ours',
      [`<${own}>`, '<sip:127.0.0.4;x=y>', '<sip:127.0.0.5;lr>'],
      'udp 127.0.0.4:5060 sip:127.0.0.4;x=y <sip:127.0.0.5;lr>|<sip:b@127.0.0.2>',
    ],
    [
      'a strict router behind both of ours',
      [`<${own};transport=tcp>`, `<${own}>`, '<sip:127.0.0.4>'],
      'udp 127.0.0.4:5060 sip:127.0.0.4 <sip:b@127.0.0.2>',
    ],
  ])('Route: %s', (_what, values, expected) => {
    const request = made(
      'BYE',
      'sip:b@127.0.0.2',
      values.map((value) => ['Route', value] as const),
      dialog,
    )
    expect(summary(ask(request))).toBe(expected)
  })

  test('16.4, 16.6: a Route that a phone was given beforehand: ours goes, the next one is followed, whatever the next hop is', () => {
    const nextHop = { host: '127.0.0.7', port: 5070, transport: null }
    const preloaded = (...uris: readonly string[]): string => {
      const list = uris.map((uri) => ['Route', `<${uri}>`] as const)
      return summary(ask(made('INVITE', 'sip:b@127.0.0.2', list), { nextHop }))
    }
    // As a phone's configuration has it: without a token of ours.
    expect(preloaded('sip:127.0.0.10;lr')).toBe('udp 127.0.0.7:5070 same ')
    expect(preloaded('sip:127.0.0.10;lr', 'sip:127.0.0.4;lr')).toBe('udp 127.0.0.4:5060 same <sip:127.0.0.4;lr>')
    expect(preloaded('sip:127.0.0.4;lr')).toBe('udp 127.0.0.4:5060 same same')
    expect(preloaded('sip:127.0.0.10;lr', 'sip:127.0.0.4')).toBe('udp 127.0.0.4:5060 sip:127.0.0.4 <sip:b@127.0.0.2>')
  })

  test('16.4: our Record-Route value as Request-URI, from a strict router; a stranger’s is not ours', () => {
    const strict = made('BYE', own, [['Route', '<sip:b@127.0.0.2:5064>']], dialog)
    expect(summary(ask(strict))).toBe('udp 127.0.0.2:5064 sip:b@127.0.0.2:5064 ')
    // It popped the first of our two values, or our only one: the last of ours names the transport of the other side.
    const both = made('BYE', `${own};transport=tcp`, [['Route', `<${own}>, <sip:b@127.0.0.2>`]], dialog)
    expect(summary(ask(both, { transport: 'tcp' }))).toBe('udp 127.0.0.2:5060 sip:b@127.0.0.2 ')
    const back = made('BYE', own, [['Route', `<${own};transport=tcp>, <sip:b@127.0.0.2>`]], dialog)
    expect(summary(ask(back))).toBe('tcp 127.0.0.2:5060 sip:b@127.0.0.2 ')
    const only = made('BYE', `${own};transport=tcp`, [['Route', '<sip:127.0.0.4;lr>, <sip:b@127.0.0.2>']], dialog)
    expect(summary(ask(only))).toBe('tcp 127.0.0.4:5060 sip:b@127.0.0.2 <sip:127.0.0.4;lr>')
    // The next one is strict too: our target goes back to the end.
    const chain = made('BYE', own, [['Route', '<sip:127.0.0.4>, <sip:b@127.0.0.2>']], dialog)
    expect(summary(ask(chain))).toBe('udp 127.0.0.4:5060 sip:127.0.0.4 <sip:b@127.0.0.2>')
    const forged = made('BYE', `${own.slice(0, -1)}x`, [['Route', '<sip:127.0.0.4;lr>']], dialog)
    expect(summary(ask(forged))).toBe('udp 127.0.0.4:5060 same same')
  })

  test('interface.md: in a dialog, to the set itself: the committed target of the other side', () => {
    const bye = made('BYE', 'sip:x@127.0.0.10', [], dialog)
    expect(summary(ask(bye))).toBe('481 unknown-dialog')
    const remote = { target: 'sip:b@127.0.0.3:5077', transport: 'tcp' as const, stream: '' }
    expect(summary(ask(bye, { remote }))).toBe('tcp 127.0.0.3:5077 sip:b@127.0.0.3:5077 same')
  })
})

describe('forwarding (RFC 3261 16.6)', () => {
  test('what it does not name stays byte for byte', () => {
    const odd = made('INVITE', 'sip:b@127.0.0.2', [
      ['X-Odd', 'a;b,c'],
      ['route', '<sip:127.0.0.10;lr>, <sip:127.0.0.4;lr>'],
    ])
    const answer = route({ request: odd, transport: 'udp', set, keys, nextHop: null, remote: null })
    if (answer.kind !== 'forward') throw new Error('refused')
    const own = { group: groupOfCallId(keys, 'call'), set, keys, arrival }
    const out = forwardRequest(odd, answer, { ...own, ordinal: 1, attempt: 1, datagramMost: 1_300 })
    const added = out.text.split('\r\n').filter((line) => !odd.text.split('\r\n').includes(line))
    expect(added.map((line) => line.replace(/=[^;>]*/g, '=*'))).toEqual([
      'Record-Route: <sip:127.0.0.10:5060;lr;hf=*>',
      'Via: SIP/2.0/UDP 127.0.0.10:5060;branch=*;hf=*',
      'Max-Forwards: 69',
      'route: <sip:127.0.0.4;lr>',
    ])
    expect(out.text).toContain('X-Odd: a;b,c\r\n')
  })
})

describe('addresses', () => {
  test('the set is its host and port, 5060 if none is named', () => {
    expect(isSetHost(set, '127.0.0.10', null)).toBe(true)
    expect(isSetHost(set, '127.0.0.10', 5061)).toBe(false)
    expect(isSetHost({ host: '2001:db8::A', port: 5060 }, '2001:DB8::a', 5060)).toBe(true)
    expect(hostPort('::1', 5060)).toBe('[::1]:5060')
    expect(['127.0.0.1', '::1', 'a.b.c.d', '1.2.3', '1.2.3.256', '1.2.3.4.5'].map(isNumeric)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
  })

  test('18.2.1, 18.2.2, RFC 3581: what a Via learns and where its responses go', () => {
    const via = (text: string): NonNullable<ReturnType<typeof parseVia>> => {
      const parsed = parseVia(text)
      if (parsed === null) throw new Error(text)
      return parsed
    }
    const source = { ...arrival, host: '127.0.0.9', port: 4000 }
    expect(sourceParams(via('SIP/2.0/UDP 127.0.0.9'), source)).toEqual({ received: null, rport: null })
    expect(sourceParams(via('SIP/2.0/UDP phone.example.com'), source)).toEqual({ received: '127.0.0.9', rport: null })
    expect(sourceParams(via('SIP/2.0/UDP 127.0.0.9;rport'), source)).toEqual({ received: '127.0.0.9', rport: 4000 })
    // What the sender wrote there himself counts for nothing; another spelling of the address is the same.
    const forged = via('SIP/2.0/UDP 127.0.0.9;received=127.0.0.1')
    expect(sourceParams(forged, source)).toEqual({ received: '127.0.0.9', rport: null })
    const spelled = via('SIP/2.0/UDP [0:0::1]')
    expect(sourceParams(spelled, { ...source, host: '::1' })).toEqual({ received: null, rport: null })
    const to = (text: string, stream = ''): string => {
      const flow = responseFlow(via(text), stream)
      return `${flow.transport} ${flow.host}:${flow.port} ${flow.stream}`.trim()
    }
    expect(to('SIP/2.0/UDP h.example.com;received=127.0.0.9')).toBe('udp 127.0.0.9:5060')
    expect(to('SIP/2.0/UDP 127.0.0.8:5070;received=127.0.0.9;rport=4000')).toBe('udp 127.0.0.9:4000')
    expect(to('SIP/2.0/UDP 127.0.0.8:5070;maddr=127.0.0.7')).toBe('udp 127.0.0.7:5070')
    expect(to('SIP/2.0/UDP 127.0.0.8:5070;maddr=[::1]')).toBe('udp ::1:5070')
    expect(to('SIP/2.0/UDP 127.0.0.8:5070;maddr=name.example.com')).toBe('udp 127.0.0.8:5070')
    expect(to('SIP/2.0/TLS h.example.com', '1.a.1/2')).toBe('tls h.example.com:5061 1.a.1/2')
    expect(to('SIP/2.0/TCP 127.0.0.8;received=127.0.0.9;rport=4000', '1.a.1/2')).toBe('tcp 127.0.0.9:5060 1.a.1/2')
    const named = via(`SIP/2.0/TCP 127.0.0.8;hfs=${streamToken('1.a.1/2')}`)
    expect(streamOf(named)).toBe('1.a.1/2')
  })
})
