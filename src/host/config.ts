// What a set is made of, as `up --print-config` prints it and `start --config` reads it: JSON. What each option may be is in
// config-options.ts; here is what they are together.

import { resolve } from 'node:path'
import type { NextHops } from '../call/contract.ts'
import { must } from '../base/assert.ts'
import { replicaId } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { CallBounds } from '../call/contract.ts'
import type { Durability } from '../replica/options.ts'
import { addressGroups } from '../sip/host.ts'
import { isLoopback, parseAddress, printAddress, printPlace } from './address.ts'
import type { Address, NextHop } from './address.ts'
import { adminTrouble, printAdminToken, readAdminToken } from './admin-token.ts'
import type { AdminTokenSetting } from './admin-token.ts'
import { printApplication, readApplications } from './application-config.ts'
import type { ApplicationConfig, PlainApplication } from './application-config.ts'
import { CONFIG } from './config-options.ts'
import { complaintsOf } from './config-shape.ts'
import { limits } from '../replica/limits.ts'
import { parseNextHops, printNextHops } from './next-hops.ts'
import type { NextHopSetting } from './next-hops.ts'
import { httpTrouble, PLAIN_HTTP, printHttp, readHttp } from './http-config.ts'
import type { HttpConfig } from './http-config.ts'
import { printRouter, readRouter } from './router-config.ts'
import type { PlainRouter, RouterConfig } from './router-config.ts'
import { readLifetime } from './lifetime-config.ts'
import type { LifetimeConfig, PlainLifetime } from './lifetime-config.ts'
import { addressesOf, hasName, listenTrouble } from './sip-addresses.ts'
import type { SipPlaces } from './sip-addresses.ts'
import { readPlaces } from './sip-config.ts'
import type { PlainPlaces } from './sip-config.ts'

export interface ReplicaConfig {
  readonly id: ReplicaId
  readonly admin: Address
  readonly peer: Address
  /** The IP address of its own that it listens at, where the set has a name (decision 0049). */
  readonly sip?: string
  /** Where its applications are reached by HTTP; absent = they are not. */
  readonly http?: Address
  /** Null: the log is in memory. */
  readonly data: string | null
}

export interface SetConfig extends SipPlaces, LifetimeConfig, AdminTokenSetting {
  /** For editors. */
  readonly $schema?: string
  /** The set's id: replicas, peers and data folders of another one are refused. */
  readonly set: string
  /** What its replicas show each other: 64 hexadecimal digits (peer-security.ts). */
  readonly secret: string
  readonly nextHop: NextHop | null
  /** All of them, if they are several. */
  readonly nextHops?: NextHops | undefined
  /** Whether the contacts of a 3xx of the next hop are called; absent = no. */
  readonly followRedirects?: boolean
  /** Blocks of addresses whose requests are relayed (decision 0026); absent = whoever reaches the SIP address, which is on loopback. */
  readonly allow?: readonly string[]
  /** How much one may ask of the set; what is left out has no bound. */
  readonly bounds?: CallBounds
  /** Who is asked for names (RFC 3263); absent = whom the machine asks. */
  readonly dns?: readonly Address[]
  /** What handles calls; absent = the set is a proxy. */
  readonly applications?: readonly ApplicationConfig[]
  /** Which of them a request is for that begins something; absent = the first one. */
  readonly router?: RouterConfig
  /** How they are reached by HTTP, where replicas have an address for it; absent = its defaults. */
  readonly http?: HttpConfig
  /** A capture server that gets a copy of each SIP message (HEP 3, UDP); absent = none does. */
  readonly hep?: Address
  readonly durability: Durability
  /** Of `up` itself. */
  readonly admin: Address
  /** In rising order of id. */
  readonly replicas: readonly ReplicaConfig[]
  /** When the log is compacted behind a snapshot, and how many entries are kept for followers that are behind; what is left
   * out has its default (replica/limits.ts). */
  readonly compaction: { readonly every?: number; readonly kept?: number }
  /** How many events are kept for those who follow them (decision 0032); 0 = none are made; left out: replica/limits.ts. */
  readonly events?: { readonly keep?: number }
  /** How many bytes are kept of what snapshots replace (history.ts); left out: limits.ts. */
  readonly history?: { readonly keep?: number }
  /** `most`: replicas behave as a release that reads no newer format (docs/UPGRADING.md). */
  readonly formats: { readonly most?: number }
  /** The age, in days, at which the set key has a successor (decision 0050); 0 = never; absent = its default. */
  readonly keyDays?: number
  /** Seconds until `up` starts a dead replica again; null = never. */
  readonly restart: number | null
}

