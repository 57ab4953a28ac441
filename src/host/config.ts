// What a set is made of, as `up --print-config` prints it and `start --config` reads it: JSON, with every value checked
// and every complaint naming the place.

import { isAbsolute, resolve } from 'node:path'
import type { NextHops } from '../call/contract.ts'
import { MOST_PLACE, replicaId } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { CallBounds } from '../call/contract.ts'
import type { Durability } from '../replica/options.ts'
import { parseBlock } from '../proxy/access.ts'
import { addressGroups } from '../sip/host.ts'
import { KNOWN_FORMATS, NEWEST_FORMAT, OLDEST_FORMAT, reads } from '../wire/formats.ts'
import { isLoopback, parseAddress, printAddress, printPlace } from './address.ts'
import type { Address, NextHop } from './address.ts'
import { printApplication, readApplications } from './application-config.ts'
import type { ApplicationConfig } from './application-config.ts'
import { readBounds } from './bounds.ts'
import { limits } from '../replica/limits.ts'
import { parseNextHops, printNextHops } from './next-hops.ts'
import type { NextHopSetting } from './next-hops.ts'
import { ConfigError, fields, only, wrong } from './config-fields.ts'
import { httpTrouble, PLAIN_HTTP, printHttp, readHttp } from './http-config.ts'
import type { HttpConfig } from './http-config.ts'
import { hostLimits } from './limits.ts'
import { printRouter, readRouter } from './router-config.ts'
import type { RouterConfig } from './router-config.ts'
import { readLifetime } from './lifetime-config.ts'
import type { LifetimeConfig } from './lifetime-config.ts'
import { addressesOf, listenTrouble } from './sip-addresses.ts'
import type { SipPlaces } from './sip-addresses.ts'
import { readPlaces } from './sip-config.ts'
import { isSecret } from './peer-security.ts'

export interface ReplicaConfig {
  readonly id: ReplicaId
  readonly admin: Address
  readonly peer: Address
  /** Where its applications are reached by HTTP; absent = they are not. */
  readonly http?: Address
  /** Null: the log is in memory. */
  readonly data: string | null
}

export interface SetConfig extends SipPlaces, LifetimeConfig {
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
  /** `most`: replicas behave as a release that reads no newer format (docs/UPGRADING.md). */
  readonly formats: { readonly most?: number }
  /** Seconds until `up` starts a dead replica again; null = never. */
  readonly restart: number | null
}

/** A set larger than this only adds round trips: seven replicas outlive any three. */
export const MOST_REPLICAS = limits.replicas

/** Printed with two spaces, as a file for `--config`. */
export function printConfig(config: SetConfig): string {
  const replicas = config.replicas.map(({ id, admin, peer, http, data }) => ({
    id,
    admin: printAddress(admin),
    peer: printAddress(peer),
    ...(http === undefined ? {} : { http: printAddress(http) }),
    ...(data === null ? {} : { data }),
  }))
  const { set, secret, restart } = config
  const plain = {
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
    durability: config.durability,
    ...(Object.keys(config.compaction).length === 0 ? {} : { compaction: config.compaction }),
    ...(config.events === undefined ? {} : { events: config.events }),
    ...(config.formats.most === undefined ? {} : { formats: config.formats }),
    maxCall: config.maxCall ?? 0,
    ...(config.probe === undefined ? {} : { probe: config.probe }),
    ...(config.sessionTimers === undefined ? {} : { sessionTimers: config.sessionTimers }),
    restart: restart ?? 'never',
    admin: printAddress(config.admin),
    replicas,
  }
  return JSON.stringify(plain, null, 2)
}

/** Reads what `printConfig` printed, edited by a person perhaps. Relative data folders lie beside the file. */
export function parseConfig(text: string, folder: string): Result<SetConfig, string> {
  try {
    const value: unknown = JSON.parse(text)
    return ok(readConfig(fields(value, 'the file'), folder))
  } catch (error) {
    const { message } = error as Error
    // A parser's complaint quotes ten characters on each side.
    if (error instanceof SyntaxError) return err(`it is not JSON: ${message.replaceAll(/[0-9a-f]{8,}/gi, HIDDEN)}`)
    return err(message.replaceAll(/[0-9a-f]{32,}/gi, HIDDEN))
  }
}

const KEYS = [
  'set',
  'secret',
  'sip',
  'listen',
  'tls',
  'nextHop',
  'followRedirects',
  'allow',
  'bounds',
  'dns',
  'applications',
  'router',
  'http',
  'durability',
  'compaction',
  'events',
  'formats',
  'maxCall',
  'probe',
  'sessionTimers',
  'restart',
  'admin',
  'replicas',
]
const REPLICA_KEYS = ['id', 'admin', 'peer', 'http', 'data']

/** Instead of what may be the secret, in the wrong place or cut short: complaints end up in logs. */
const HIDDEN = '(not shown)'

