// RFC 4475: its 49 messages, byte for byte as in its archive (appendix A), each with what its text expects of a proxy. Where
// the text leaves the choice, `why` says which one is ours.

import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { response } from '../../src/call/testing/phone.ts'
import { calling } from '../../src/call/testing/scene.ts'
import { parseMessage } from '../../src/sip/message.ts'
import { StreamFramer } from '../../src/sip/stream.ts'
import { SOURCE, proxied, torture } from './proxied.ts'
import { expectUntouched, fields } from './read-back.ts'

interface Forwarded {
  readonly section: string
  readonly tag: string
  readonly why: string
  readonly reads: Readonly<Record<string, unknown>>
}

const user = { kind: 'sip', user: 'user', host: 'example.com' }

/** Well-formed, or wrong only where it is not a proxy's business: it goes to the next hop, and no byte else changes. */
const forwarded: readonly Forwarded[] = [
  {
    section: '3.1.1.2',
    tag: 'intmeth',
    why: 'an unknown method goes as any other; % is no escape in a token, quoted-pairs hold any byte',
    reads: {
      method: "!interesting-Method0123456789_*+`.%indeed'~",
      uri: {
        user: "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
        password: "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)",
        host: 'example.com',
      },
      to: { display: 'BEL:\x07 NUL:\x00 DEL:\x7f' },
      from: { display: "token1~` token2'+_ token3*%!.-", uri: 'sip:mundane@example.com', tag: "_token~1'+`*%!-." },
      callId: 'intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
      cseq: 139122385,
      vias: ["TCP host1.example.com - z9hG4bK-.!%66*_+`'~"],
      maxForwards: 255,
    },
  },
  {
    section: '3.1.1.3',
    tag: 'esc01',
    why: 'escapes are undone only to compare: the Request-URI is no sips URI',
    reads: {
      uri: { kind: 'sip', secure: false, user: 'sips%3Auser%40example.com', host: 'example.net' },
      to: { uri: 'sip:%75se%72@example.com' },
      contacts: ['sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31'],
    },
  },
  {
    section: '3.1.1.4',
    tag: 'escnull',
    why: '%00 is two digits after a percent sign, no end of a string',
    reads: { contacts: ['sip:%00@host5.example.com', 'sip:%00%00@host5.example.com'] },
  },
  {
    section: '3.1.1.5',
    tag: 'esc02',
    why: 'RE%47IST%45R is not REGISTER, C%6Fntact is not Contact, %Z is no escape',
    reads: {
      method: 'RE%47IST%45R',
      to: { display: '%Z%45', uri: 'sip:resource@example.com' },
      vias: ['TCP host.example.com - z9hG4bK209%fzsnel234'],
      contacts: ['sip:alias1@host1.example.com', 'sip:alias3@host3.example.com'],
    },
  },
  {
    section: '3.1.1.6',
    tag: 'lwsdisp',
    why: 'no white space between display name and <',
    reads: { from: { display: 'caller', uri: 'sip:caller@example.com', tag: '323' } },
  },
  {
    section: '3.1.1.7',
    tag: 'longreq',
    why: 'long values, 34 Via lines in every spelling of the name',
    reads: {
      uri: user,
      to: { uri: expect.stringContaining('user@example.com:6000;unknownparam1=') },
      from: { tag: `12${'982'.repeat(50)}424` },
      callId: `longreq.one${'really'.repeat(20)}longcallid`,
      vias: [
        ...Array.from({ length: 33 }, (_, i) => `TCP sip${33 - i}.example.com - -`),
        `TCP host.example.com - very${'long'.repeat(50)}branchvalue`,
      ],
      contacts: [`sip:${'amazinglylongcallername'.repeat(5)}@host5.example.net`],
      bodyLength: 150,
    },
  },
  {
    section: '3.1.1.9',
    tag: 'semiuri',
    why: 'a semicolon in the user part begins no parameter',
    reads: { uri: { user: 'user;par=u%40example.net', host: 'example.com', params: new Map() } },
  },
  {
    section: '3.1.1.10',
    tag: 'transports',
    why: 'Vias of every transport, and of one that nobody knows',
    reads: {
      vias: [
        'UDP t1.example.com - z9hG4bKkdjuw',
        'SCTP t2.example.com - z9hG4bKklasjdhf',
        'TLS t3.example.com - z9hG4bK2980unddj',
        'UNKNOWN t4.example.com - z9hG4bKasd0f3en',
        'TCP t5.example.com - z9hG4bK0a9idfnee',
      ],
    },
  },
  { section: '3.1.2.12', tag: 'baddate', why: 'a proxy does not look at Date', reads: { uri: user, bodyLength: 150 } },
  {
    section: '3.1.2.13',
    tag: 'regbadct',
    why: 'a Contact that only its registrar may refuse: a bare URI with headers is not read',
    reads: { method: 'REGISTER', contacts: [] },
  },
  {
    section: '3.1.2.14',
    tag: 'badaspec',
    why: 'white space within <> is overlooked, as the text allows',
    reads: { to: { display: 'Watson, Thomas', uri: 'sip:t.watson@example.org' } },
  },
  {
    section: '3.2.1',
    tag: 'badbranch',
    why: 'the cookie alone names no transaction: matched as RFC 2543 has it',
    reads: { vias: ['UDP 192.0.2.1 - z9hG4bK'] },
  },
  {
    section: '3.3.4',
    tag: 'unksm2',
    why: 'unknown schemes where a proxy does not route by them',
    reads: {
      to: { uri: 'isbn:2983792873' },
      from: { uri: 'http://www.example.com', tag: '3234233' },
      contacts: ['name:John_Smith'],
    },
  },
  { section: '3.3.6', tag: 'invut', why: "the body's type is the callee's to refuse", reads: { bodyLength: 40 } },
  { section: '3.3.7', tag: 'regaut01', why: 'so is the scheme of Authorization', reads: { method: 'REGISTER' } },
  {
    section: '3.3.12',
    tag: 'cparam01',
    why: "without <> the parameter is the Contact's",
    reads: { contacts: ['sip:+19725552222@gw1.example.net'] },
  },
  {
    section: '3.3.13',
    tag: 'cparam02',
    why: "within <> it is the URI's",
    reads: { contacts: ['sip:+19725552222@gw1.example.net;unknownparam'] },
  },
  {
    section: '3.3.14',
    tag: 'regescrt',
    why: 'headers in a Contact URI are legal',
    reads: { contacts: ['sip:user@example.com?Route=%3Csip:sip.example.com%3E'] },
  },
  { section: '3.3.15', tag: 'sdp01', why: "Accept is the callee's (406)", reads: { bodyLength: 150 } },
  {
    section: '3.4.1',
    tag: 'inv2543',
    why: 'no branch, no From tag, no Max-Forwards, no Content-Length: RFC 2543 allowed it',
    reads: { from: { tag: null }, vias: ['UDP iftgw.example.com - -'], maxForwards: null, bodyLength: 105 },
  },
]

