import { expect, test } from 'vitest'
import { isIpv4, isIpv6, sameHost, withoutBrackets } from './host.ts'

test.each([
  ['2001:db8::9:1', '2001:0DB8:0:0::0009:1'],
  ['::1', '0:0:0:0:0:0:0:1'],
  ['::', '0::0'],
  ['::ffff:192.0.2.10', '::FFFF:c000:20a'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['Example.COM', 'example.com'],
])('RFC 5954 4.2: %s is %s', (a, b) => {
  expect([sameHost(a, b), sameHost(b, a)]).toEqual([true, true])
})

test.each([
  ['2001:db8::1', '2001:db8::2'],
  ['::1', '1::'],
  ['::ffff:192.0.2.10', '192.0.2.10'],
  ['1:::2', '1::2'],
  ['example.com', 'example.org'],
  ['192.0.2.1', '192.0.2.10'],
])('%s is not %s', (a, b) => {
  expect(sameHost(a, b)).toBe(false)
})

test.each([
  '',
  ':',
  ':::',
  '1',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  '1:2:3:4:5:6:7:8::',
  '12345::',
  'g::',
  '::1.2.3',
  '::1.2.3.256',
  '1.2.3.4::',
  '[::1]',
  '::1%eth0',
  '2001:db8:::192.0.2.1',
  `${'0'.repeat(60)}::1`,
])('RFC 4291 2.2: %j is no IPv6 address', (text) => {
  expect(isIpv6(text)).toBe(false)
})

test('an IPv4 address has four bytes', () => {
  expect(['192.0.2.1', '0.0.0.0', '255.255.255.255'].map(isIpv4)).toEqual([true, true, true])
  expect(['1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.', '1.2.3.x', '::1'].some(isIpv4)).toBe(false)
})

test('an IPv6 reference without its brackets', () => {
  expect(['[::1]', '::1', '192.0.2.1', '[x'].map(withoutBrackets)).toEqual(['::1', '::1', '192.0.2.1', '[x'])
})