function readConfig(value: Record<string, unknown>, folder: string): SetConfig {
  only(value, KEYS, 'the file')
  const set = value['set']
  if (typeof set !== 'string' || !/^[0-9a-f]{16}$/.test(set)) wrong('set', set, '16 lower-case hexadecimal digits')
  const secret = value['secret']
  if (!isSecret(secret)) {
    throw new ConfigError(
      'secret: it should be 64 lower-case hexadecimal digits, the same for all replicas, as from openssl rand -hex 32',
    )
  }
  const durability = value['durability'] ?? 'wal'
  if (!isDurability(durability)) wrong('durability', durability, '"wal" or "memory"')
  const list = value['replicas']
  if (!Array.isArray(list) || list.length < 1 || list.length > MOST_REPLICAS) {
    wrong('replicas', list, `an array of 1 to ${MOST_REPLICAS} replicas`)
  }
  const replicas = list.map((item: unknown, i) => readReplica(fields(item, `replicas[${i}]`), i, folder, durability))
  const config: SetConfig = {
    set,
    secret,
    // Whether it may be reached from elsewhere is asked once options had their say (`reachTrouble`).
    ...readPlaces(value, folder),
    ...readNextHop(value['nextHop']),
    ...(readFlag(value['followRedirects'], 'followRedirects') ? { followRedirects: true } : {}),
    ...readAllow(value['allow']),
    ...readDns(value['dns']),
    ...(value['bounds'] === undefined ? {} : { bounds: boundsOf(value['bounds']) }),
    ...readLifetime(value),
    ...readApplications(value['applications'], folder),
    ...readRouter(value['router'], folder),
    ...readHttp(value['http']),
    durability,
    admin: readAddress(value['admin'], 'admin'),
    replicas,
    compaction: readCompaction(value['compaction']),
    ...readEvents(value['events']),
    formats: readFormats(value['formats']),
    restart: readRestart(value['restart']),
  }
  for (const [i, { id }] of replicas.entries()) {
    const before = replicas[i - 1]
    if (before !== undefined && before.id >= id) wrong(`replicas[${i}].id`, id, `more than ${before.id}: ids rise`)
  }
  const clash = clashOf(config)
  if (clash !== null) throw new ConfigError(clash)
  return config
}

function readReplica(value: Record<string, unknown>, i: number, folder: string, durability: Durability): ReplicaConfig {
  const place = `replicas[${i}]`
  only(value, REPLICA_KEYS, place)
  const { id, data } = value
  if (!Number.isInteger(id) || (id as number) < 1 || (id as number) > MOST_PLACE) {
    wrong(`${place}.id`, id, `a whole number from 1 to ${MOST_PLACE}`)
  }
  return {
    id: replicaId(id as number),
    admin: readAddress(value['admin'], `${place}.admin`),
    // Who speaks there shows the set's secret first: it may be reached from other machines.
    peer: readAnyAddress(value['peer'], `${place}.peer`),
    ...(value['http'] === undefined ? {} : { http: readAnyAddress(value['http'], `${place}.http`) }),
    data: readData(data, `${place}.data`, folder, durability),
  }
}

function readData(value: unknown, place: string, folder: string, durability: Durability): string | null {
  if (durability === 'memory') {
    if (value !== undefined) wrong(place, value, 'left out: with durability "memory" nothing is kept on disk')
    return null
  }
  if (typeof value !== 'string' || value === '') wrong(place, value, 'the path of a folder')
  return isAbsolute(value) ? value : resolve(folder, value)
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
  const taken = new Map(addressesOf(config).map((address) => [printAddress(address), 'the SIP address']))
  const claims: [string, Address][] = [['the admin address of up', config.admin]]
  for (const { id, admin, peer, http } of config.replicas) {
    claims.push([`the admin address of replica ${id}`, admin], [`the peer address of replica ${id}`, peer])
    if (http !== undefined) claims.push([`the HTTP address of replica ${id}`, http])
  }
  for (const [what, address] of claims) {
    const text = printAddress(address)
    const other = taken.get(text)
    if (other !== undefined) return `${text} is both ${other} and ${what}: give them different ports`
    taken.set(text, what)
  }
  return sharedData(config)
}

/** Two replicas of one machine with one data folder; on machines of their own its name may be the same. */
function sharedData({ replicas }: SetConfig): string | null {
  const owners = new Map<string, ReplicaId>()
  for (const { id, peer, data } of replicas) {
    if (data === null) continue
    const place = `${isLoopback(peer.host) ? 'loopback' : peer.host} ${resolve(data)}`
    const other = owners.get(place)
    if (other !== undefined) return `replicas ${other} and ${id} have the same data folder ${data}: give each its own`
    owners.set(place, id)
  }
  return null
}

function readAddress(value: unknown, place: string): Address {
  const address = readAnyAddress(value, place)
  if (!isLoopback(address.host)) throw new ConfigError(`${place}: ${offLoopback(printAddress(address))}`)
  return address
}

function readAnyAddress(value: unknown, place: string): Address {
  if (typeof value !== 'string') wrong(place, value, '"HOST:PORT"')
  const address = parseAddress(value)
  if (!address.ok) throw new ConfigError(`${place}: ${address.error}`)
  return address.value
}

