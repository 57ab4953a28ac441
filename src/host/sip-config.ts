// The part of the config file that says where a set listens, and with which certificates.

import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { parsePlace } from './address.ts'
import type { TlsConfig } from './certificates.ts'
import { ConfigError, fields, only, wrong } from './config-fields.ts'
import type { SipAddress, SipPlaces } from './sip-addresses.ts'

/** `sip`, `listen` and `tls`; relative paths lie beside the file. */
export function readPlaces(value: Record<string, unknown>, folder: string): SipPlaces {
  const { sip, listen, tls } = value
  const { transport, ...address } = readPlace(sip, 'sip')
  if (listen !== undefined && !Array.isArray(listen))
    wrong('listen', listen, 'a list of "HOST:PORT;transport=tls" and the like')
  return {
    sip: address,
    ...(transport === null ? {} : { sipTransport: transport }),
    ...(listen === undefined ? {} : { listen: listen.map((place: unknown, i) => readPlace(place, `listen[${i}]`)) }),
    ...(tls === undefined ? {} : { tls: readTls(fields(tls, 'tls'), folder) }),
  }
}

function readPlace(value: unknown, place: string): SipAddress {
  if (typeof value !== 'string') wrong(place, value, '"HOST:PORT"')
  const address = parsePlace(value)
  if (!address.ok) throw new ConfigError(`${place}: ${address.error}`)
  return address.value
}

function readTls(value: Record<string, unknown>, folder: string): TlsConfig {
  only(value, ['certificates', 'ca', 'minVersion', 'clients', 'names'], 'tls')
  const { certificates, ca = null, minVersion = 'TLSv1.2', clients, names = {} } = value
  const file = (path: unknown, place: string): string =>
    typeof path === 'string' && path !== '' ? resolve(folder, path) : wrong(place, path, 'the path of a PEM file')
  if (!Array.isArray(certificates) || certificates.length === 0) {
    wrong('tls.certificates', certificates, 'a list of {"certificate": FILE, "key": FILE}')
  }
  if (minVersion !== 'TLSv1.2' && minVersion !== 'TLSv1.3')
    wrong('tls.minVersion', minVersion, '"TLSv1.2" or "TLSv1.3"')
  const asked = clients ?? (ca === null ? 'ignore' : 'ask')
  if (asked !== 'ignore' && asked !== 'ask' && asked !== 'require') {
    wrong('tls.clients', clients, '"ignore", "ask" or "require"')
  }
  const named = fields(names, 'tls.names')
  for (const [address, name] of Object.entries(named)) {
    const isGood = isIP(address) !== 0 && typeof name === 'string' && name !== ''
    if (!isGood) wrong(`tls.names.${address}`, name, 'the name in the certificate of the server at that IP address')
  }
  return {
    certificates: certificates.map((pair: unknown, i) => {
      const place = `tls.certificates[${i}]`
      const one = fields(pair, place)
      only(one, ['certificate', 'key'], place)
      return { certificate: file(one['certificate'], `${place}.certificate`), key: file(one['key'], `${place}.key`) }
    }),
    ca: ca === null ? null : file(ca, 'tls.ca'),
    minVersion,
    clients: asked,
    names: named as Record<string, string>,
  }
}
