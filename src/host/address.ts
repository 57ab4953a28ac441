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
  return err(`"${text}": "${host}" is not an IP address; names are not looked up yet, so give the address itself`)
}

/** Reads an address with an optional `;transport=tcp`, or another one. */
export function parsePlace(text: string): Result<NextHop, string> {
  const [place = '', ...parameters] = text.split(';')
  const address = parseAddress(place)
  if (!address.ok) return address
  if (parameters.length === 0) return ok({ ...address.value, transport: null })
  const match = /^transport=(\w+)$/i.exec(parameters.join(';'))
  const transport = transportOfVia(match?.[1] ?? '')
  if (transport === null) {
    return err(`"${text}": after HOST:PORT only ;transport= may stand, with ${TRANSPORTS.join(', ')}`)
  }
  return ok({ ...address.value, transport })
}

/** Where a request may be sent. */
export function parseNextHop(text: string): Result<NextHop, string> {
  return parsePlace(text)
}

export function printAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

export function printNextHop(hop: NextHop): string {
  return printPlace(hop)
}

export function printPlace(hop: NextHop): string {
  return hop.transport === null ? printAddress(hop) : `${printAddress(hop)};transport=${hop.transport}`
}

export function isLoopback(host: string): boolean {
  return host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}
