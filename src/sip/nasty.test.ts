// The nastiest messages we know of, each with what becomes of it and why. The full tables of RFC 4475 and 5118 follow.

import { expect, test } from 'vitest'
import { edit } from './edit.ts'
import { body, contacts, from, header, headers, parseMessage, routes, to, topVia, values, vias } from './message.ts'
import { INVITE, OK, lines, options, read, readRequest } from './testing/messages.ts'
import { parseUri } from './uri.ts'

test('every place where the grammar allows white space has some (RFC 4475 3.1.1.1)', () => {
  const text = lines(
    'INVITE sip:v@h.example.com;unknownparam SIP/2.0',
    'TO :',
    ' sip:v@h.example.com ;   tag    = 1918n',
    'from   : "J R \\\\\\""       <sip:j@example.com>',
    '  ;',
    '  tag = 98as',
    'MaX-fOrWaRdS: 0068',
    'Call-ID: w@192.0.2.1',
    'Content-Length   : 3',
    'cseq: 0009',
    '  INVITE',
    'Via  : SIP  /   2.0',
    ' /UDP',
    '    192.0.2.2;branch=390s',
    's :',
    'v:  SIP  / 2.0  / TCP     s.example.com   ;',
    '  branch  =   z9hG4bK9  ,',
    ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
    ' z9hG4bK3',
    'm:"Quoted \\"\\"" <sip:j@example.com> ; newparam =',
    '      newvalue ;',
    '  secondparam ; q = 0.33',
    '',
    'abc',
  )
  const message = read(text)
  expect(from(message)).toMatchObject({ display: 'J R \\"', tag: '98as' })
  expect(to(message).tag).toBe('1918n')
  expect(vias(message).map((via) => via.branch)).toEqual(['390s', 'z9hG4bK9', 'z9hG4bK3'])
  expect(contacts(message)).toMatchObject([
    {
      display: 'Quoted ""',
      params: new Map([
        ['newparam', 'newvalue'],
        ['secondparam', null],
        ['q', '0.33'],
      ]),
    },
  ])
  expect([header(message, 'subject'), body(message)]).toEqual(['', 'abc'])
  expect(edit(message).print()).toBe(text)
})

test('a method, a user and a tag made of every character they may have (3.1.1.2)', () => {
  const method = "!interesting-Method0123456789_*+`.%indeed'~"
  const message = readRequest(
    lines(
      `${method} sip:1_u.U~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d(doesn't-it)@example.com SIP/2.0`,
      "Via: SIP/2.0/TCP h;branch=z9hG4bK-.!%66*_+`'~",
      'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_u?,/;;*@example.com>',
      "From: token1~` token2'+_ <sip:m@example.com>;fromParam''~+*_!.-%=\"\xd1\x80\";tag=_token~1'+`*%!-.",
      'Call-ID: word%ZK-!.*_+\'@word`~)(><:\\/"][?}{',
      `CSeq: 139122385 ${method}`,
      "extensionHeader-!.%*+_`'~:\xef\xbb\xbf",
      'Content-Length: 0',
      '',
      '',
    ),
  )
  expect(message.method).toBe(method)
  expect(parseUri(message.requestUri)).toMatchObject({ host: 'example.com' })
  expect(to(message).display).toBe('BEL:\x07 NUL:\x00 DEL:\x7f')
  expect(from(message).tag).toBe("_token~1'+`*%!-.")
})

test('escapes are no disguise: an escaped method or header name is another one (3.1.1.5)', () => {
  const message = readRequest(
    options({}, ['Contact: <sip:a@h>', 'C%6Fntact: <sip:b@h>']).replaceAll('OPTIONS', 'RE%47IST%45R'),
  )
  expect(message.method).toBe('RE%47IST%45R')
  expect(headers(message, 'Contact')).toEqual(['<sip:a@h>'])
})

test('an escaped line break in a header name is a name, not a line', () => {
  const message = read(options({}, ['X%0d%0aEvil: 1']))
  expect([header(message, 'evil'), header(message, 'x%0d%0aevil')]).toEqual([null, '1'])
  expect(edit(message).print()).toBe(message.text)
})

test('a second Content-Length would smuggle a request', () => {
  for (const second of ['Content-Length: 50', 'l: 0', 'CONTENT-LENGTH : 0', 'Content-Length:\r\n 0']) {
    expect(parseMessage(options({}, [second]))).toMatchObject({ ok: false, error: { code: 'content-length-repeated' } })
  }
})

test('a header hidden behind a bare LF, which others take for a line break', () => {
  expect(parseMessage(options({ Via: 'SIP/2.0/UDP h;branch=a\nRoute: <sip:evil;lr>' }))).toMatchObject({ ok: false })
})

