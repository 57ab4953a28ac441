import { expect, test } from 'vitest'
import { parseVia, viaText } from './via.ts'

const none = { branch: null, received: null, rport: null }

test.each([
  ['SIP/2.0/UDP h', { transport: 'UDP', host: 'h', port: null, ...none }],
  ['SIP/2.0/udp 192.0.2.1:5060', { transport: 'UDP', host: '192.0.2.1', port: 5060, ...none }],
  ['SIP/2.0/TLS a.b-c_d.example.;branch=z9hG4bK1', { transport: 'TLS', host: 'a.b-c_d.example.', branch: 'z9hG4bK1' }],
  ['SIP/2.0/TCP [2001:db8::9:1]:6050;branch=z', { host: '2001:db8::9:1', port: 6050, branch: 'z' }],
  ['SIP/2.0/UDP [::ffff:192.0.2.10]:19823', { host: '::ffff:192.0.2.10', port: 19823 }],
  // RFC 5118 4.5: with and without delimiters.
  ['SIP/2.0/UDP [::1];received=2001:db8::9:255', { received: '2001:db8::9:255' }],
  ['SIP/2.0/UDP [::1];received=[2001:db8::9:255];branch=b', { received: '2001:db8::9:255', branch: 'b' }],
  // RFC 3581: asked for, answered, absent.
  ['SIP/2.0/UDP h;rport', { rport: '' }],
  ['SIP/2.0/UDP h;rport=9', { rport: 9 }],
  ['SIP/2.0/UDP h;RPORT=9;Branch=B', { rport: 9, branch: 'B' }],
  // White space wherever the grammar has SWS, folding included.
  ['SIP  /   2.0\r\n /UDP\r\n    h : 5060 ; branch =\r\n z', { transport: 'UDP', host: 'h', port: 5060, branch: 'z' }],
  // RFC 4475 3.1.1.10: transports nobody knows.
  ['SIP/2.0/UNKNOWN t4.example.com;branch=b', { transport: 'UNKNOWN' }],
  ['SIP/2.0/UDP h;branch=z9hG4bK;x="a;b,c\\""', { branch: 'z9hG4bK' }],
])('20.42: reads %j', (text, expected) => {
  expect(parseVia(text)).toMatchObject(expected)
})

test.each([
  '',
  'SIP/2.0/UDP',
  'SIP/2.0/UDP ',
  'SIP/2.0 UDP h',
  'SIP/2.0/UDPh',
  'SIP//UDP h',
  'SIP/2.0/UDP h:',
  'SIP/2.0/UDP h:65536',
  'SIP/2.0/UDP h:5o60',
  'SIP/2.0/UDP 2001:db8::1',
  'SIP/2.0/UDP [2001:db8::1',
  'SIP/2.0/UDP []',
  'SIP/2.0/UDP [::1]x',
  'SIP/2.0/UDP h;;branch=b',
  'SIP/2.0/UDP h;',
  'SIP/2.0/UDP h;branch',
  'SIP/2.0/UDP h;branch=',
  'SIP/2.0/UDP h;branch=a;branch=b',
  'SIP/2.0/UDP h;branch=a;BRANCH=b',
  'SIP/2.0/UDP h;rport=x',
  'SIP/2.0/UDP h;rport=65536',
  'SIP/2.0/UDP h;received',
  'SIP/2.0/UDP h branch=a',
  'SIP/2.0/UDP h;x="open',
  'SIP/2.0/UDP h, SIP/2.0/UDP g',
])('20.42: refuses %j', (text) => {
  expect(parseVia(text)).toBeNull()
})

test('parameters are a Map: __proto__ is a name like any other', () => {
  const via = parseVia('SIP/2.0/UDP h;__proto__;constructor=1;branch=x')
  expect([...(via?.params ?? [])]).toEqual([
    ['__proto__', null],
    ['constructor', '1'],
    ['branch', 'x'],
  ])
})

test('what is printed reads back the same', () => {
  for (const text of [
    'SIP/2.0/UDP h',
    'SIP/2.0/TCP [2001:db8::1]:5061;branch=z9hG4bKmid;received=127.0.0.9',
    'SIP/2.0/WS df7jal23ls0d.invalid;rport;x="a b";branch=z',
  ]) {
    const via = parseVia(text)
    expect(via === null ? null : viaText(via)).toBe(text)
  }
})
