// What is this set itself: its address in a Via, a Route or a Request-URI.

import { isIpv4, isIpv6, sameHost } from '../sip/host.ts'
import { hostReference } from '../sip/scan.ts'
import type { SipUri, Uri } from '../sip/uri.ts'
import { defaultPort, uriTransport } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'
import type { Flow } from '../wire/entry.ts'
import type { Listener, SetAddress } from './settings.ts'

export function isSetHost(set: SetAddress, host: string, port: number | null): boolean {
  if (set.listeners === undefined) return (port ?? 5060) === set.port && sameHost(host, set.host)
  return set.listeners.some((own) => isAt(own, host, port))
}

function isAt(own: Listener, host: string, port: number | null): boolean {
  return (port ?? defaultPort(own.transport)) === own.port && sameHost(host, own.host)
}

/** Whether the set speaks it: it sends by nothing that it can't be called back by. */
export function speaks(set: SetAddress, transport: Transport): boolean {
  if (set.listeners === undefined) return transport === 'udp' || transport === 'tcp'
  return set.listeners.some((own) => own.transport === transport)
}

/** Where somebody at `far` finds us by that transport: at an address of his family, if we have one. */
export function listenerFor(set: SetAddress, transport: Transport, far: string): Pick<SetAddress, 'host' | 'port'> {
  const alike = set.listeners?.filter((own) => own.transport === transport) ?? []
  return alike.find(({ host }) => host.includes(':') === far.includes(':')) ?? alike[0] ?? set
}

/** The transport of the side that a Record-Route value of ours was written for. */
export function transportOfOwn(set: SetAddress, own: SipUri): Transport {
  const there = set.listeners?.find((one) => isAt(one, own.host, own.port))?.transport ?? 'udp'
  if (there !== 'udp' && there !== 'tcp') return there
  return own.params.get('transport')?.toLowerCase() === 'tcp' ? 'tcp' : 'udp'
}

/** A sip URI with the set's host and port; whatever its user is. */
export function isSetUri(set: SetAddress, uri: Uri): uri is SipUri {
  return uri.kind === 'sip' && isSetHost(set, uri.host, uri.port)
}

/** Whether a message comes from this set itself, or goes to it: from one of its groups to another (chain.ts). */
export function isOwnFlow(set: SetAddress, { host, port, stream }: Flow): boolean {
  return stream === '' && isSetHost(set, host, port)
}

/** host:port as SIP writes it. */
export function hostPort(host: string, port: number): string {
  return `${hostReference(host)}:${port}`
}

/** Our URI for the side that a flow leads to, without parameters but its transport. */
export function ownUri(set: SetAddress, { transport, host }: Pick<Flow, 'transport' | 'host'>): string {
  const own = listenerFor(set, transport, host)
  const named = uriTransport(transport)
  return `sip:${hostPort(own.host, own.port)}${named === '' ? '' : `;transport=${named}`}`
}

/** Whether a host can be a domain name (RFC 1123 2.1): its last label isn't a number. */
export function isName(host: string): boolean {
  const last = host.slice(host.lastIndexOf('.', host.length - 2) + 1)
  return host.length <= 253 && !host.includes(':') && [...last].some((character) => character > '9')
}

/** Whether a host is a number, so that no name need be looked up. */
export function isNumeric(host: string): boolean {
  return host.includes(':') ? isIpv6(host) : isIpv4(host)
}
