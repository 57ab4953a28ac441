// What is this set itself: its address in a Via, a Route or a Request-URI.

import { isIpv4, isIpv6, sameHost } from '../sip/host.ts'
import { hostReference } from '../sip/scan.ts'
import type { SipUri, Uri } from '../sip/uri.ts'
import type { SetAddress } from './settings.ts'

export function isSetHost(set: SetAddress, host: string, port: number | null): boolean {
  return (port ?? 5060) === set.port && sameHost(host, set.host)
}

/** A sip URI with the set's host and port; whatever its user is. */
export function isSetUri(set: SetAddress, uri: Uri): uri is SipUri {
  return uri.kind === 'sip' && isSetHost(set, uri.host, uri.port)
}

/** host:port as SIP writes it. */
export function hostPort(host: string, port: number): string {
  return `${hostReference(host)}:${port}`
}

/** Whether a host is a number, so that no name need be looked up. */
export function isNumeric(host: string): boolean {
  return host.includes(':') ? isIpv6(host) : isIpv4(host)
}
