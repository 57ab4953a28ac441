// The part of a zone file (RFC 1035 5) that docs/deploy has: $ORIGIN, $TTL, comments, A and SRV.

import { must } from '../../src/base/assert.ts'
import type { DnsRecord } from '../../src/host/testing/dns-server.ts'

export function readZone(text: string): readonly DnsRecord[] {
  let [origin, ttl] = ['', 0]
  const full = (name: string): string => {
    if (name.endsWith('.')) return name.slice(0, -1)
    return name === '@' ? origin : `${name}.${origin}`
  }
  return text.split('\n').flatMap((line): readonly DnsRecord[] => {
    const words = line.replace(/;.*/, '').trim().split(/\s+/)
    const [first = '', second = '', type, ...data] = words
    if (first === '$ORIGIN') origin = second.replace(/\.$/, '')
    else if (first === '$TTL') ttl = Number(second)
    else if (first !== '') {
      const name = full(first)
      if (type === 'A') return [{ type, name, ttl, address: must(data[0], 'an address').split('.').map(Number) }]
      const [priority = 0, weight = 0, port = 0] = data.map(Number)
      if (type === 'SRV') return [{ type, name, priority, weight, port, target: full(must(data[3], 'a target')) }]
      throw new Error(`a zone file's line that isn't read here: ${line}`)
    }
    return []
  })
}
