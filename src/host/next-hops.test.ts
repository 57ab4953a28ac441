import { expect, test } from 'vitest'
import { parseNextHops, printNextHops } from './next-hops.ts'

const hop = (port: number, transport: 'udp' | 'tcp' | null = null) => ({ host: '127.0.0.1', port, transport })

test.each([
  ['127.0.0.1:1', { nextHop: hop(1) }],
  ['127.0.0.1:1,127.0.0.1:2', { nextHop: hop(1), nextHops: [[hop(1), hop(2)]] }],
  ['127.0.0.1:1|127.0.0.1:2', { nextHop: hop(1), nextHops: [[hop(1)], [hop(2)]] }],
  [
    '127.0.0.1:1;transport=tcp,127.0.0.1:2|127.0.0.1:3;transport=udp',
    { nextHop: hop(1, 'tcp'), nextHops: [[hop(1, 'tcp'), hop(2)], [hop(3, 'udp')]] },
  ],
])('%s: commas for at once, bars for one after another; and printed so', (text, setting) => {
  expect(parseNextHops(text)).toEqual({ ok: true, value: setting })
  expect(printNextHops(setting)).toBe(text)
})

test.each([
  ['127.0.0.1:1,', '"" is not HOST:PORT'],
  ['127.0.0.1:1||127.0.0.1:2', '"" is not HOST:PORT'],
  ['127.0.0.1:1,127.0.0.1:2|127.0.0.1:1', '127.0.0.1:1 is there twice; a call goes to each next hop once'],
  [Array.from({ length: 17 }, (_, i) => `127.0.0.1:${i + 1}`).join(','), 'at most 16 next hops'],
])('%s is refused: %s', (text, why) => {
  expect(parseNextHops(text)).toMatchObject({ ok: false, error: expect.stringContaining(why) })
})