/** A set larger than this only adds round trips: seven replicas outlive any three. */
export const MOST_REPLICAS = limits.replicas

/** Printed with two spaces, as a file for `--config`. */
export function printConfig(config: SetConfig): string {
  const replicas = config.replicas.map(({ id, admin, peer, sip, http, data }) => ({
    id,
    admin: printAddress(admin),
    peer: printAddress(peer),
    ...(sip === undefined ? {} : { sip }),
    ...(http === undefined ? {} : { http: printAddress(http) }),
    ...(data === null ? {} : { data }),
  }))
  const { $schema, set, secret, restart } = config
  const plain = {
    ...($schema === undefined ? {} : { $schema }),
    set,
    secret,
    sip: printPlace({ ...config.sip, transport: config.sipTransport ?? null }),
    ...(config.listen === undefined ? {} : { listen: config.listen.map(printPlace) }),
    ...(config.tls === undefined ? {} : { tls: config.tls }),
    nextHop: printNextHops(config),
    ...(config.followRedirects === true ? { followRedirects: true } : {}),
    ...(config.allow === undefined ? {} : { allow: config.allow }),
    ...(config.bounds === undefined ? {} : { bounds: config.bounds }),
    ...(config.dns === undefined ? {} : { dns: config.dns.map(printAddress) }),
    ...(config.applications === undefined ? {} : { applications: config.applications.map(printApplication) }),
    ...(config.router === undefined ? {} : { router: printRouter(config.router) }),
    ...(config.http === undefined ? {} : { http: printHttp(config.http) }),
    ...(config.hep === undefined ? {} : { hep: printAddress(config.hep) }),
    durability: config.durability,
    ...(Object.keys(config.compaction).length === 0 ? {} : { compaction: config.compaction }),
    ...(config.events === undefined ? {} : { events: config.events }),
    ...(config.history === undefined ? {} : { history: config.history }),
    ...(config.formats.most === undefined ? {} : { formats: config.formats }),
    ...(config.keyDays === undefined ? {} : { keyDays: config.keyDays }),
    maxCall: config.maxCall ?? 0,
    ...(config.probe === undefined ? {} : { probe: config.probe }),
    ...(config.sessionTimers === undefined ? {} : { sessionTimers: config.sessionTimers }),
    restart: restart ?? 'never',
    admin: printAddress(config.admin),
    ...printAdminToken(config),
    replicas,
  }
  return JSON.stringify(plain, null, 2)
}

/** Reads what `printConfig` printed, edited by a person perhaps. Relative data folders lie beside the file. An error is everything
 * that is wrong with it, each on a line. */
export function parseConfig(text: string, folder: string): Result<SetConfig, string> {
  const read = readText(text, folder)
  return read.ok ? read : err(read.error.join('\n  '))
}

/** The same with each complaint by itself. */
export function readText(text: string, folder: string): Result<SetConfig, readonly string[]> {
  const value = parseJson(text)
  if (!value.ok) return err([value.error])
  const complaints = complaintsOf(CONFIG, value.value, '').map(({ said }) => said)
  const file = value.value as ConfigFile
  if (complaints.length === 0) complaints.push(...replicaTroubles(file))
  if (complaints.length > 0) return err(complaints.map((said) => said.replaceAll(/[0-9a-f]{32,}/gi, HIDDEN)))
  const token = readAdminToken(file, folder)
  if (!token.ok) return err([token.error])
  const config = { ...readConfig(file, folder), ...token.value }
  const open = adminTrouble([config.admin, ...config.replicas.map(({ admin }) => admin)], config.adminToken)
  const clashes = [...(open === null ? [] : [open]), ...ownAddressTroubles(config), ...clashesOf(config)]
  return clashes.length === 0 ? ok(config) : err(clashes)
}

function parseJson(text: string): Result<unknown, string> {
  try {
    return ok(JSON.parse(text))
  } catch (error) {
    // A parser's complaint quotes ten characters on each side.
    return err(`it is not JSON: ${(error as Error).message.replaceAll(/[0-9a-f]{8,}/gi, HIDDEN)}`)
  }
}

/** Instead of what may be the secret, in the wrong place or cut short: complaints end up in logs. */
const HIDDEN = '(not shown)'

