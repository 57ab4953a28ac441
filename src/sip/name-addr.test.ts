import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { nameAddrText, parseNameAddr } from './name-addr.ts'

test.each([
  ['sip:a@b;tag=1', { display: '', uri: 'sip:a@b', tag: '1' }],
  ['<sip:a@b;lr>;tag=1', { display: '', uri: 'sip:a@b;lr', tag: '1' }],
  ['<sip:a@b>', { uri: 'sip:a@b', tag: null }],
  ['Alice B. <sip:a@b>', { display: 'Alice B.', uri: 'sip:a@b' }],
  ['caller<sip:a@b>;tag=323', { display: 'caller', tag: '323' }],
  ['"A, \\"B\\" \\\\"<sip:a@b?x=,y>', { display: 'A, "B" \\', uri: 'sip:a@b?x=,y' }],
  ['"" <sip:a@b>', { display: '' }],
  ['"a;<b>" <sip:a@b>;tag=x', { display: 'a;<b>', tag: 'x' }],
  ['"\xd0\xb9" <sip:a@b>', { display: '\xd0\xb9' }],
  // RFC 4475 3.1.2.14, 3.1.2.15: no doubt about what was meant.
  ['"Watson" < sip:a@b >', { uri: 'sip:a@b' }],
  ['Bell, Alexander <sip:a@b>;tag=43', { display: 'Bell, Alexander', tag: '43' }],
  ['"J\r\n  R"\r\n <sip:a@b>\r\n ;\r\n tag = 9', { display: 'J R', uri: 'sip:a@b', tag: '9' }],
  ['isbn:2983792873', { uri: 'isbn:2983792873' }],
  ['<http://www.example.com>;tag=3', { uri: 'http://www.example.com', tag: '3' }],
  ['<tel:+1;ext=5>', { uri: 'tel:+1;ext=5' }],
  ['sip:a@b;x="<;,>";tag=1', { uri: 'sip:a@b', tag: '1' }],
  ['<sip:a@[2001:db8::1]:5060>', { uri: 'sip:a@[2001:db8::1]:5060' }],
])('20.10, 20.20: reads %j', (text, expected) => {
  expect(parseNameAddr(text)).toMatchObject(expected)
})

test.each([
  '',
  '<>',
  '< >',
  'sip',
  'a@b',
  '<a@b>',
  '"open <sip:a@b>',
  '"x" sip:a@b',
  '<sip:a@b',
  'sip:a@b>',
  '<sip:a b>',
  '<sip:a@b> x',
  '<sip:a@b>;',
  '<sip:a@b>;;',
  '<sip:a@b>;tag=',
  '<sip:a@b>;tag=1;tag=2',
  '<sip:a@b>;tag=1;TAG=2',
  '<<sip:a@b>>',
  '<sip:a\r\n b>',
  'sip:a@b?x=y',
  'sip:a@b,sip:c@d',
  '<sip:a"b@c>',
  '<sip:>',
  'sip:',
  'a"b" <sip:a@b>',
])('20.10, 20.20: refuses %j', (text) => {
  expect(parseNameAddr(text)).toBeNull()
})

test('20.34: a Route is in brackets', () => {
  const route = 'sip:a@b;lr'
  expect(parseNameAddr(route, 0, route.length, true)).toBeNull()
  expect(parseNameAddr(`<${route}>`, 0, route.length + 2, true)?.uri).toBe(route)
})

test('what is printed reads back the same', () => {
  const display = fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', ';', '<', '>', ',', '\xe9'), maxLength: 12 })
  fc.assert(
    fc.property(display, (name) => {
      expect(parseNameAddr(nameAddrText({ display: name, uri: 'sip:a@b;lr' }, ';tag=1'))).toMatchObject({
        display: name,
        uri: 'sip:a@b;lr',
        tag: '1',
      })
    }),
    { numRuns: 300 },
  )
})