/** [section, tag, status and reason, why] */
const refused: readonly (readonly [string, string, string, string])[] = [
  [
    '3.1.1.1',
    'wsinv',
    '404 Host Names Are Not Resolved',
    'well-formed; its Route is a name, and names are not looked up',
  ],
  ['3.1.2.1', 'badinv01', '400 Bad Via', 'separators that separate nothing'],
  ['3.1.2.2', 'clerr', '400 Content-Length Too Long', '18.3: a datagram that ends before its body'],
  ['3.1.2.3', 'ncl', '400 Bad Content-Length', 'a negative one'],
  ['3.1.2.4', 'scalar02', '400 Bad CSeq', 'beyond 2^31; the other numbers would be no reason'],
  ['3.1.2.6', 'quotbal', '400 Bad To', 'a quote that is never closed'],
  ['3.1.2.7', 'ltgtruri', '400 Bad Request-URI', '<> around it'],
  ['3.1.2.8', 'lwsruri', '400 Bad Start Line', 'white space within the Request-URI'],
  ['3.1.2.9', 'lwsstart', '400 Bad Start Line', 'two spaces between its parts'],
  ['3.1.2.10', 'trws', '400 Bad Start Line', 'spaces at its end'],
  ['3.1.2.11', 'escruri', '400 Bad Request-URI', '19.1.1: no headers in a Request-URI'],
  ['3.1.2.15', 'baddn', '400 Bad Line Break', 'in the archive it ends before its empty line; see below'],
  ['3.1.2.16', 'badvers', '505 Version Not Supported', 'SIP/7.0'],
  ['3.1.2.17', 'mismatch01', '400 CSeq Method Mismatch', 'INVITE in the CSeq of an OPTIONS'],
  ['3.1.2.18', 'mismatch02', '400 CSeq Method Mismatch', 'the same of an unknown method'],
  ['3.3.1', 'insuf', '400 Missing From', 'no Call-ID, From, To'],
  ['3.3.2', 'unkscm', '416 Unsupported URI Scheme', 'To is no routing information'],
  ['3.3.3', 'novelsc', '416 Unsupported URI Scheme', 'a scheme with a meaning, but not for SIP'],
  ['3.3.5', 'bext01', '420 Bad Extension', 'Proxy-Require names what nobody knows'],
  ['3.3.8', 'multi01', '400 Repeated From', 'several values of what may have one'],
  ['3.3.9', 'mcl01', '400 Repeated Content-Length', 'nobody can tell how long the body is'],
  ['3.3.11', 'zeromf', '483 Too Many Hops', 'Max-Forwards is 0'],
]

