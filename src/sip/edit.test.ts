import { expect, test } from 'vitest'
import { edit } from './edit.ts'
import { recordRoutes, routes, vias } from './message.ts'
import { BYE, INVITE, OK, options, read } from './testing/messages.ts'

const RELAY = 'SIP/2.0/UDP 127.0.0.10:5060;branch=z9hG4bKnew'

test('nothing said, nothing changed', () => {
  for (const text of [INVITE, BYE, OK]) expect(edit(read(text)).print()).toBe(text)
})

test('16.6: a request is relayed, and all else is byte-exact', () => {
  const relayed = edit(read(INVITE))
    .requestUri('sip:bob@127.0.0.3')
    .prependVia(RELAY)
    .topViaParam('received', '127.0.0.5')
    .topViaParam('rport', '5070')
    .prependRecordRoute('<sip:token@127.0.0.10:5060;lr>')
    .maxForwards(69)
    .print()
  expect(relayed).toBe(
    INVITE.replace('INVITE sip:bob@example.com;transport=udp', 'INVITE sip:bob@127.0.0.3')
      .replace('\r\nVia:', `\r\nRecord-Route: <sip:token@127.0.0.10:5060;lr>\r\nVia: ${RELAY}\r\nVia:`)
      .replace(';rport;branch=z9hG4bKa1', ';rport=5070;branch=z9hG4bKa1;received=127.0.0.5')
      .replace('Max-Forwards: 70', 'Max-Forwards: 69'),
  )
})

test('16.7 step 3: the top Via goes with its line', () => {
  expect(edit(read(OK)).removeTopVia().print()).toBe(
    OK.replace('Via: SIP/2.0/UDP 127.0.0.10:5060;branch=z9hG4bKproxy\r\n', ''),
  )
})

test('the top value of a line with several goes, the others stay where they are', () => {
  const bye = read(BYE)
  expect(edit(bye).removeTopVia().print()).toBe(BYE.replace('SIP/2.0/UDP 127.0.0.4;branch=z9hG4bKtop , ', ''))
  expect(edit(bye).removeTopVia().removeTopVia().print()).toBe(
    BYE.slice(0, BYE.indexOf('v: ')) + BYE.slice(BYE.indexOf('Max-')),
  )
  const none = edit(bye).removeTopVia().removeTopVia().removeTopVia().removeTopVia().print()
  expect(none.toLowerCase()).not.toContain('via')
})

test('Routes: the first, the last, both', () => {
  const bye = read(BYE)
  const uris = (text: string): string[] => routes(read(text)).map((route) => route.uri)
  expect(uris(edit(bye).removeTopRoute().print())).toEqual(['sip:127.0.0.11;lr', 'sip:127.0.0.12;lr'])
  expect(edit(bye).removeTopRoute().print()).toContain('\r\nRoute: "Two, too" <sip:127.0.0.11;lr>\r\n')
  expect(edit(bye).removeLastRoute().print()).toBe(BYE.replace('Route: <sip:127.0.0.12;lr>\r\n', ''))
  expect(uris(edit(bye).removeLastRoute().removeLastRoute().print())).toEqual(['sip:one@127.0.0.10;lr'])
  expect(uris(edit(bye).removeTopRoute().removeLastRoute().print())).toEqual(['sip:127.0.0.11;lr'])
  expect(uris(edit(bye).removeTopRoute().removeTopRoute().removeTopRoute().removeTopRoute().print())).toEqual([])
  expect(uris(edit(bye).removeTopRoute().prependRoute('<sip:new;lr>').print())).toEqual([
    'sip:new;lr',
    'sip:127.0.0.11;lr',
    'sip:127.0.0.12;lr',
  ])
})

test('the parameter of the topmost Via on a line with several', () => {
  const edited = edit(read(BYE)).topViaParam('received', '::1').topViaParam('BRANCH', 'other').print()
  expect(edited).toBe(BYE.replace('127.0.0.4;branch=z9hG4bKtop ,', '127.0.0.4;branch=other;received=::1 ,'))
})

