// What phones and set speak, and over which family of addresses; where such a set is, and how its own addresses are.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeAuthority } from '../../src/host/testing/certificates.ts'
import { parseAddress } from '../../src/host/address.ts'
import { place } from '../cluster/replica-set.ts'
import type { Place } from '../cluster/replica-set.ts'
import type { Trust } from '../cluster/wires.ts'
import type { Speaks } from '../../sim/ladder.ts'
import type { SocketAddress } from '../../sim/sip-network.ts'

export interface Way {
  readonly name: string
  readonly by: Speaks
  /** Sets for ways with the same `listens` are alike: over UDP and TCP, for what is too long for a datagram goes by TCP (18.1.1), or by
   * that one transport alone. */
  readonly listens: 'ipv4' | 'ipv6' | 'tls' | 'ws' | 'wss'
}

export const ways: readonly Way[] = [
  { name: 'udp', by: 'udp', listens: 'ipv4' },
  { name: 'tcp', by: 'tcp', listens: 'ipv4' },
  { name: 'udp6', by: 'udp', listens: 'ipv6' },
  { name: 'tcp6', by: 'tcp', listens: 'ipv6' },
  { name: 'tls', by: 'tls', listens: 'tls' },
  { name: 'ws', by: 'ws', listens: 'ws' },
  { name: 'wss', by: 'wss', listens: 'wss' },
]

/** The one of that name, or an error that says which there are. */
export function wayOf(word: string): Way {
  const way = ways.find(({ name }) => name === word)
  if (way !== undefined) return way
  throw new Error(`--ways ${word}: ${ways.map(({ name }) => name).join(', ')}, several with commas, or all`)
}

/** The addresses of a slot (replica-set.ts). IPv6 has one loopback address: there the ports are the slot's own. */
export function placeFor(slot: number, { listens }: Way): Place {
  const at = place(slot)
  if (listens !== 'ipv6') return at
  return { ...at, sip: `[::1]:${5_000 + slot}`, caller: '[::1]:5060', callee: `[::1]:${6_000 + 2 * slot}` }
}

export interface Keys {
  readonly trust: Trust
  /** More of the command line of the set. */
  readonly args: readonly string[]
}

/** Made for one set and its phones, whatever they speak. */
export function keysFor(at: Place, way: Way, folder: string): Keys {
  const authority = makeAuthority()
  const [set, ...phones] = [at.sip, at.caller, at.callee].map((text) => addressOf(text).host) as [string, ...string[]]
  const trust = { ca: authority.cert, ...authority.issue({ names: phones }) }
  if (way.listens !== 'tls' && way.listens !== 'wss') return { trust, args: [] }
  const own = authority.issue({ names: [set] })
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const [cert, key] = [file('set.pem', own.cert), file('set.key', own.key)]
  return { trust, args: ['--tls-cert', cert, '--tls-key', key, '--tls-ca', file('ca.pem', authority.cert)] }
}

/** What `--sip` says. */
export function listenAt(at: string, { listens }: Way): string {
  return listens === 'ipv4' || listens === 'ipv6' ? at : `${at};transport=${listens}`
}

export function addressOf(text: string): SocketAddress {
  const address = parseAddress(text)
  if (!address.ok) throw new Error(address.error)
  return address.value
}
