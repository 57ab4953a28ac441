import { expect, test } from 'vitest'
import { sipLimits } from './limits.ts'
import {
  body,
  callId,
  contacts,
  cseq,
  from,
  fromTag,
  header,
  headers,
  maxForwards,
  parseMessage,
  recordRoutes,
  routes,
  to,
  toTag,
  topVia,
  values,
  vias,
} from './message.ts'
import { BYE, INVITE, OK, SDP, lines, options, read, readRequest, readResponse, refusal } from './testing/messages.ts'

test('7.1: a request in parts', () => {
  const invite = readRequest(INVITE)
  expect(invite).toMatchObject({
    kind: 'request',
    method: 'INVITE',
    requestUri: 'sip:bob@example.com;transport=udp',
    text: INVITE,
  })
  expect([callId(invite), cseq(invite), maxForwards(invite)]).toEqual([
    '3848276298@127.0.0.2',
    { number: 1, method: 'INVITE' },
    70,
  ])
  expect(topVia(invite)).toMatchObject({
    transport: 'UDP',
    host: '127.0.0.2',
    port: 5062,
    rport: '',
    branch: 'z9hG4bKa1',
  })
  expect(from(invite)).toMatchObject({ display: 'Alice', uri: 'sip:alice@example.com', tag: '9fxc' })
  expect(to(invite)).toMatchObject({ display: '', uri: 'sip:bob@example.com' })
  expect([fromTag(invite), toTag(invite), body(invite)]).toEqual(['9fxc', null, SDP])
  expect(contacts(invite)).toMatchObject([{ uri: 'sip:alice@127.0.0.2:5062' }])
  expect([routes(invite), recordRoutes(invite)]).toEqual([[], []])
})

test('7.2: a response in parts', () => {
  const ok = readResponse(OK)
  expect(ok).toMatchObject({ kind: 'response', status: 200, reason: 'OK' })
  expect([toTag(ok), maxForwards(ok), body(ok)]).toEqual(['314', null, 'body'])
  expect(vias(ok).map((via) => via.branch)).toEqual(['z9hG4bKproxy', 'z9hG4bKa1'])
  expect(recordRoutes(ok)).toMatchObject([{ uri: 'sip:token@127.0.0.10:5060;lr' }])
})

test('7.3.1: lists over several lines and several values on one, compact forms, folding', () => {
  const bye = read(BYE)
  expect(vias(bye).map((via) => [via.transport, via.host, via.branch])).toEqual([
    ['UDP', '127.0.0.4', 'z9hG4bKtop'],
    ['TCP', '2001:db8::1', 'z9hG4bKmid'],
    ['UDP', '127.0.0.2', 'z9hG4bKlast'],
  ])
  expect(routes(bye).map((route) => route.uri)).toEqual([
    'sip:one@127.0.0.10;lr',
    'sip:127.0.0.11;lr',
    'sip:127.0.0.12;lr',
  ])
  expect(values(bye, 'route')[1]).toBe('"Two, too" <sip:127.0.0.11;lr>')
  expect(headers(bye, 'ROUTE')).toHaveLength(2)
  expect([fromTag(bye), toTag(bye), callId(bye)]).toEqual(['9fxc', '314', '3848276298@127.0.0.2'])
  expect([header(bye, 'Call-ID'), header(bye, 'I'), header(bye, 'l')]).toEqual([
    '3848276298@127.0.0.2',
    '3848276298@127.0.0.2',
    '0',
  ])
  expect(header(bye, 'via')).toBe(
    'SIP/2.0/UDP 127.0.0.4;branch=z9hG4bKtop , SIP/2.0/TCP [2001:db8::1]:5061 ;branch=z9hG4bKmid;received=127.0.0.9',
  )
})

test('7.3.1: a folded value is one line, whoever asks', () => {
  const invite = read(INVITE)
  expect(header(invite, 'x-folded')).toBe('one, two')
  expect(values(invite, 'X-Folded')).toEqual(['one', 'two'])
  expect(header(read(options({}, ['S:\r\n  a\r\n \r\n\t b  '])), 'subject')).toBe('a b')
  expect(header(read(options({}, ['S :'])), 'subject')).toBe('')
})

