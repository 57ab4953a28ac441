import { expect, test } from 'vitest'
import { readBanOrder } from './ban-order.ts'

test('a block is named in one way, however it is written', () => {
  const named = (source: string): unknown => {
    const read = readBanOrder('add', { source, seconds: 60 })
    return read.ok ? read.value : read.error
  }
  const ban = (source: string): unknown => ({ kind: 'ban', source, seconds: 60 })
  expect(named('192.0.2.7/32')).toEqual(ban('192.0.2.7'))
  expect(named('192.0.2.0/24')).toEqual(ban('192.0.2.0/24'))
  expect(named('::ffff:192.0.2.7')).toEqual(ban('192.0.2.7'))
  expect(named('2001:DB8:0:0::/32')).toEqual(ban('2001:db8::/32'))
  expect(named('2001:db8:0:0:1:0:0:1')).toEqual(ban('2001:db8::1:0:0:1'))
  expect(named('::')).toEqual(ban('::'))
})

test.each([
  [{}, '"source" should be a block'],
  [{ source: '192.0.2.7/24' }, 'has bits set after the first 24'],
  [{ source: 'example.com' }, 'is not a block of addresses'],
  [{ source: '0.0.0.0/0' }, 'is everybody'],
  [{ source: '192.0.2.7', seconds: 0 }, '"seconds" should be a whole number from 1'],
  [{ source: '192.0.2.7', seconds: 1e9 }, '"seconds" should be a whole number from 1'],
  [{ source: '192.0.2.7', minutes: 1 }, 'unknown "minutes"; add takes source, seconds'],
])('%j is refused with the fix', (given, said) => {
  expect(readBanOrder('add', given)).toMatchObject({ ok: false, error: expect.stringContaining(said) })
})

test('what is taken back needs no time', () => {
  expect(readBanOrder('remove', { source: '192.0.2.7' })).toEqual({
    ok: true,
    value: { kind: 'unban', source: '192.0.2.7' },
  })
})
