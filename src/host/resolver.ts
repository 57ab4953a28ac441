// Names into servers (RFC 3263 4.1, 4.2), by Node's own resolver (c-ares): NAPTR, then SRV, then A and AAAA. What is found goes into the
// replica as an input; this keeps nothing. Node doesn't tell how long a NAPTR or SRV record holds, so no answer holds longer than
// `hostLimits.nameMostMs`.

import { Resolver } from 'node:dns/promises'
import { millis } from '../base/instant.ts'
import type { Duration } from '../base/instant.ts'
import type { Candidate, Located, Place } from '../proxy/locate.ts'
import { defaultPort } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'
import { printAddress } from './address.ts'
import type { Address } from './address.ts'
import { hostLimits } from './limits.ts'

/** What DNS said, and for how long. */
export interface Finding {
  readonly answer: Located
  readonly ttl: Duration
}

/** One SRV record, or what stands for it. */
interface Server {
  readonly transport: Transport
  readonly order: number
  readonly priority: number
  readonly weight: number
  readonly name: string
  readonly port: number
}

/** RFC 3263 4.1: the services of NAPTR, and how each is asked for as SRV. RFC 7118 6 has those of WebSocket, which is for clients. */
const SERVICES: readonly { readonly naptr: string; readonly srv: string; readonly transport: Transport }[] = [
  { naptr: 'sips+d2t', srv: '_sips._tcp', transport: 'tls' },
  { naptr: 'sip+d2t', srv: '_sip._tcp', transport: 'tcp' },
  { naptr: 'sip+d2u', srv: '_sip._udp', transport: 'udp' },
]

/** There is no such record, which is an answer. */
const NOTHING: readonly string[] = ['ENOTFOUND', 'ENODATA']

export class NameResolver {
  readonly #dns: Resolver

  /** No servers: those of the machine (resolv.conf). */
  constructor(servers: readonly Address[]) {
    this.#dns = new Resolver({ timeout: hostLimits.dnsTryMs, tries: hostLimits.dnsTries })
    if (servers.length > 0) this.#dns.setServers(servers.map(printAddress))
  }

  /** Never rejects, and takes no longer than `hostLimits.dnsMs`. */
  async find(place: Place): Promise<Finding> {
    const late = Promise.withResolvers<Finding>()
    const timer = setTimeout(() => late.resolve(finding({ kind: 'failed' }, hostLimits.nameFailedMs)), hostLimits.dnsMs)
    try {
      return await Promise.race([this.#find(place), late.promise])
    } catch {
      return finding({ kind: 'failed' }, hostLimits.nameFailedMs)
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    this.#dns.cancel()
  }

  async #find(place: Place): Promise<Finding> {
    const servers = (await this.#servers(place)).slice(0, hostLimits.servers)
    let ttl: number = hostLimits.nameMostMs
    const found = await Promise.all(
      servers.map(async ({ name, ...server }): Promise<Candidate> => {
        const addresses = await this.#addresses(name)
        for (const one of addresses) ttl = Math.min(ttl, Math.max(one.ttl * 1_000, hostLimits.nameLeastMs))
        return { ...server, addresses: addresses.map(({ address }) => address) }
      }),
    )
    const candidates = found.filter(({ addresses }) => addresses.length > 0)
    if (candidates.length === 0) return finding({ kind: 'none' }, hostLimits.nameNoneMs)
    return finding({ kind: 'found', candidates }, ttl)
  }

  async #servers(place: Place): Promise<readonly Server[]> {
    const { host, port, transport } = place
    const direct = { order: 0, priority: 0, weight: 0, name: host }
    if (port !== null) return [{ ...direct, port, transport: transport ?? 'udp' }]
    if (transport !== null) {
      const srv = SERVICES.find((one) => one.transport === transport)?.srv
      const named = srv === undefined ? null : await this.#srv(`${srv}.${host}`, transport, 0)
      return named ?? [{ ...direct, port: defaultPort(transport), transport }]
    }
    const byNaptr = await this.#naptr(host)
    if (byNaptr.length > 0) return byNaptr
    const all = await Promise.all(SERVICES.map(({ srv, transport: by }, i) => this.#srv(`${srv}.${host}`, by, i)))
    if (all.some((servers) => servers !== null)) return all.flatMap((servers) => servers ?? [])
    return [{ ...direct, port: defaultPort('udp'), transport: 'udp' }]
  }

  /** Those whose replacement is the domain name of SRV records (flag `s`). */
  async #naptr(host: string): Promise<readonly Server[]> {
    // Some servers answer what they don't know with an error.
    const records = await orNothing(this.#dns.resolveNaptr(host), [...NOTHING, 'ENOTIMP', 'ESERVFAIL', 'EREFUSED'])
    const known = records.flatMap(({ flags, service, order, preference, replacement }) => {
      const by = SERVICES.find(({ naptr }) => naptr === service.toLowerCase())
      return by === undefined || flags.toLowerCase() !== 's' ? [] : [{ by, order, preference, replacement }]
    })
    known.sort((a, b) => a.order - b.order || a.preference - b.preference)
    const chosen = known.slice(0, hostLimits.servers)
    const found = await Promise.all(chosen.map(({ by, replacement }, i) => this.#srv(replacement, by.transport, i)))
    return found.flatMap((servers) => servers ?? [])
  }

  /** Null: there are no such records. A target `.` says that the service is not there (RFC 2782). */
  async #srv(name: string, transport: Transport, order: number): Promise<readonly Server[] | null> {
    const records = await orNothing(this.#dns.resolveSrv(name))
    if (records.length === 0) return null
    return records.flatMap(({ name: target, port, priority, weight }) =>
      target === '' || target === '.' ? [] : [{ transport, order, priority, weight, port, name: target }],
    )
  }

  async #addresses(name: string): Promise<readonly { readonly address: string; readonly ttl: number }[]> {
    const [six, four] = await Promise.all([
      orNothing(this.#dns.resolve6(name, { ttl: true })),
      orNothing(this.#dns.resolve4(name, { ttl: true })),
    ])
    return [...six, ...four].slice(0, hostLimits.servers)
  }
}

async function orNothing<T>(asked: Promise<readonly T[]>, nothing = NOTHING): Promise<readonly T[]> {
  try {
    return await asked
  } catch (error) {
    if (nothing.includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

function finding(answer: Located, ms: number): Finding {
  return { answer, ttl: millis(ms) }
}
