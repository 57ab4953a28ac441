// Where applications are reached by HTTP, as a config file and `--http` say it (decision 0036).

import { isLoopback, printAddress } from './address.ts'
import type { Address } from './address.ts'

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

/** Of values that were checked (config-options.ts). */
export function readHttp(given: Partial<HttpConfig> | undefined): { readonly http?: HttpConfig } {
  return given === undefined ? {} : { http: { ...PLAIN_HTTP, ...given } }
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
