// What is this set itself: its address in a Via, a Route or a Request-URI.

import { hostReference } from '../sip/scan.ts'
import type { SipUri, Uri } from '../sip/uri.ts'
import type { SetAddress } from './settings.ts'

export function isSetHost(set: SetAddress, host: string, port: number | null): boolean {
  return (port ?? 5060) === set.port && host.toLowerCase() === set.host.toLowerCase()
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
  if (host.includes(':')) return true
  const parts = host.split('.')
  return parts.length === 4 && parts.every((part) => part.length > 0 && part.length <= 3 && isByte(part))
}

function isByte(part: string): boolean {
  for (let i = 0; i < part.length; i++) {
    const code = part.charCodeAt(i)
    if (code < 48 || code > 57) return false
  }
  return Number(part) <= 255
}
