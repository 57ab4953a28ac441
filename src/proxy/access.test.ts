import { expect, test } from 'vitest'
import { hasEverybody, isListed, parseBlock } from './access.ts'

function block(text: string) {
  const parsed = parseBlock(text)
  if (!parsed.ok) throw new Error(parsed.error)
  return parsed.value
}

test.each([
  ['192.0.2.0/24', '192.0.2.255', true],
  ['192.0.2.0/24', '192.0.3.0', false],
  ['192.0.2.128/25', '192.0.2.127', false],
  ['10.0.0.0/8', '10.255.0.1', true],
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7', '192.0.2.6', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '203.0.113.9', false],
  ['192.0.2.0/24', '::ffff:192.0.2.9', true],
  ['::ffff:192.0.2.0/120', '192.0.2.9', true],
  ['::ffff:192.0.2.0/120', '192.0.3.9', false],
  ['2001:db8::/32', '2001:0DB8:ffff::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['2001:db8:0:8000::/49', '2001:db8:0:7fff::1', false],
  ['::1', '0:0:0:0:0:0:0:1', true],
  ['2001:db8::/32', 'not an address', false],
])('%s has %s: %s', (text, host, expected) => {
  expect(isListed([block(text)], host)).toBe(expected)
})

test('an address is let in by any block of the list, and by none of an empty one', () => {
  const list = [block('192.0.2.0/24'), block('2001:db8::/32')]
  expect(['192.0.2.1', '2001:db8::5', '198.51.100.1'].map((host) => isListed(list, host))).toEqual([true, true, false])
  expect(isListed([], '127.0.0.1')).toBe(false)
})

test.each(['', '192.0.2.0/33', '192.0.2.0/', '192.0.2.0/ 8', '192.0.2.0/-1', '192.0.2/24', '::/129', 'example.com/8'])(
  '"%s" is no block of addresses',
  (text) => {
    expect(parseBlock(text)).toMatchObject({ ok: false, error: expect.stringContaining('is not a block of addresses') })
  },
)

test('a block that begins in its middle is a mistake, and told', () => {
  expect(parseBlock('192.0.2.7/24')).toMatchObject({
    ok: false,
    error: expect.stringContaining('has bits set after the first 24'),
  })
})

test('what lets everybody in is known', () => {
  expect(['0.0.0.0/0', '::/0'].map((text) => hasEverybody([block(text)]))).toEqual([true, true])
  expect(['0.0.0.0/1', '::/1', '::/96'].map((text) => hasEverybody([block(text)]))).toEqual([false, false, false])
})
