import { expect, test } from 'vitest'
import { buildRequest, buildResponse, reasonPhrase } from './build.ts'
import { parseMessage } from './message.ts'
import { BYE, INVITE, lines, options, read, readRequest, readResponse } from './testing/messages.ts'

test('8.2.6: a response copies Via, From, To, Call-ID and CSeq line by line, and adds a tag', () => {
  expect(buildResponse(readRequest(INVITE), 486, undefined, { toTag: 'ours' })).toBe(
    lines(
      'SIP/2.0 486 Busy Here',
      'Via: SIP/2.0/UDP 127.0.0.2:5062;rport;branch=z9hG4bKa1',
      'From: "Alice" <sip:alice@example.com>;tag=9fxc',
      'To: <sip:bob@example.com>;tag=ours',
      'Call-ID: 3848276298@127.0.0.2',
      'CSeq: 1 INVITE',
      'Content-Length: 0',
      '',
      '',
    ),
  )
})

test('8.2.6.2: a tag that is there stays; lines keep their folding and spelling', () => {
  const response = buildResponse(readRequest(BYE), 200, 'Fine', { toTag: 'ours' })
  expect(response).toContain('SIP/2.0 200 Fine\r\nv: SIP/2.0/UDP 127.0.0.4;branch=z9hG4bKtop , SIP/2.0/TCP')
  expect(response).toContain('VIA : SIP / 2.0 / UDP 127.0.0.2\r\n  ;branch=z9hG4bKlast\r\n')
  expect(response).toContain('t: sip:bob@example.com;tag=314\r\n')
  expect(response).not.toContain('Route')
})

test('8.2.6.1: a 100 has the Timestamp of the request and no tag of ours', () => {
  const request = readRequest(options({}, ['Timestamp: 54']))
  expect(buildResponse(request, 100, undefined, { toTag: 'ours' })).toContain('To: <sip:bob@example.com>\r\n')
  expect(buildResponse(request, 100)).toContain('\r\nTimestamp: 54\r\n')
  expect(buildResponse(request, 200)).not.toContain('Timestamp')
})

test('18.2.1, RFC 3581: the server adds received and rport to the topmost Via only', () => {
  const response = buildResponse(readRequest(BYE), 200, undefined, {
    viaParams: [
      ['received', '::1'],
      ['rport', '5'],
    ],
  })
  expect(response).toContain('v: SIP/2.0/UDP 127.0.0.4;branch=z9hG4bKtop;received=::1;rport=5 , SIP/2.0/TCP')
})

test('headers and a body of our own', () => {
  const response = readResponse(
    buildResponse(readRequest(INVITE), 200, undefined, {
      headers: [
        ['Contact', '<sip:bob@h>'],
        ['l', '99'],
        ['Warning', 'a\r\nEvil: b'],
      ],
      body: 'v=0',
    }),
  )
  expect(response.text.endsWith('Contact: <sip:bob@h>\r\nWarning: a  Evil: b\r\nContent-Length: 3\r\n\r\nv=0')).toBe(
    true,
  )
})

test('an answer to what was refused repeats what is there, once', () => {
  const text = lines(
    'INVITE sip:h SIP/2.0',
    'Via: SIP/2.0/UDP h',
    'From: <sip:a@h>',
    'From: <sip:b@h>',
    'To: "',
    'CSeq: x',
    '',
    '',
  )
  const parsed = parseMessage(text)
  const request = parsed.ok ? null : parsed.error.answerable
  expect(request === null ? null : buildResponse(request, 400, 'Bad "\r\n', { toTag: 'ours' })).toBe(
    lines(
      'SIP/2.0 400 Bad "  ',
      'Via: SIP/2.0/UDP h',
      'From: <sip:a@h>',
      'To: "',
      'CSeq: x',
      'Content-Length: 0',
      '',
      '',
    ),
  )
})

test('8.1.1: a request in the order given, with its length', () => {
  const text = buildRequest({
    method: 'BYE',
    requestUri: 'sip:bob@h',
    headers: [
      ['Via', 'SIP/2.0/UDP h;branch=z9hG4bKb'],
      ['Max-Forwards', '70'],
      ['From', '<sip:a@h>;tag=1'],
      ['To', '<sip:b@h>;tag=2'],
      ['Call-ID', 'c'],
      ['CSeq', '9 BYE'],
      ['Content-Length', '12'],
      ['Reason', 'SIP ;cause=200'],
    ],
    body: '\xff\x00',
  })
  expect(text.startsWith('BYE sip:bob@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKb\r\nMax-Forwards: 70\r\n')).toBe(
    true,
  )
  expect(text.endsWith('Reason: SIP ;cause=200\r\nContent-Length: 2\r\n\r\n\xff\x00')).toBe(true)
  expect(read(text).text).toBe(text)
})

test('a method or header name that is no token is a bug', () => {
  expect(() => buildRequest({ method: 'A B', requestUri: 'sip:h', headers: [] })).toThrow('token')
  expect(() => buildRequest({ method: 'A', requestUri: 'sip:h', headers: [['x:', '']] })).toThrow('token')
  expect(() => buildResponse(readRequest(INVITE), 99)).toThrow('status')
})

test('21: phrases, and a class where there is none', () => {
  expect([100, 200, 481, 503, 199, 299, 499, 666].map(reasonPhrase)).toEqual([
    'Trying',
    'OK',
    'Call/Transaction Does Not Exist',
    'Service Unavailable',
    'Early Dialog Terminated',
    'Success',
    'Client Error',
    'Global Failure',
  ])
})

test('18.2.1: the topmost Via is the first that has a value; an empty line before it stays a line (found by fuzzing)', () => {
  for (const empty of ['v: ', 'v:', 'Via: ,', 'v:\r\n ']) {
    const parsed = parseMessage(`${options({ Via: null, CSeq: '7 X' }, [empty, 'v: SIP/2.0/UDP h;branch=b'])}`)
    const request = parsed.ok ? parsed.value : parsed.error.answerable
    if (request?.kind !== 'request') throw new Error('not answerable')
    const answer = buildResponse(request, 400, undefined, { viaParams: [['received', '::1']] })
    expect(answer).toContain(`\r\n${empty}\r\nv: SIP/2.0/UDP h;branch=b;received=::1\r\n`)
  }
})
