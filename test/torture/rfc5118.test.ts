// RFC 5118: its messages, byte for byte, each with what its text expects of a proxy.

import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseMessage, topVia } from '../../src/sip/message.ts'
import { NEXT_HOP, SOURCE, proxied, torture } from './proxied.ts'
import { expectUntouched, fields } from './read-back.ts'

/** [section, tag, why, where it goes, what is read] */
const forwarded: readonly (readonly [string, string, string, string, Readonly<Record<string, unknown>>])[] = [
  [
    '4.1',
    'ipv6-good',
    'references in the Request-URI, a Via, a Contact',
    'udp 192.0.2.200:5060',
    {
      uri: { user: null, host: '2001:db8::10', port: null },
      vias: ['UDP 2001:db8::9:1 - z9hG4bKas3-111'],
      contacts: ['sip:caller@[2001:db8::1]'],
    },
  ],
  [
    '4.3',
    'port-ambiguous',
    'what is within the brackets is the address',
    'udp 192.0.2.200:5060',
    {
      uri: { host: '2001:db8::10:5070', port: null },
    },
  ],
  [
    '4.4',
    'port-unambiguous',
    'what follows them is the port',
    'udp 192.0.2.200:5060',
    {
      uri: { host: '2001:db8::10', port: 5070 },
    },
  ],
  [
    '4.5',
    'via-received-param-with-delim',
    'received in brackets, which the grammar forbids',
    'udp 2001:db8::10:5060',
    {
      vias: ['UDP 2001:db8::9:1 - z9hG4bKas3-111'],
    },
  ],
  [
    '4.5',
    'via-received-param-no-delim',
    'received without',
    'udp 192.0.2.200:5060',
    {
      vias: ['UDP 2001:db8::9:1 - z9hG4bKas3'],
    },
  ],
  ['4.6', 'ipv6-in-sdp', 'a body is opaque', 'udp 192.0.2.200:5060', { bodyLength: 251 }],
  ['4.8', 'mult-ip-in-sdp', 'even one with both families', 'udp 192.0.2.200:5060', { bodyLength: 189 }],
  [
    '4.9',
    'ipv4-mapped-ipv6',
    'an IPv4 address as an IPv6 one',
    'udp 192.0.2.200:5060',
    {
      vias: ['UDP ::ffff:192.0.2.10 19823 z9hG4bKbh19', 'UDP ::ffff:192.0.2.2 - z9hG4bKas3-111'],
      contacts: ['sip:ted@[::ffff:192.0.2.2]'],
    },
  ],
  [
    '4.10',
    'ipv6-correct-abnf-2-colons',
    'the reference as it must be written',
    'udp 192.0.2.200:5060',
    {
      uri: { host: '2001:db8::192.0.2.1' },
    },
  ],
  [
    '4.10',
    'ipv6-bug-abnf-3-colons',
    "what RFC 3261's grammar made is taken, and left as it is",
    'udp 192.0.2.200:5060',
    {
      uri: { host: '2001:db8:::192.0.2.1' },
    },
  ],
]

describe('RFC 5118', () => {
  test.each(forwarded)('%s %s is forwarded: %s, to %s', (_section, tag, _why, to, reads) => {
    const text = torture(`rfc5118/${tag}`)
    const parsed = parseMessage(text)
    expect(parsed.ok && fields(parsed.value)).toMatchObject(reads)
    const outcome = proxied(text)
    expect(outcome).toMatchObject({ kind: 'forwarded', to })
    // 4.5: `received` in the topmost Via is what we saw.
    const before = text.replace(/;received=\[?2001:db8::9:255\]?/, '')
    if (outcome.kind === 'forwarded') expectUntouched(before, outcome.text)
  })

  test('4.2 ipv6-bad: without brackets it is no reference, and gets 400', () => {
    expect(proxied(torture('rfc5118/ipv6-bad'))).toMatchObject({
      kind: 'answered',
      status: 400,
      reason: 'Bad Request-URI',
      to: `udp ${SOURCE.host}:5060`,
    })
  })

  test('4.5: both spellings of received are the same address', () => {
    for (const tag of ['via-received-param-with-delim', 'via-received-param-no-delim']) {
      const parsed = parseMessage(torture(`rfc5118/${tag}`))
      expect(parsed.ok && topVia(parsed.value)?.received).toBe('2001:db8::9:255')
    }
  })

  test('4.7 mult-ip-in-header: Vias of both families come back as they were', () => {
    const text = torture('rfc5118/mult-ip-in-header')
    const vias = text.split('\r\n').filter((line) => line.startsWith('Via'))
    const parsed = parseMessage(text)
    expect(parsed.ok && fields(parsed.value)).toMatchObject({
      method: 'BYE',
      vias: [
        'UDP 2001:db8::9:1 6050 z9hG4bKas3-111',
        'UDP 192.0.2.1 - z9hG4bKjhja8781hjuaij65144',
        'TCP 2001:db8::9:255 - z9hG4bK451jj',
      ],
    })
    // A BYE in a dialog that we don't know goes by its Request-URI, which is a name.
    const outcome = proxied(text)
    expect(outcome).toMatchObject({ kind: 'answered', status: 404, to: `udp ${SOURCE.host}:6050` })
    const answered = outcome.kind === 'answered' ? outcome.text.split('\r\n') : []
    expect(answered.filter((line) => line.startsWith('Via'))).toEqual([
      `${vias[0]};received=${SOURCE.host}`,
      ...vias.slice(1),
    ])
    const numeric = text.replace('host.example.net', '[2001:db8::20]:5070')
    const relayed = proxied(numeric)
    expect(relayed).toMatchObject({ kind: 'forwarded', to: 'udp 2001:db8::20:5070' })
    if (relayed.kind === 'forwarded') expectUntouched(numeric, relayed.text)
  })

  test('4.10: by itself the proxy goes only to an address that is one', () => {
    const bug = torture('rfc5118/ipv6-bug-abnf-3-colons')
    expect(proxied(bug, { nextHop: null })).toMatchObject({ kind: 'answered', status: 404 })
    const correct = torture('rfc5118/ipv6-correct-abnf-2-colons')
    expect(proxied(correct, { nextHop: null })).toMatchObject({ kind: 'forwarded', to: 'udp 2001:db8::192.0.2.1:5060' })
  })

  test('a set with an IPv6 address is known by any spelling of it, and writes references', () => {
    const text = torture('rfc5118/ipv6-good')
    const own = { set: '2001:0db8:0:0::10', nextHop: null }
    // The Request-URI is the set itself, which is no registrar.
    expect(proxied(text, own)).toMatchObject({ kind: 'answered', status: 404 })
    const invite = torture('rfc5118/ipv6-in-sdp')
    const relayed = proxied(invite, { set: '2001:db8::10', nextHop: { ...NEXT_HOP, host: '2001:db8::20' } })
    expect(relayed).toMatchObject({ kind: 'forwarded', to: 'udp 2001:db8::20:5060' })
    expect(relayed.kind === 'forwarded' && relayed.text).toContain('\r\nVia: SIP/2.0/UDP [2001:db8::10]:5060;branch=')
    expect(relayed.kind === 'forwarded' && relayed.text).toContain('\r\nRecord-Route: <sip:[2001:db8::10]:5060;lr;')
  })

  test('every message has its row', () => {
    const rows = [...forwarded.map(([, tag]) => tag), 'ipv6-bad', 'mult-ip-in-header']
    const files = readdirSync(new URL('rfc5118', import.meta.url)).map((name) => name.replace('.dat', ''))
    expect(rows.sort()).toEqual(files.sort())
    expect(files).toHaveLength(12)
  })
})
