import { describe, expect, test } from 'vitest'
import { random } from '../base/random.ts'
import { flowsTo } from './locate.ts'
import type { Candidate } from './locate.ts'

const set = { host: '127.0.0.10', port: 5060 }

function server(name: string, change: Partial<Candidate> = {}): Candidate {
  return { transport: 'udp', order: 0, priority: 0, weight: 0, port: 5060, addresses: [name], ...change }
}

/** The hosts in the order in which they are tried. */
function tried(candidates: readonly Candidate[], chance: (below: number) => number = () => 0): readonly string[] {
  return flowsTo(candidates, set, false, chance).map(({ host }) => host)
}

describe('RFC 3263 4.2, RFC 2782: the order of servers', () => {
  test('by NAPTR order, then by priority', () => {
    const servers = [
      server('192.0.2.4', { order: 2 }),
      server('192.0.2.3', { order: 1, priority: 20 }),
      server('192.0.2.2', { order: 1, priority: 10 }),
    ]
    expect(tried(servers)).toEqual(['192.0.2.2', '192.0.2.3', '192.0.2.4'])
  })

  test('among equals each comes first as often as its weight says', () => {
    const servers = [server('192.0.2.1', { weight: 1 }), server('192.0.2.2', { weight: 3 })]
    const draws = random(7)
    const firsts = Array.from({ length: 4_000 }, () => tried(servers, (below) => draws.below(below))[0])
    const share = firsts.filter((host) => host === '192.0.2.2').length / firsts.length
    // One more than the sum is drawn from, which RFC 2782 has in favour of those that come first.
    expect(share).toBeGreaterThan(0.55)
    expect(share).toBeLessThan(0.85)
  })

  test('one of weight 0 comes seldom before others, and never is lost', () => {
    const servers = [server('192.0.2.2', { weight: 10 }), server('192.0.2.1')]
    expect(tried(servers, () => 0)).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(tried(servers, () => 5)).toEqual(['192.0.2.2', '192.0.2.1'])
  })

  test('all addresses of a server come before the next server, and none twice', () => {
    const servers = [
      server('a', { addresses: ['192.0.2.1', '192.0.2.2'] }),
      server('b', { priority: 1, addresses: ['192.0.2.2', '192.0.2.3'] }),
    ]
    expect(tried(servers)).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3'])
  })
})

describe('what the set can send by', () => {
  test('its transports and its family of addresses', () => {
    const servers = [
      server('192.0.2.1', { transport: 'tls' }),
      server('2001:db8::1'),
      server('192.0.2.2', { transport: 'tcp' }),
    ]
    expect(flowsTo(servers, set, false, () => 0)).toEqual([
      { transport: 'tcp', host: '192.0.2.2', port: 5060, stream: '' },
    ])
    const six = { ...set, host: '::1' }
    expect(flowsTo(servers, six, false, () => 0).map(({ host }) => host)).toEqual(['2001:db8::1'])
  })

  test('26.2.2: for sips nothing but TLS', () => {
    const both = {
      ...set,
      listeners: [
        { ...set, transport: 'udp' as const },
        { ...set, transport: 'tls' as const },
      ],
    }
    const servers = [server('192.0.2.1'), server('192.0.2.2', { transport: 'tls', port: 5061 })]
    expect(flowsTo(servers, both, true, () => 0).map(({ host }) => host)).toEqual(['192.0.2.2'])
    expect(flowsTo(servers, set, true, () => 0)).toEqual([])
  })
})