test('a header that nobody sent', () => {
  const bye = read(BYE)
  expect([header(bye, 'subject'), headers(bye, 's'), values(bye, '__proto__'), contacts(bye)]).toEqual([
    null,
    [],
    [],
    [],
  ])
  expect(header(read(options({}, ['__proto__: x', 'constructor: y'])), '__proto__')).toBe('x')
})

test('20.10: contacts, and *', () => {
  expect(contacts(read(options({}, ['m: *'])))).toBe('*')
  expect(
    contacts(read(options({}, ['Contact: "A, B" <sip:a@h;x,y>;q=0.5, sip:b@h;expires=0', 'M: <tel:+1>']))),
  ).toMatchObject([{ uri: 'sip:a@h;x,y', display: 'A, B' }, { uri: 'sip:b@h' }, { uri: 'tel:+1' }])
  // Contact is no field that a proxy decides by: what can't be read is left out.
  expect(contacts(read(options({}, ['Contact: <sip:a@h', 'Contact: <sip:b@h>'])))).toMatchObject([{ uri: 'sip:b@h' }])
})

test.each([
  ['7.1', 'start-line', INVITE.replace('INVITE sip:', 'INVITE  sip:')],
  ['7.1', 'start-line', INVITE.replace(' SIP/2.0\r\n', ' SIP/2.0 \r\n')],
  ['7.1', 'start-line', INVITE.replace(' SIP/2.0\r\n', '\tSIP/2.0\r\n')],
  ['7.1', 'start-line', INVITE.replace('INVITE sip:', 'INV(ITE sip:')],
  ['7.1', 'start-line', INVITE.replace(' SIP/2.0\r\n', ' HTTP/1.1\r\n')],
  ['7.1', 'start-line', INVITE.replace(' SIP/2.0\r\n', ' SIP/2.0\n')],
  ['7.1', 'start-line', ` ${INVITE}`],
  ['7.1', 'request-uri', INVITE.replace('sip:bob@example.com;transport=udp', '<sip:bob@example.com>')],
  ['19.1.1', 'request-uri', INVITE.replace(';transport=udp SIP', '?Route=x SIP')],
  ['RFC 5118 4.1', 'request-uri', INVITE.replace('bob@example.com;transport=udp', '2001:db8::10')],
  ['7.1', 'version', INVITE.replace(' SIP/2.0\r\n', ' SIP/3.0\r\n')],
  ['7.2', 'version', OK.replace('SIP/2.0 200', 'SIP/7.1 200')],
  ['7.2', 'start-line', OK.replace('200 OK', '2000 OK')],
  ['7.2', 'start-line', OK.replace('200 OK', '099 OK')],
  ['7.2', 'start-line', OK.replace('200 OK', '700 OK')],
  ['7.2', 'start-line', OK.replace('200 OK', '20')],
  ['7.2', 'start-line', OK.replace(' 200', '  200')],
  ['7.2', 'start-line', OK.replace('200 OK', '200 O\nK')],
  ['7', 'empty', ''],
  ['7', 'empty', '\r\n\r\n'],
  ['7', 'empty', '\r'],
  ['7', 'no-empty-line', INVITE.slice(0, INVITE.indexOf('\r\n\r\n') + 2)],
  ['7', 'no-empty-line', 'OPTIONS sip:h SIP/2.0\r\n'],
  ['7.3.1', 'header-name', options({}, ['Bad Name: x'])],
  ['7.3.1', 'header-name', options({}, [': x'])],
  ['7.3.1', 'header-name', options({}, ['NoColon'])],
  ['7.3.1', 'header-name', INVITE.replace('\r\nVia', '\r\n Via')],
  ['7.3.1', 'bare-line-break', options({}, ['X: a\nEvil: b'])],
  ['7.3.1', 'bare-line-break', options({}, ['X: a\rEvil: b'])],
  ['18.3', 'content-length-too-long', `${options({ 'Content-Length': '5' })}1234`],
  ['20.14', 'content-length-repeated', options({}, ['l: 0'])],
  ...['-1', '', '0x1', '1 2', '1,1', '"0"', '+1'].map(
    (value) => ['20.14', 'content-length', options({ 'Content-Length': value })] as const,
  ),
  ['20.14', 'content-length-too-long', options({ 'Content-Length': '9'.repeat(400) })],
  ...['x', '7', '7OPTIONS', '-7 OPTIONS', '7 OPTIONS x', '', '2147483648 OPTIONS', `${'9'.repeat(400)} OPTIONS`].map(
    (value) => ['20.16', 'cseq', options({ CSeq: value })] as const,
  ),
  ['8.1.1.5', 'cseq-method', options({ CSeq: '7 INVITE' })],
  ['8.1.1.5', 'cseq-method', options({ CSeq: '7 options' })],
  ['8.1.1', 'cseq-missing', options({ CSeq: null })],
  ['8.1.1', 'via-missing', options({ Via: null })],
  ['8.1.1', 'via-missing', options({ Via: ' ,' })],
  ['8.1.1', 'from-missing', options({ From: null })],
  ['8.1.1', 'to-missing', options({ To: null })],
  ['8.1.1', 'call-id-missing', options({ 'Call-ID': null })],
  ['7.3.1', 'from-repeated', options({}, ['f: <sip:mallory@h>'])],
  ['7.3.1', 'to-repeated', options({}, ['t: <sip:mallory@h>'])],
  ['7.3.1', 'call-id-repeated', options({}, ['i: c2'])],
  ['7.3.1', 'cseq-repeated', options({}, ['CSeq: 7 OPTIONS'])],
  ['7.3.1', 'max-forwards-repeated', options({}, ['Max-Forwards: 5'])],
  ['20.42', 'via', options({ Via: 'SIP/2.0/UDP 192.0.2.15;;,;,,' })],
  ['20.20', 'from', options({ From: '<sip:a@h>;tag=' })],
  ['20.20', 'from', options({ From: '<sip:a@h>;tag="q"' })],
  ['20.20', 'from', options({ From: '<sip:a@h>;tag' })],
  ['20.39', 'to', options({ To: '"Mr. J. User <sip:j.user@example.com>' })],
  ['20.8', 'call-id', options({ 'Call-ID': 'a b' })],
  ['20.8', 'call-id', options({ 'Call-ID': '' })],
  ['20.22', 'max-forwards', options({ 'Max-Forwards': 'many' })],
  ['20.22', 'max-forwards', options({ 'Max-Forwards': '-1' })],
  ['20.34', 'route', options({}, ['Route: sip:h;lr'])],
  ['20.34', 'route', options({}, ['Route: <sip:h;lr>, <sip:2001:db8::1;lr>'])],
  ['20.30', 'record-route', options({}, ['Record-Route: <sip:h;lr>, "x <sip:h>'])],
] as const)('RFC 3261 %s: refused as %s', (_section, code, text) => {
  expect(refusal(text)).toBe(code)
})