/** A config file whose values were checked one by one (config-options.ts). */
interface ConfigFile
  extends
    PlainPlaces,
    PlainLifetime,
    AdminTokenSetting,
    Pick<SetConfig, 'set' | 'secret' | 'allow' | 'bounds' | 'events' | 'history' | 'keyDays'>,
    Partial<Pick<SetConfig, 'followRedirects' | 'durability' | 'compaction' | 'formats'>> {
  readonly $schema?: string
  readonly nextHop?: string | null
  readonly dns?: readonly string[]
  readonly applications?: readonly PlainApplication[]
  readonly router?: PlainRouter
  readonly http?: Partial<HttpConfig>
  readonly hep?: string
  readonly restart?: number | 'never'
  readonly admin: string
  readonly replicas: readonly PlainReplica[]
}

interface PlainReplica {
  readonly id: number
  readonly admin: string
  readonly peer: string
  readonly sip?: string
  readonly http?: string
  readonly data?: string
}

function readConfig(file: ConfigFile, folder: string): SetConfig {
  const { $schema, set, secret, followRedirects, allow, bounds, dns, events, durability = 'wal', restart = 5 } = file
  return {
    ...($schema === undefined ? {} : { $schema }),
    set,
    secret,
    // Whether it may be reached from elsewhere is asked once options had their say (`reachTrouble`).
    ...readPlaces(file, folder),
    ...readNextHop(file.nextHop ?? null),
    ...(followRedirects === true ? { followRedirects } : {}),
    ...(allow === undefined ? {} : { allow }),
    ...(dns === undefined ? {} : { dns: dns.map(readAddress) }),
    ...(bounds === undefined ? {} : { bounds }),
    ...readLifetime(file),
    ...(file.keyDays === undefined ? {} : { keyDays: file.keyDays }),
    ...readApplications(file.applications, folder),
    ...readRouter(file.router, folder),
    ...readHttp(file.http),
    ...(file.hep === undefined ? {} : { hep: readAddress(file.hep) }),
    durability,
    admin: readAddress(file.admin),
    replicas: file.replicas.map((replica) => readReplica(replica, folder)),
    compaction: file.compaction ?? {},
    ...(events === undefined ? {} : { events }),
    ...(file.history === undefined ? {} : { history: file.history }),
    formats: file.formats ?? {},
    restart: restart === 'never' ? null : restart,
  }
}

function readReplica({ id, admin, peer, sip, http, data }: PlainReplica, folder: string): ReplicaConfig {
  return {
    id: replicaId(id),
    admin: readAddress(admin),
    // Who speaks there shows the set's secret first: it may be reached from other machines.
    peer: readAddress(peer),
    ...(sip === undefined ? {} : { sip: sip.toLowerCase() }),
    ...(http === undefined ? {} : { http: readAddress(http) }),
    data: data === undefined ? null : resolve(folder, data),
  }
}

function readAddress(text: string): Address {
  const address = parseAddress(text)
  return must(address.ok ? address.value : undefined, 'an address that was checked')
}

function readNextHop(text: string | null): NextHopSetting {
  if (text === null) return { nextHop: null }
  const hops = parseNextHops(text)
  return must(hops.ok ? hops.value : undefined, 'next hops that were checked')
}

/** What is wrong with the replicas together. */
function replicaTroubles({ replicas, durability = 'wal' }: ConfigFile): readonly string[] {
  return replicas.flatMap(({ id, data }, i) => {
    const said: string[] = []
    const wrong = (name: string, value: unknown, right: string): unknown =>
      said.push(`replicas[${i}].${name}: ${JSON.stringify(value) ?? 'it is missing'} should be ${right}`)
    const before = replicas[i - 1]
    if (before !== undefined && before.id >= id) wrong('id', id, `more than ${before.id}: ids rise`)
    if (durability === 'wal' && data === undefined) wrong('data', data, 'the path of a folder')
    if (durability === 'memory' && data !== undefined)
      wrong('data', data, 'left out: with durability "memory" nothing is kept on disk')
    return said
  })
}

export function isDurability(value: unknown): value is Durability {
  return value === 'wal' || value === 'memory'
}

/** Whether all replicas are on one machine, as those of an `up` are. */
export function isOneMachine({ replicas }: SetConfig): boolean {
  return new Set(replicas.map(({ peer }) => peer.host)).size === 1
}

