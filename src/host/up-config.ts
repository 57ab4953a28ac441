// From the command line of `up` (and a config file, if it names one) to the set that is meant.

import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { NextHops } from '../call/contract.ts'
import { replicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import type { CallBounds } from '../call/contract.ts'
import type { Durability } from '../replica/options.ts'
import type { Transport } from '../sip/transport.ts'
import type { Address, NextHop } from './address.ts'
import { readAppOption } from './application-config.ts'
import type { ApplicationConfig } from './application-config.ts'
import { readRouterOption } from './router-config.ts'
import type { RouterConfig } from './router-config.ts'
import type { TlsConfig } from './certificates.ts'
import { clashOf, parseConfig, printConfig, reachTrouble } from './config.ts'
import type { SetConfig } from './config.ts'
import type { Given } from './options.ts'
import { hasName } from './sip-addresses.ts'
import type { SipPlaces } from './sip-addresses.ts'
import type { Membership } from './peer-security.ts'
import {
  readAllow,
  readBase,
  readBoundsOption,
  readDns,
  readDurability,
  readHttpBase,
  readListen,
  readMaxCall,
  readNextHop,
  readReplicas,
  readRestart,
  readSip,
} from './settings.ts'
import { NEW_SET, replicaFolder, upTo } from './set-folder.ts'

/** What the command line says; a `config` without `set` and data folders, which the set's folder has. */
export interface UpPlan {
  /** From `--config`; its data folders are named there. Null: `data` has them. */
  readonly file: SetConfig | null
  /** Null: nobody says; those of the set that is there, or as many as a new one has. */
  readonly replicas: number | null
  readonly places: SipPlaces
  readonly nextHop: NextHop | null
  readonly nextHops?: NextHops | undefined
  readonly followRedirects: boolean
  /** Null: nobody says. */
  readonly allow: readonly string[] | null
  readonly bounds: CallBounds | null
  readonly dns: readonly Address[] | null
  /** Null: nobody says. */
  readonly applications: readonly ApplicationConfig[] | null
  readonly router: RouterConfig | null
  /** 0 = never. */
  readonly maxCall: number | null
  readonly admin: Address
  readonly peer: Address
  /** Null: there is none. */
  readonly http: Address | null
  /** Null: a temporary folder. */
  readonly data: string | null
  readonly durability: Durability
  readonly restart: number | null
}

/** What the config file fixes for each replica, so that options can't. */
const IN_FILE = ['replicas', 'admin', 'peer', 'http', 'data', 'durability']

export function planUp(given: Given): Result<UpPlan, string> {
  const file = given.has('config') ? readConfigFile(given.get('config') ?? '') : ok(null)
  if (!file.ok) return file
  const twice = IN_FILE.find((name) => given.has(name))
  if (file.value !== null && twice !== undefined) {
    return err(`--${twice} can't be given with --config, whose file says it for each replica: change it there`)
  }
  const count = given.get('replicas')
  const replicas = count === undefined ? ok(null) : readReplicas(count)
  if (!replicas.ok) return replicas
  const places = planPlaces(given, file.value)
  if (!places.ok) return places
  const blocks = given.get('allow')
  const allow = blocks === undefined ? ok(null) : readAllow(blocks)
  if (!allow.ok) return allow
  const most = given.get('bounds')
  const bounds = most === undefined ? ok(null) : readBoundsOption(most)
  if (!bounds.ok) return bounds
  const servers = given.get('dns')
  const dns = servers === undefined ? ok(null) : readDns(servers)
  if (!dns.ok) return dns
  const modules = given.get('app')
  const applications = modules === undefined ? ok(null) : readAppOption(modules)
  if (!applications.ok) return applications
  const routed = given.get('router')
  const router = routed === undefined ? ok(null) : readRouterOption(routed)
  if (!router.ok) return router
  const age = given.get('max-call')
  const maxCall = age === undefined ? ok(null) : readMaxCall(age)
  if (!maxCall.ok) return maxCall
  const hop = given.get('next-hop')
  const nextHops = hop === undefined ? ok({ nextHop: null }) : readNextHop(hop)
  if (!nextHops.ok) return nextHops
  const admin = readBase('admin', given.get('admin') ?? '127.0.0.1:8060', replicas.value ?? NEW_SET)
  if (!admin.ok) return admin
  const peer = readBase('peer', given.get('peer') ?? '127.0.0.1:8160', replicas.value ?? NEW_SET)
  if (!peer.ok) return peer
  const web = given.get('http')
  const http = web === undefined ? ok(null) : readHttpBase(web, replicas.value ?? NEW_SET)
  if (!http.ok) return http
  const restart = readRestart(given.get('restart') ?? '5')
  if (!restart.ok) return restart
  const durability = readDurability(given.get('durability') ?? 'wal')
  if (!durability.ok) return durability
  if (durability.value === 'memory' && given.has('data')) {
    return err("--data can't be given with --durability memory, which keeps nothing on disk: leave one of them out")
  }
  const base = file.value
  const plan: UpPlan = {
    file: base,
    replicas: replicas.value,
    places: places.value,
    ...(base !== null && hop === undefined ? { nextHop: base.nextHop, nextHops: base.nextHops } : nextHops.value),
    followRedirects: given.has('follow-redirects') || base?.followRedirects === true,
    allow: allow.value ?? base?.allow ?? null,
    bounds: bounds.value ?? base?.bounds ?? null,
    dns: dns.value ?? base?.dns ?? null,
    applications: applications.value ?? base?.applications ?? null,
    router: router.value ?? base?.router ?? null,
    maxCall: maxCall.value ?? base?.maxCall ?? null,
    admin: base?.admin ?? admin.value,
    peer: peer.value,
    http: http.value,
    data: given.get('data') ?? null,
    durability: base?.durability ?? durability.value,
    restart: base !== null && !given.has('restart') ? base.restart : restart.value,
  }
  const trouble = troubleOf(configOf(plan, { set: '', secret: '' }, ''))
  return trouble === null ? ok(plan) : err(trouble)
}

/** Where it listens: the file's, but for what the command line says. */
function planPlaces(given: Given, file: SetConfig | null): Result<SipPlaces, string> {
  const named = given.get('sip')
  const sip = readSip(named ?? '127.0.0.10:5060')
  if (!sip.ok) return sip
  const more = given.get('listen')
  const listen = more === undefined ? ok(file?.listen) : readListen(more)
  if (!listen.ok) return listen
  const { transport, ...address } = sip.value
  const own =
    named === undefined && file !== null ? { ...placeOf(file) } : placeOf({ sip: address, sipTransport: transport })
  if (file !== null && hasName(file) && !hasName({ ...own, listen: listen.value ?? [] })) {
    return err("--sip and --listen can't give the replicas one address, for each has its own in the config file")
  }
  const tls = planTls(given, file)
  if (!tls.ok) return tls
  return ok({
    ...own,
    ...(listen.value === undefined ? {} : { listen: listen.value }),
    ...(tls.value === undefined ? {} : { tls: tls.value }),
  })
}

function placeOf({ sip, sipTransport }: { sip: Address; sipTransport?: Transport | null | undefined }): SipPlaces {
  return { sip, ...(sipTransport === null || sipTransport === undefined ? {} : { sipTransport }) }
}

function planTls(given: Given, file: SetConfig | null): Result<TlsConfig | undefined, string> {
  const [certificate, key, ca] = ['tls-cert', 'tls-key', 'tls-ca'].map((name) => given.get(name))
  if (certificate === undefined && key === undefined && ca === undefined) return ok(file?.tls)
  if ((certificate === undefined) !== (key === undefined)) return err('--tls-cert and --tls-key go together: give both')
  const pair =
    certificate === undefined || key === undefined ? null : { certificate: resolve(certificate), key: resolve(key) }
  const certificates = pair === null ? file?.tls?.certificates : [pair]
  if (certificates === undefined) return err('--tls-ca without a certificate: give --tls-cert and --tls-key too')
  const authority = ca === undefined ? (file?.tls?.ca ?? null) : resolve(ca)
  return ok({
    certificates,
    ca: authority,
    minVersion: file?.tls?.minVersion ?? 'TLSv1.2',
    clients: file?.tls?.clients ?? (authority === null ? 'ignore' : 'ask'),
    names: file?.tls?.names ?? {},
  })
}

function troubleOf(config: SetConfig): string | null {
  return reachTrouble(config) ?? clashOf(config)
}

/** The whole set, once its id, its secret, the folder of its data and perhaps its replicas are known. */
export function configOf(
  plan: UpPlan,
  { set, secret, replicas: known }: Membership & { readonly replicas?: readonly number[] },
  folder: string,
): SetConfig {
  const { file, places, nextHop, nextHops, durability, admin, peer, http, restart } = plan
  const allow = plan.allow === null ? {} : { allow: plan.allow }
  const optional = {
    ...allow,
    ...(plan.followRedirects ? { followRedirects: true } : {}),
    ...(plan.bounds === null ? {} : { bounds: plan.bounds }),
    ...(plan.dns === null ? {} : { dns: plan.dns }),
    ...(plan.applications === null ? {} : { applications: plan.applications }),
    ...(plan.router === null ? {} : { router: plan.router }),
    ...(plan.maxCall === null ? {} : { maxCall: plan.maxCall }),
  }
  if (file !== null) return { ...file, ...places, nextHop, nextHops, ...optional, restart }
  const replicas = (known ?? upTo(plan.replicas ?? NEW_SET)).map((id) => ({
    id: replicaId(id),
    admin: { host: admin.host, port: admin.port + id },
    peer: { host: peer.host, port: peer.port + id },
    ...(http === null ? {} : { http: { host: http.host, port: http.port + id } }),
    data: durability === 'memory' ? null : replicaFolder(folder, id),
  }))
  const hops = nextHops === undefined ? { nextHop } : { nextHop, nextHops }
  return {
    set,
    secret,
    ...places,
    ...hops,
    ...optional,
    durability,
    admin,
    replicas,
    compaction: {},
    formats: {},
    restart,
  }
}

/** A config file, with its folder as the place of relative paths. */
export function readConfigFile(path: string): Result<SetConfig, string> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return err(`--config ${path}: ${(error as Error).message}`)
  }
  const config = parseConfig(text, dirname(resolve(path)))
  return config.ok ? config : err(`--config ${path}: ${config.error}`)
}

/** The set as it is now, in place of the old file at once, or not at all. */
export async function writeConfigFile(path: string, config: SetConfig): Promise<void> {
  await writeFile(`${path}.new`, `${printConfig(config)}\n`, { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
}