test.each([
  ['SIP/2.0/UDP h', 'rport', '9', 'SIP/2.0/UDP h;rport=9'],
  ['SIP/2.0/UDP h;rport', 'rport', '9', 'SIP/2.0/UDP h;rport=9'],
  ['SIP/2.0/UDP h;rport=1;x', 'rport', '9', 'SIP/2.0/UDP h;rport=9;x'],
  ['SIP/2.0/UDP h ; RPort = 1 ; x', 'rport', '9', 'SIP/2.0/UDP h ;rport=9 ; x'],
  ['SIP/2.0/UDP h;y="a;rport";x', 'rport', null, 'SIP/2.0/UDP h;y="a;rport";x;rport'],
  ['SIP/2.0/UDP h;rportal;x=rport', 'rport', '9', 'SIP/2.0/UDP h;rportal;x=rport;rport=9'],
  ['SIP/2.0/UDP [::1]:1;x', 'x', 'y', 'SIP/2.0/UDP [::1]:1;x=y'],
])('18.2.1, RFC 3581: %j with %s=%s', (via, name, value, expected) => {
  expect(
    edit(read(options({ Via: via })))
      .topViaParam(name, value)
      .print(),
  ).toBe(options({ Via: expected }))
})

test('a later prepended value goes above an earlier one', () => {
  const text = edit(read(OK))
    .prependVia('SIP/2.0/UDP one')
    .prependVia('SIP/2.0/UDP two')
    .prependRecordRoute('<sip:a;lr>')
    .prependRecordRoute('<sip:b;lr>')
    .print()
  expect(vias(read(text)).map((via) => via.host)).toEqual(['two', 'one', '127.0.0.10', '127.0.0.2'])
  expect(recordRoutes(read(text)).map((route) => route.uri)).toEqual([
    'sip:b;lr',
    'sip:a;lr',
    'sip:token@127.0.0.10:5060;lr',
  ])
})

test('the top Via is replaced: one goes, one comes', () => {
  const text = edit(read(OK)).removeTopVia().prependVia('SIP/2.0/UDP new').print()
  expect(vias(read(text)).map((via) => via.host)).toEqual(['new', '127.0.0.2'])
})

test('set: in the place of the first line, the others go; added at the end where there is none', () => {
  const two = options({}, ['Subject: a', 'X: y', 's: b'])
  expect(edit(read(two)).set('Subject', 'c').print()).toBe(options({}, ['Subject: c', 'X: y']))
  expect(edit(read(two)).set('Subject', 'c').set('SUBJECT', 'd').print()).toBe(options({}, ['SUBJECT: d', 'X: y']))
  expect(edit(read(two)).set('Expires', '5').print()).toBe(options({}, ['Subject: a', 'X: y', 's: b', 'Expires: 5']))
  expect(
    edit(read(options({ 'Max-Forwards': null })))
      .maxForwards(70)
      .print(),
  ).toBe(options({ 'Max-Forwards': null }, ['Max-Forwards: 70']))
})

test('remove: all lines, folded ones and compact ones', () => {
  expect(
    edit(read(options({}, ['Subject: a\r\n  b', 'X: y', 's: b'])))
      .remove('subject')
      .print(),
  ).toBe(options({}, ['X: y']))
  expect(edit(read(OK)).remove('nothing').print()).toBe(OK)
})

test('what is inserted cannot begin a line', () => {
  const evil = 'x\r\nEvil: 1\nEvil: 2\rEvil: 3'
  const text = edit(read(INVITE))
    .requestUri(`sip:${evil}`)
    .prependVia(evil)
    .topViaParam('received', evil)
    .prependRecordRoute(evil)
    .prependRoute(evil)
    .set('Subject', evil)
    .print()
  expect(text.split('\r\n').filter((line) => line.startsWith('Evil'))).toEqual([])
  expect(text.replaceAll('\r\n', '')).not.toContain('\n')
})

test('a name that is no token, and a Content-Length of somebody else, are bugs', () => {
  expect(() => edit(read(OK)).set('a\r\nb', 'c')).toThrow('token')
  expect(() => edit(read(OK)).set('l', '3')).toThrow('length')
  expect(() => edit(read(OK)).remove('Content-Length')).toThrow('length')
  expect(() => edit(read(OK)).requestUri('sip:h')).toThrow('Request-URI')
})