test('a request hidden in the body stays a body (3.1.1.8)', () => {
  const inner = 'INVITE sip:evil@h SIP/2.0\r\nVia: SIP/2.0/UDP evil\r\nRoute: <sip:evil;lr>\r\n\r\n'
  const message = read(options({ 'Content-Length': String(inner.length) }) + inner)
  expect([vias(message).length, routes(message).length, body(message)]).toEqual([1, 0, inner])
})

test('__proto__ as a parameter and as a header', () => {
  const message = read(options({ Via: 'SIP/2.0/UDP h;__proto__;branch=x' }, ['__proto__: polluted']))
  expect(topVia(message)?.params.has('__proto__')).toBe(true)
  expect(edit(message).topViaParam('__proto__', 'y').set('__proto__', 'z').print()).toContain('h;__proto__=y;branch=x')
  expect(Object.getPrototypeOf({})).toBe(Object.prototype)
})

test('the comma in a quoted name, in brackets, and after a backslash separates nothing', () => {
  const list = ['"a, b" <sip:1@h>', '<sip:2@h;x=1,2>', '"c\\", d" <sip:3@h>', 'sip:4@h;x="e,f"']
  expect(values(read(options({}, [`Contact: ${list.join(',')}`])), 'contact')).toEqual(list)
})

test('an unbalanced quote in an opaque list swallows its line, not the next (3.1.2.6)', () => {
  const message = read(options({}, ['Contact: "open <sip:a@h>, <sip:b@h>', 'Contact: <sip:c@h>']))
  expect(contacts(message)).toMatchObject([{ uri: 'sip:c@h' }])
})

test('numbers too large for the machine (3.1.2.4, 3.1.2.5, 3.1.2.19)', () => {
  expect(parseMessage(options({ CSeq: '36893488147419103232 OPTIONS' }))).toMatchObject({
    ok: false,
    error: { code: 'cseq' },
  })
  expect(parseMessage(OK.replace('200 OK', '4294967301 better not'))).toMatchObject({
    ok: false,
    error: { answerable: null },
  })
  expect(
    parseMessage(options({}, ['Expires: 99999999999999999999999', 'Retry-After: 94930283850302834930'])),
  ).toMatchObject({ ok: true })
})

test('two values for what may be one (3.3.8)', () => {
  expect(parseMessage(INVITE.replace('CSeq', 'CSeq: 59 INVITE\r\nCSeq'))).toMatchObject({
    ok: false,
    error: { status: 400 },
  })
})

test('thirty Vias in every spelling of the name (3.1.1.7)', () => {
  const names = ['Via', 'v', 'V', 'ViA', 'VIa', 'VIA', 'via', 'viA', 'vIa', 'vIA', 'V ', 'v  ', 'Via ', 'Via\t']
  const message = read(
    options(
      {},
      names.map((name, i) => `${name}: SIP/2.0/TCP sip${i}.example.com`),
    ),
  )
  expect(vias(message)).toHaveLength(names.length + 1)
  const stripped = names.reduce((edited) => edited.removeTopVia(), edit(message)).print()
  expect(vias(read(stripped)).map((via) => via.host)).toEqual(['sip13.example.com'])
})

test('an IPv6 address with a port that belongs to it, and one without (RFC 5118 4.2, 4.3)', () => {
  expect(parseUri('sip:[2001:db8::10:5070]')).toMatchObject({ host: '2001:db8::10:5070', port: null })
  expect(parseUri('sip:[2001:db8::10]:5070')).toMatchObject({ host: '2001:db8::10', port: 5070 })
})

test('IPv4 and IPv6 in one Via stack survive a hop byte by byte (RFC 5118 4.6)', () => {
  const message = read(
    options({ Via: 'SIP/2.0/UDP [2001:db8::9:1]:6050;branch=a' }, [
      'Via: SIP/2.0/UDP 192.0.2.1;branch=b',
      'Via: SIP/2.0/TCP [2001:db8::9:255];branch=c;received=192.0.2.200',
    ]),
  )
  const there = edit(message).prependVia('SIP/2.0/UDP [::1]:5060;branch=z').print()
  expect(edit(read(there)).removeTopVia().print()).toBe(message.text)
})

test('binary bodies and UTF-8 are bytes (3.1.1.11, 3.1.1.12)', () => {
  const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))
  const message = read(options({ 'Content-Length': '256', Subject: '\xd0\xbd\xd0\xbe' }) + bytes)
  expect([body(message), header(message, 's')]).toEqual([bytes, '\xd0\xbd\xd0\xbe'])
  expect(edit(message).maxForwards(1).print().endsWith(bytes)).toBe(true)
})