/** Responses. [section, tag, the set's address: that of the top Via, why] */
const dropped: readonly (readonly [string, string, string, string])[] = [
  ['3.1.1.12', 'unreason', '192.0.2.198', 'well-formed; it belongs to no request of ours'],
  ['3.1.1.13', 'noreason', '192.0.2.105', 'well-formed; the same'],
  ['3.1.2.5', 'scalarlg', '192.0.2.129', 'CSeq beyond 2^31: simply discarded'],
  ['3.1.2.19', 'bigcode', '192.0.2.105', 'a status of ten digits: simply discarded'],
  ['3.3.10', 'bcast', '192.0.2.198', 'blindly forwarded it would be broadcast'],
]

describe('RFC 4475', () => {
  test.each(forwarded)('$section $tag is forwarded: $why', ({ tag, reads }) => {
    const text = torture(`rfc4475/${tag}`)
    const parsed = parseMessage(text)
    expect(parsed.ok && fields(parsed.value)).toMatchObject(reads)
    const outcome = proxied(text)
    expect(outcome).toMatchObject({ kind: 'forwarded', to: 'udp 192.0.2.200:5060' })
    if (outcome.kind === 'forwarded') expectUntouched(text, outcome.text)
  })

  test.each(refused)('%s %s is answered %s: %s', (_section, tag, expected) => {
    const outcome = proxied(torture(`rfc4475/${tag}`))
    expect(outcome.kind === 'answered' ? `${outcome.status} ${outcome.reason}` : outcome.kind).toBe(expected)
    // 18.2.2: to where it came from, whatever its Via says; the answer says so.
    if (outcome.kind !== 'answered') return
    expect(outcome.to).toContain(` ${SOURCE.host}:`)
    expect(outcome.text).toContain(`;received=${SOURCE.host}`)
  })

  test.each(dropped)('%s %s addressed to %s goes nowhere: %s', (_section, tag, set) => {
    expect(proxied(torture(`rfc4475/${tag}`), { set })).toEqual({ kind: 'dropped' })
    expect(proxied(torture(`rfc4475/${tag}`))).toEqual({ kind: 'dropped' })
  })

  test('every message of the archive has its row', () => {
    const rows = [
      ...forwarded.map(({ tag }) => tag),
      ...refused.map(([, tag]) => tag),
      ...dropped.map(([, tag]) => tag),
    ]
    const files = readdirSync(new URL('rfc4475', import.meta.url)).map((name) => name.replace('.dat', ''))
    // Those with a test of their own below.
    expect([...rows, 'dblreq', 'mpart01'].sort()).toEqual(files.sort())
    expect(files).toHaveLength(49)
  })

  test('3.1.1.1 wsinv: white space wherever the grammar allows it', () => {
    const parsed = parseMessage(torture('rfc4475/wsinv'))
    expect(parsed.ok && fields(parsed.value)).toMatchObject({
      method: 'INVITE',
      uri: { user: 'vivekg', host: 'chair-dnrc.example.com', params: new Map([['unknownparam', null]]) },
      from: { display: 'J Rosenberg \\"', uri: 'sip:jdrosen@example.com', tag: '98asjd8' },
      to: { uri: 'sip:vivekg@chair-dnrc.example.com', tag: '1918181833n' },
      callId: 'wsinv.ndaksdj@192.0.2.1',
      cseq: 9,
      maxForwards: 68,
      vias: [
        'UDP 192.0.2.2 - 390skdjuw',
        'TCP spindle.example.com - z9hG4bK9ikj8',
        'UDP 192.168.255.111 - z9hG4bK30239',
      ],
      contacts: ['sip:jdrosen@example.com'],
      routes: ['sip:services.example.com;lr;unknownwith=value;unknown-no-value'],
      bodyLength: 150,
    })
  })

  test('3.1.1.1 wsinv relayed, where its Route is an address: all of that white space stays', () => {
    const text = torture('rfc4475/wsinv').replace('services.example.com', '192.0.2.200')
    const outcome = proxied(text)
    expect(outcome).toMatchObject({ kind: 'forwarded', to: 'udp 192.0.2.200:5060' })
    if (outcome.kind !== 'forwarded') return
    const parsed = parseMessage(outcome.text)
    expect(parsed.ok && fields(parsed.value)).toMatchObject({ cseq: 9, maxForwards: 67, bodyLength: 150 })
    expect(outcome.text.slice(outcome.text.indexOf('s :'))).toBe(text.slice(text.indexOf('s :')))
  })

  test('3.1.1.8 dblreq: in a datagram what follows the body is noise; in a stream it is the next request', () => {
    const text = torture('rfc4475/dblreq')
    const first = text.slice(0, text.indexOf('INVITE'))
    const outcome = proxied(text)
    expect(outcome.kind).toBe('forwarded')
    if (outcome.kind === 'forwarded') expectUntouched(first.slice(0, first.indexOf('\r\n\r\n') + 4), outcome.text)
    const events = new StreamFramer().push(text)
    expect(events.map((one) => (one.kind === 'message' ? one.text.split(' ')[0] : one.kind))).toEqual([
      'REGISTER',
      'INVITE',
      // The INVITE's body is longer than its Content-Length says.
      'broken',
    ])
  })

  test('3.1.1.11 mpart01: a binary body goes by a strict router (16.6 step 6), byte for byte', () => {
    const text = torture('rfc4475/mpart01')
    const outcome = proxied(text)
    // 18.1.1: too long for a datagram.
    expect(outcome).toMatchObject({ kind: 'forwarded', to: 'tcp 127.0.0.1:5080' })
    if (outcome.kind !== 'forwarded') return
    const parsed = parseMessage(outcome.text)
    expect(parsed.ok && fields(parsed.value)).toMatchObject({
      method: 'MESSAGE',
      uri: { host: '127.0.0.1', port: 5080 },
      routes: ['sip:kumiko@example.org'],
      bodyLength: 553,
    })
    expect(outcome.text.slice(-553)).toBe(text.slice(-553))
  })

  test.each([
    ['3.1.1.12', 'unreason', 200],
    ['3.1.1.13', 'noreason', 100],
  ] as const)('%s %s as the answer to a call: its reason is text for people, and stays', (_section, tag, status) => {
    const parsed = parseMessage(torture(`rfc4475/${tag}`))
    if (!parsed.ok || parsed.value.kind !== 'response') throw new Error('unread')
    const { reason, text } = parsed.value
    expect([parsed.value.status, reason]).toEqual([status, text.slice(12, text.indexOf('\r\n'))])
    const { ladder, caller, callee, invite } = calling()
    ladder.say(
      callee,
      response(callee, invite, status === 200 ? 200 : 180).replace(
        /^.*/,
        `SIP/2.0 ${status === 200 ? 200 : 180} ${reason}`,
      ),
    )
    expect(ladder.sent.findLast(({ to }) => to === caller.name)?.data).toContain(` ${reason}\r\nVia`)
  })

  test('3.1.2.15 baddn as its figure has it, with the empty line: words in a display name are no fault', () => {
    const text = `${torture('rfc4475/baddn')}\r\n`
    const parsed = parseMessage(text)
    expect(parsed.ok && fields(parsed.value)).toMatchObject({
      from: { display: 'Bell, Alexander', uri: 'sip:a.g.bell@example.com', tag: '43' },
      to: { display: 'Watson, Thomas', uri: 'sip:t.watson@example.org' },
    })
    const outcome = proxied(text)
    expect(outcome.kind).toBe('forwarded')
    if (outcome.kind === 'forwarded') expectUntouched(text, outcome.text)
  })

  test('3.3.5 bext01: 420 names what the proxy does not know, and not what the callee may', () => {
    const outcome = proxied(torture('rfc4475/bext01'))
    expect(outcome.kind === 'answered' && outcome.text).toContain(
      '\r\nUnsupported: noProxiesSupportThis, norDoAnyProxiesSupportThis\r\n',
    )
  })

  test.each([
    ['3.1.2.2', 'clerr', [], 'the rest of its body may still come'],
    ['3.1.2.3', 'ncl', ['broken'], 'where it ends nobody knows'],
    ['3.3.9', 'mcl01', ['broken'], 'two lengths could hide a request'],
    ['3.4.1', 'inv2543', ['broken'], '18.3: on a stream the length is a must'],
  ] as const)('%s %s in a stream: %j: %s', (_section, tag, expected, _why) => {
    expect(new StreamFramer().push(torture(`rfc4475/${tag}`)).map(({ kind }) => kind)).toEqual(expected)
  })
})