/** The complaint about an address that others can reach. */
export function offLoopback(text: string): string {
  return `"${text}" is off loopback, which is not built yet; use 127.x.y.z or [::1]`
}

function readAllow(value: unknown): Pick<SetConfig, 'allow'> {
  if (value === undefined) return {}
  const right = 'a list of blocks of addresses, as ["192.0.2.0/24", "2001:db8::/32"]'
  if (!Array.isArray(value) || value.length === 0) wrong('allow', value, right)
  const blocks: string[] = []
  for (const [i, text] of value.entries()) {
    if (typeof text !== 'string') wrong(`allow[${i}]`, text, 'a block of addresses, as "192.0.2.0/24"')
    const block = parseBlock(text)
    if (!block.ok) throw new ConfigError(`allow[${i}]: ${block.error}`)
    blocks.push(text)
  }
  return { allow: blocks }
}

function readFlag(value: unknown, place: string): boolean {
  if (value !== undefined && typeof value !== 'boolean') wrong(place, value, 'true or false')
  return value === true
}

function boundsOf(value: unknown): CallBounds {
  const bounds = readBounds(fields(value, 'bounds'))
  if (!bounds.ok) throw new ConfigError(`bounds: ${bounds.error}`)
  return bounds.value
}

function readDns(value: unknown): Pick<SetConfig, 'dns'> {
  if (value === undefined) return {}
  if (!Array.isArray(value) || value.length === 0) wrong('dns', value, 'a list of "HOST:PORT" of DNS servers')
  return { dns: value.map((one: unknown, i) => readAnyAddress(one, `dns[${i}]`)) }
}

/** Why a SIP address can't be opened to those who may use it, or not used; null if all can. */
export function reachTrouble(
  config: SipPlaces & Pick<SetConfig, 'allow' | 'nextHop' | 'nextHops' | 'followRedirects' | 'http' | 'replicas'>,
): string | null {
  for (const address of addressesOf(config)) {
    const trouble = addressTrouble(address, config.allow)
    if (trouble !== null) return trouble
  }
  if (config.followRedirects === true && config.nextHop === null) {
    return 'redirections are followed where they come from a next hop: give --next-hop HOST:PORT, or leave --follow-redirects out'
  }
  const addresses = config.replicas.flatMap(({ http }) => http ?? [])
  const http = httpTrouble(addresses, config.http ?? PLAIN_HTTP, config.tls !== undefined)
  if (http !== null) return http
  const hops = config.nextHops?.flat() ?? (config.nextHop === null ? [] : [config.nextHop])
  return listenTrouble(config, hops, addresses.length > 0 && config.http?.tls === true)
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

function readNextHop(value: unknown): NextHopSetting {
  if (value === null || value === undefined) return { nextHop: null }
  if (typeof value !== 'string')
    wrong('nextHop', value, '"HOST:PORT" or a name, perhaps with ;transport=tcp, several with , and |, or null')
  const hop = parseNextHops(value)
  if (!hop.ok) throw new ConfigError(`nextHop: ${hop.error}`)
  return hop.value
}

function readCompaction(value: unknown): SetConfig['compaction'] {
  if (value === undefined) return {}
  const given = fields(value, 'compaction')
  only(given, ['every', 'kept'], 'compaction')
  return {
    // A log that reaches its limit first takes no new calls.
    ...readCount(given, 'compaction.every', [100_000, hostLimits.logBytes / 2], 'bytes'),
    ...readCount(given, 'compaction.kept', [100, 1_000_000], 'entries'),
  }
}

function readEvents(value: unknown): Pick<SetConfig, 'events'> {
  if (value === undefined) return {}
  const given = fields(value, 'events')
  only(given, ['keep'], 'events')
  return { events: readCount(given, 'events.keep', [0, 1_000_000], 'events') }
}

type Bounds = readonly [least: number, most: number]

function readCount(
  given: Record<string, unknown>,
  place: string,
  [least, most]: Bounds,
  unit: string,
): Record<string, number> {
  const name = place.slice(place.indexOf('.') + 1)
  const value = given[name]
  if (value === undefined) return {}
  const isCount = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
  if (!isCount) wrong(place, value, `a whole number from ${least} to ${most}, of ${unit}`)
  return { [name]: value as number }
}

function readFormats(value: unknown): SetConfig['formats'] {
  if (value === undefined) return {}
  const given = fields(value, 'formats')
  only(given, ['most'], 'formats')
  const { most } = given
  if (most === undefined) return {}
  const right = `a format that this release reads: ${OLDEST_FORMAT} to ${NEWEST_FORMAT}`
  if (typeof most !== 'number' || !reads(KNOWN_FORMATS, most)) wrong('formats.most', most, right)
  return { most }
}

function readRestart(value: unknown): number | null {
  if (value === 'never') return null
  if (value === undefined) return 5
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) wrong('restart', value, 'seconds, or "never"')
  return value
}
