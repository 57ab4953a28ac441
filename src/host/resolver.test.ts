import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Place } from '../proxy/locate.ts'
import { NameResolver } from './resolver.ts'
import { DnsServer } from './testing/dns-server.ts'
import type { DnsRecord } from './testing/dns-server.ts'

const HOST = '127.40.7.1'

let dns: DnsServer
let resolver: NameResolver
beforeEach(async () => {
  dns = new DnsServer()
  resolver = new NameResolver([{ host: HOST, port: await dns.open(HOST) }])
})
afterEach(() => {
  resolver.close()
  dns.close()
})

const place: Place = { host: 'example.com', port: null, transport: null }

function a(name: string, last: number, ttl = 30): DnsRecord {
  return { type: 'A', name, address: [192, 0, 2, last], ttl }
}

function srv(
  name: string,
  target: string,
  port: number,
  change: { priority?: number; weight?: number } = {},
): DnsRecord {
  return { type: 'SRV', name, target, port, priority: 0, weight: 0, ...change }
}

function naptr(service: string, order: number, replacement: string): DnsRecord {
  return { type: 'NAPTR', name: 'example.com', order, preference: 0, service, replacement }
}

/** `transport host:port` of each candidate, in order. */
async function found(change: Partial<Place> = {}): Promise<readonly string[] | string> {
  const { answer } = await resolver.find({ ...place, ...change })
  if (answer.kind !== 'found') return answer.kind
  return [...answer.candidates]
    .sort((one, two) => one.order - two.order || one.priority - two.priority)
    .map(({ transport, addresses, port }) => `${transport} ${addresses.join('+')}:${port}`)
}

describe('RFC 3263 4.1: the transport', () => {
  test('NAPTR says it, in its order; what is no service of SIP is passed over', async () => {
    dns.records = [
      naptr('SIP+D2U', 20, '_sip._udp.here.example.com'),
      naptr('SIP+D2T', 10, '_sip._tcp.here.example.com'),
      naptr('SIPS+D2T', 30, '_sips._tcp.here.example.com'),
      naptr('E2U+email', 1, 'mail.example.com'),
      srv('_sip._udp.here.example.com', 'one.example.com', 5_070),
      srv('_sip._tcp.here.example.com', 'two.example.com', 5_080),
      a('one.example.com', 1),
      a('two.example.com', 2),
    ]
    expect(await found()).toEqual(['tcp 192.0.2.2:5080', 'udp 192.0.2.1:5070'])
  })

  test('without NAPTR: every SRV there is, TLS before TCP before UDP', async () => {
    dns.records = [
      srv('_sip._udp.example.com', 'one.example.com', 5_070),
      srv('_sips._tcp.example.com', 'one.example.com', 5_071),
      a('one.example.com', 1),
    ]
    expect(await found()).toEqual(['tls 192.0.2.1:5071', 'udp 192.0.2.1:5070'])
  })

  test('without either: UDP at the address', async () => {
    dns.records = [a('example.com', 1), a('example.com', 2)]
    expect(await found()).toEqual(['udp 192.0.2.1+192.0.2.2:5060'])
  })
})

describe('RFC 3263 4.2: port and address', () => {
  test('with a port nothing but the address is asked for', async () => {
    dns.records = [a('example.com', 1), srv('_sip._udp.example.com', 'other.example.com', 5_070)]
    expect(await found({ port: 5_090, transport: 'tcp' })).toEqual(['tcp 192.0.2.1:5090'])
    expect([...dns.asked].sort()).toEqual(['A example.com', 'AAAA example.com'])
  })

  test('with a transport its own SRV, and where that has none, its own port', async () => {
    dns.records = [srv('_sip._tcp.example.com', 'one.example.com', 5_070), a('one.example.com', 1), a('example.com', 2)]
    expect(await found({ transport: 'tcp' })).toEqual(['tcp 192.0.2.1:5070'])
    expect(await found({ transport: 'tls' })).toEqual(['tls 192.0.2.2:5061'])
  })

  test('priorities and weights are told as they are, addresses of both families, and a server without one is none', async () => {
    const six: DnsRecord = {
      type: 'AAAA',
      name: 'two.example.com',
      address: [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 7],
    }
    dns.records = [
      srv('_sip._udp.example.com', 'one.example.com', 5_070, { priority: 10, weight: 3 }),
      srv('_sip._udp.example.com', 'two.example.com', 5_070, { priority: 5, weight: 9 }),
      srv('_sip._udp.example.com', 'gone.example.com', 5_070),
      a('one.example.com', 1),
      a('two.example.com', 2),
      six,
    ]
    const { answer } = await resolver.find({ ...place, transport: 'udp' })
    const candidates = answer.kind === 'found' ? answer.candidates : []
    expect(candidates.map(({ priority, weight }) => [priority, weight]).sort()).toEqual([
      [10, 3],
      [5, 9],
    ])
    expect(await found({ transport: 'udp' })).toEqual(['udp 2001:db8::7+192.0.2.2:5070', 'udp 192.0.2.1:5070'])
  })
})

describe('how long it holds', () => {
  test('as long as the shortest of its addresses, within bounds', async () => {
    dns.records = [a('example.com', 1, 7), a('example.com', 2, 40)]
    expect((await resolver.find(place)).ttl).toBe(7_000_000)
    dns.records = [a('example.com', 1, 0)]
    expect((await resolver.find(place)).ttl).toBe(1_000_000)
    dns.records = [a('example.com', 1, 86_400)]
    expect((await resolver.find(place)).ttl).toBe(60_000_000)
  })
})

describe('what is not there', () => {
  test('no such name; and a service that says it is not there (RFC 2782)', async () => {
    expect(await found()).toBe('none')
    dns.records = [srv('_sip._udp.example.com', '.', 0), a('example.com', 1)]
    expect(await found({ transport: 'udp' })).toBe('none')
  })

  test('a server that answers nobody is given up', async () => {
    dns.answers = false
    const asked = found()
    resolver.close()
    expect(await asked).toBe('failed')
  })
})
