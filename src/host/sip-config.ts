// The part of the config file that says where a set listens, and with which certificates: of values that were checked
// (config-options.ts).

import { resolve } from 'node:path'
import { must } from '../base/assert.ts'
import { parseOwnPlace } from './address.ts'
import type { TlsConfig } from './certificates.ts'
import type { SipAddress, SipPlaces } from './sip-addresses.ts'

export interface PlainPlaces {
  readonly sip: string
  readonly listen?: readonly string[]
  readonly tls?: Pick<TlsConfig, 'certificates'> & Partial<TlsConfig>
}

/** `sip`, `listen` and `tls`; relative paths lie beside the file. */
export function readPlaces({ sip, listen, tls }: PlainPlaces, folder: string): SipPlaces {
  const { transport, ...address } = readPlace(sip)
  return {
    sip: address,
    ...(transport === null ? {} : { sipTransport: transport }),
    ...(listen === undefined ? {} : { listen: listen.map(readPlace) }),
    ...(tls === undefined ? {} : { tls: readTls(tls, folder) }),
  }
}

function readPlace(text: string): SipAddress {
  const address = parseOwnPlace(text)
  return must(address.ok ? address.value : undefined, 'an address that was checked')
}

function readTls(
  { certificates, ca = null, minVersion = 'TLSv1.2', clients, names = {} }: NonNullable<PlainPlaces['tls']>,
  folder: string,
): TlsConfig {
  return {
    certificates: certificates.map(({ certificate, key }) => ({
      certificate: resolve(folder, certificate),
      key: resolve(folder, key),
    })),
    ca: ca === null ? null : resolve(folder, ca),
    minVersion,
    clients: clients ?? (ca === null ? 'ignore' : 'ask'),
    names,
  }
}
