// Whether addresses are free, asked before anything is started: with `reusePort` a second binder would share a SIP address
// in silence, and a replica that fails later says less than `up` can say at once.

import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { printAddress } from './address.ts'
import type { Address } from './address.ts'
import type { ReplicaConfig, SetConfig } from './config.ts'
import { hostLimits } from './limits.ts'
import { boundBy, hasName, listenersOf } from './sip-addresses.ts'

/** Why the set can't listen where it should; null if it can. What a dead set's processes still hold is waited for. */
export async function portTrouble(config: SetConfig): Promise<string | null> {
  const until = performance.now() + hostLimits.addressFreeMs
  for (;;) {
    const trouble = await firstTrouble(config)
    if (trouble === null || performance.now() > until) return trouble
    await sleep(100)
  }
}

async function firstTrouble(config: SetConfig): Promise<string | null> {
  const listeners = hasName(config) ? config.replicas.flatMap((one) => boundBy(config, one)) : listenersOf(config)
  for (const { transport, ...address } of listeners) {
    const trouble = await (transport === 'udp' ? udpTrouble(address) : tcpTrouble(address))
    if (trouble !== null) return `the SIP address ${printAddress(address)} (${transport.toUpperCase()}) ${trouble}`
  }
  const claims: [string, string, Address][] = [['the admin address', '--admin', config.admin]]
  for (const { id, admin, peer } of config.replicas) {
    claims.push([`replica ${id}'s admin address`, '--admin', admin], [`replica ${id}'s peer address`, '--peer', peer])
  }
  for (const [what, option, address] of claims) {
    const trouble = await tcpTrouble(address)
    if (trouble !== null) return `${what} ${printAddress(address)} ${trouble}; give other ports with ${option}`
  }
  return null
}

/** Why one more replica can't listen where it should; null if it can. */
export async function replicaTrouble({ id, admin, peer, http }: ReplicaConfig): Promise<string | null> {
  for (const [what, address] of [
    ['admin', admin],
    ['peer', peer],
    ...(http === undefined ? [] : [['HTTP', http] as const]),
  ] as const) {
    const trouble = await tcpTrouble(address)
    if (trouble !== null) return `replica ${id}'s ${what} address ${printAddress(address)} ${trouble}`
  }
  return null
}

/** Binds without `reusePort`, which fails if anybody has the address, with `reusePort` or without. */
function udpTrouble({ host, port }: Address): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', ipv6Only: host.includes(':') })
    socket.once('error', (error) => {
      socket.close()
      resolve(inWords(error))
    })
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(null)))
  })
}

function tcpTrouble({ host, port }: Address): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(inWords(error)))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}

function inWords(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'is in use by another program'
    case 'EADDRNOTAVAIL':
      return 'is not an address of this machine'
    case 'EACCES':
      return 'needs more rights (a port below 1024)'
    default:
      return `can't be bound: ${error.message}`
  }
}
