// Where applications are reached by HTTP, as a config file and `--http` say it (decision 0036).

import { isLoopback, printAddress } from './address.ts'
import type { Address } from './address.ts'
import { ConfigError, fields, only, wrong } from './config-fields.ts'

export interface HttpConfig {
  /** Whether it is HTTPS, with the certificates of `tls`. */
  readonly tls: boolean
  /** As browsers see it, where that isn't the address itself (a proxy before the set): `https://calls.example.com`; null = as they say. */
  readonly origin: string | null
  /** Applications by path; the others are at `/NAME`. */
  readonly paths: Readonly<Record<string, string>>
  /** Off loopback without TLS: what is before the set has it. */
  readonly plain: boolean
}

export const PLAIN_HTTP: HttpConfig = { tls: false, origin: null, paths: {}, plain: false }

const KEYS = ['tls', 'origin', 'paths', 'plain']

export function readHttp(value: unknown): { readonly http?: HttpConfig } {
  if (value === undefined) return {}
  const given = fields(value, 'http')
  only(given, KEYS, 'http')
  const { tls = false, origin = null, plain = false } = given
  if (typeof tls !== 'boolean') wrong('http.tls', tls, 'true or false')
  if (typeof plain !== 'boolean') wrong('http.plain', plain, 'true or false')
  if (origin !== null && (typeof origin !== 'string' || !/^https?:\/\/[^/?#@\s]+$/.test(origin))) {
    wrong('http.origin', origin, 'what browsers show, as "https://calls.example.com"')
  }
  return { http: { tls, plain, origin, paths: readPaths(given['paths']) } }
}

function readPaths(value: unknown): HttpConfig['paths'] {
  if (value === undefined) return {}
  const paths: [string, string][] = []
  for (const [path, application] of Object.entries(fields(value, 'http.paths'))) {
    const place = `http.paths[${JSON.stringify(path)}]`
    if (!/^\/([\w.~-]+(\/[\w.~-]+)*)?$/.test(path)) throw new ConfigError(`${place}: a path is "/" or as "/calls"`)
    if (typeof application !== 'string' || application === '') wrong(place, application, 'the name of an application')
    paths.push([path, application])
  }
  return Object.fromEntries(paths)
}

/** As a config file has it: what isn't the default. */
export function printHttp({ tls, origin, paths, plain }: HttpConfig): Record<string, unknown> {
  return {
    ...(tls ? { tls } : {}),
    ...(origin === null ? {} : { origin }),
    ...(Object.keys(paths).length === 0 ? {} : { paths }),
    ...(plain ? { plain } : {}),
  }
}

/** What is wrong with serving HTTP there; null = nothing. */
export function httpTrouble(
  addresses: readonly Address[],
  { tls, plain }: HttpConfig,
  hasCertificates: boolean,
): string | null {
  if (tls && !hasCertificates)
    return '"http": {"tls": true} without certificates: give "tls", or --tls-cert and --tls-key'
  const open = addresses.find(({ host }) => !isLoopback(host))
  if (open === undefined || tls || plain) return null
  return (
    `the HTTP address ${printAddress(open)} is off loopback without TLS, and cookies could be read on the way: ` +
    'give "http": {"tls": true} in the config file, or {"plain": true} if a proxy before it has TLS'
  )
}