test.each([
  ['7.1: the version has no case', INVITE.replace(' SIP/2.0\r\n', ' sip/2.0\r\n')],
  ['7.2: no phrase', OK.replace('200 OK', '200 ')],
  ['7.2: no phrase, and no space either', OK.replace('200 OK', '200')],
  ['7.2: any bytes in the phrase', OK.replace('200 OK', '200 = 2**3 * 5**2 \xd0\xbd')],
  ['7.5: empty lines before the start line', `\r\n\r\n${INVITE}`],
  ['8.1.1.3: From without a tag (RFC 2543)', options({ From: 'sip:a@h' })],
  ['8.1.1.6: no Max-Forwards', options({ 'Max-Forwards': null })],
  ['8.1.1.7: a branch without the cookie, or none', options({ Via: 'SIP/2.0/UDP h' })],
  ['18.3: no Content-Length in a datagram', options({ 'Content-Length': null })],
  ['20.16: leading zeros, folding', options({ CSeq: '0009\r\n  OPTIONS' })],
  ['20.8: what a word may hold', options({ 'Call-ID': `word%ZK-!.*_+'@word\`~)(><:\\/"][?}{` })],
  ['20: unknown headers are opaque', options({}, ['X: ;;,,;;,;"<', "!-.%*+_`'~: \xff\x00"])],
])('RFC 3261 %s: read', (_title, text) => {
  expect(refusal(text)).toBe('ok')
})

