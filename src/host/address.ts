// HOST:PORT as people write it, IPv6 in brackets, and back.

import { isIP, isIPv4 } from 'node:net'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { TRANSPORTS, transportOfVia } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'

export interface Address {
  /** An IP address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** `host` may be a name, and then `port` 0: what DNS says (RFC 3263). */
export interface NextHop extends Address {
  /** Null: the transport that the request came on. */
  readonly transport: Transport | null
}

/** Reads `127.0.0.10:5060`, `[::1]:5060` or `localhost:5060`. */
export function parseAddress(text: string): Result<Address, string> {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  if (match === null) return err(`"${text}" is not HOST:PORT (such as 127.0.0.10:5060 or [::1]:5060)`)
  const host = (match[1] ?? match[2] ?? '').toLowerCase()
  const port = Number(match[3])
  if (port < 1 || port > 65_535) return err(`"${text}": a port lies in 1..65535`)
  if (match[1] !== undefined) {
    if (host.includes('%'))
      return err(`"${text}": a zone (%) means something on this machine only: give an address without`)
    return isIP(host) === 6 ? ok({ host, port }) : err(`"${text}": "${host}" is not an IPv6 address`)
  }
  if (host === 'localhost') return ok({ host: '127.0.0.1', port })
  if (isIPv4(host)) return ok({ host, port })
  return err(`"${text}": "${host}" is not an IP address, and a name may have several: give the address itself`)
}

/** A domain name, with a port or as DNS says it (SRV); one label alone only with a port. */
function parseName(text: string): Address | null {
  const match = /^((?:[a-z0-9_-]{1,63}\.)*[a-z0-9-]*[a-z][a-z0-9-]*)\.?(?::(\d{1,5}))?$/i.exec(text)
  if (match === null) return null
  const [, host = '', port] = match
  if (host.length > 253 || host.toLowerCase() === 'localhost' || (port === undefined && !host.includes('.')))
    return null
  const number = port === undefined ? 0 : Number(port)
  return number > 65_535 || (port !== undefined && number < 1) ? null : { host: host.toLowerCase(), port: number }
}

/** Reads an address with an optional `;transport=tcp`, or another one. */
export function parsePlace(text: string): Result<NextHop, string> {
  return withParameters(text, parseAddress)
}

/** Where a set listens: an address that its replicas share, or a name and a port, where each replica has an address of its own. */
export function parseOwnPlace(text: string): Result<NextHop, string> {
  return withParameters(text, (place) => {
    const name = parseName(place)
    if (name === null) return parseAddress(place)
    return name.port === 0
      ? err(`"${text}": a name wants the port that its replicas listen to: ${place}:5060`)
      : ok(name)
  })
}

/** Where a request may be sent: an address, or a name. */
export function parseNextHop(text: string): Result<NextHop, string> {
  return withParameters(text, (place) => {
    const name = parseName(place)
    return name === null ? parseAddress(place) : ok(name)
  })
}

function withParameters(text: string, read: (place: string) => Result<Address, string>): Result<NextHop, string> {
  const [place = '', ...parameters] = text.split(';')
  const address = read(place)
  if (!address.ok) return address
  if (parameters.length === 0) return ok({ ...address.value, transport: null })
  const match = /^transport=(\w+)$/i.exec(parameters.join(';'))
  const transport = transportOfVia(match?.[1] ?? '')
  if (transport === null) {
    return err(`"${text}": after HOST:PORT only ;transport= may stand, with ${TRANSPORTS.join(', ')}`)
  }
  return ok({ ...address.value, transport })
}

export function printAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export function printNextHop(hop: NextHop): string {
  return hop.port === 0 ? withTransport(hop.host, hop) : printPlace(hop)
}

export function printPlace(place: NextHop): string {
  return withTransport(printAddress(place), place)
}

function withTransport(text: string, { transport }: NextHop): string {
  return transport === null ? text : `${text};transport=${transport}`
}

export function isLoopback(host: string): boolean {
  return host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