/** Two listeners of one set on one TCP port, or two replicas in one data folder; null if there are none. */
export function clashOf(config: SetConfig): string | null {
  return clashesOf(config)[0] ?? null
}

function clashesOf(config: SetConfig): readonly string[] {
  const clashes: string[] = []
  const taken = new Map(addressesOf(config).map((address) => [printAddress(address), 'the SIP address']))
  const claims: [string, Address][] = [['the admin address of up', config.admin]]
  for (const { id, admin, peer, http } of config.replicas) {
    claims.push([`the admin address of replica ${id}`, admin], [`the peer address of replica ${id}`, peer])
    if (http !== undefined) claims.push([`the HTTP address of replica ${id}`, http])
  }
  for (const [what, address] of claims) {
    const text = printAddress(address)
    const other = taken.get(text)
    if (other !== undefined) clashes.push(`${text} is both ${other} and ${what}: give them different ports`)
    else taken.set(text, what)
  }
  return [...clashes, ...sharedData(config)]
}

/** Two replicas of one machine with one data folder; on machines of their own its name may be the same. */
function sharedData({ replicas }: SetConfig): readonly string[] {
  const shared: string[] = []
  const owners = new Map<string, ReplicaId>()
  for (const { id, peer, data } of replicas) {
    if (data === null) continue
    const place = `${isLoopback(peer.host) ? 'loopback' : peer.host} ${resolve(data)}`
    const other = owners.get(place)
    if (other === undefined) owners.set(place, id)
    else shared.push(`replicas ${other} and ${id} have the same data folder ${data}: give each its own`)
  }
  return shared
}

/** What is wrong with the addresses of their own that replicas have. */
function ownAddressTroubles(config: SetConfig): readonly string[] {
  const { replicas } = config
  const isNamed = hasName(config)
  return replicas.flatMap(({ sip }, i) => {
    const place = `replicas[${i}].sip`
    if (!isNamed) {
      return sip === undefined
        ? []
        : [`${place}: it should be left out: all replicas share the addresses of "sip" and "listen"`]
    }
    if (sip === undefined)
      return [`${place}: it is missing: the IP address that it listens at, since the set has a name`]
    const other = replicas.slice(0, i).find((one) => one.sip === sip)
    if (other !== undefined) return [`${place}: "${sip}" is that of replica ${other.id}: give each its own`]
    const first = replicas[0]?.sip ?? sip
    if (first.includes(':') === sip.includes(':')) return []
    return [`${place}: "${sip}" should be of the family of "${first}": any replica sends to any phone`]
  })
}

type Reach = SipPlaces & Pick<SetConfig, 'allow' | 'nextHop' | 'nextHops' | 'followRedirects' | 'http' | 'replicas'>

/** Why a SIP address can't be opened to those who may use it, or not used; null if all can. */
export function reachTrouble(config: Reach): string | null {
  return reachTroubles(config)[0] ?? null
}

/** All that is wrong there. */
export function reachTroubles(config: Reach): readonly string[] {
  const troubles = addressesOf(config).map((address) => addressTrouble(address, config.allow))
  if (config.followRedirects === true && config.nextHop === null) {
    troubles.push(
      'redirections are followed where they come from a next hop: give --next-hop HOST:PORT, or leave --follow-redirects out',
    )
  }
  const addresses = config.replicas.flatMap(({ http }) => http ?? [])
  troubles.push(httpTrouble(addresses, config.http ?? PLAIN_HTTP, config.tls !== undefined))
  const hops = config.nextHops?.flat() ?? (config.nextHop === null ? [] : [config.nextHop])
  troubles.push(listenTrouble(config, hops, addresses.length > 0 && config.http?.tls === true))
  return troubles.filter((trouble) => trouble !== null)
}

function addressTrouble(sip: Address, allow: SetConfig['allow']): string | null {
  const text = printAddress(sip)
  if (isUnspecified(sip.host)) {
    return `the SIP address ${text} is no address that a phone can answer to: give the one that phones reach`
  }
  if (isLoopback(sip.host) || allow !== undefined) return null
  return (
    `the SIP address ${text} is off loopback, and nothing says who may use it: it would be an open relay. ` +
    'Give --allow CIDR[,CIDR] (such as --allow 192.0.2.0/24), or "allow": ["192.0.2.0/24"] in the config file'
  )
}

function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || addressGroups(host)?.every((group) => group === 0) === true
}