test('20.22: Max-Forwards above 255 counts as 255', () => {
  expect(maxForwards(read(options({ 'Max-Forwards': '0068' })))).toBe(68)
  expect(maxForwards(read(options({ 'Max-Forwards': '9'.repeat(300) })))).toBe(255)
})

test('18.3: what follows the body in a datagram is left away', () => {
  const message = read(`${OK}\r\nINVITE sip:mallory@h SIP/2.0\r\n`)
  expect([message.text, body(message)]).toEqual([OK, 'body'])
})

test.each([
  [
    'too-many-headers',
    options(
      {},
      Array.from({ length: sipLimits.headers - 6 }, () => 'X: y'),
    ),
  ],
  ['line-too-long', options({}, [`X: ${'y'.repeat(sipLimits.line)}`])],
  ['line-too-long', options({}, [`X: y${'\r\n z'.repeat(sipLimits.line / 4)}`])],
  ['line-too-long', INVITE.replace('sip:bob', `sip:${'b'.repeat(sipLimits.line)}`)],
  ['too-many-routes', options({}, [`Route: ${'<sip:h>,'.repeat(sipLimits.routes)}<sip:h>`])],
  ['too-many-record-routes', options({}, [`Record-Route: ${'<sip:h>,'.repeat(sipLimits.routes)}<sip:h>`])],
  ['too-many-vias', options({}, [`Via: ${'SIP/2.0/UDP h,'.repeat(sipLimits.vias)}`])],
  ['message-too-long', options({ 'Content-Length': '70000' }) + 'x'.repeat(70_000)],
])('limits: %s is refused with 513', (code, text) => {
  const parsed = parseMessage(text)
  expect(parsed).toMatchObject({ ok: false, error: { code, status: 513 } })
})

test('limits: just below them all is read', () => {
  expect(
    refusal(
      options(
        {},
        Array.from({ length: sipLimits.headers - 7 }, () => 'X: y'),
      ),
    ),
  ).toBe('ok')
  expect(refusal(options({}, [`X: ${'y'.repeat(sipLimits.line - 5)}`]))).toBe('ok')
  expect(refusal(options({}, [`Via: ${'SIP/2.0/UDP h,'.repeat(sipLimits.vias - 1)}`]))).toBe('ok')
  expect(refusal(options({}, [`Route: ${'<sip:h>,'.repeat(sipLimits.routes - 1)}<sip:h>`]))).toBe('ok')
  const full = options({ 'Content-Length': '65000' }) + 'x'.repeat(65_000)
  expect(refusal(full)).toBe('ok')
})

test('a refusal can be answered if its top Via can be read and it is no ACK', () => {
  const canAnswer = (text: string): string | null => {
    const parsed = parseMessage(text)
    return parsed.ok ? 'ok' : (parsed.error.answerable?.method ?? null)
  }
  expect(canAnswer(options({ CSeq: 'x' }))).toBe('OPTIONS')
  expect(canAnswer(INVITE.replace(' SIP/2.0\r\n', ' SIP/3.0\r\n'))).toBe('INVITE')
  expect(canAnswer(options({ From: null, To: null, 'Call-ID': null }))).toBe('OPTIONS')
  expect(canAnswer(options({ Via: 'SIP/2.0/UDP ;' }))).toBe(null)
  expect(canAnswer(INVITE.replaceAll('INVITE', 'ACK').replace('CSeq: 1', 'CSeq: x'))).toBe(null)
  expect(canAnswer(OK.replace('CSeq: 1', 'CSeq: x'))).toBe(null)
  expect(canAnswer(`GET / HTTP/1.1\r\nHost: h\r\n\r\n`)).toBe(null)
})

test('what a refused request lacks reads as empty', () => {
  const parsed = parseMessage(lines('INVITE sip:h SIP/2.0', 'Via: SIP/2.0/UDP h', 'To: "', '', ''))
  const request = parsed.ok ? null : parsed.error.answerable
  expect(request).not.toBeNull()
  if (request === null) return
  expect([callId(request), cseq(request), from(request).uri, to(request).uri, toTag(request)]).toEqual([
    '',
    { number: 0, method: '' },
    '',
    '',
    null,
  ])
})
