// What is this set itself: its address, or its name, in a Via, a Route or a Request-URI.

import { isIpv4, isIpv6, sameHost } from '../sip/host.ts'
import { hostReference } from '../sip/scan.ts'
import type { SipUri, Uri } from '../sip/uri.ts'
import { defaultPort, isWebSocket, uriTransport } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'
import type { Flow } from '../wire/entry.ts'
import type { Listener, SetAddress } from './settings.ts'

export function isSetHost(set: SetAddress, host: string, port: number | null): boolean {
  if (set.listeners === undefined) return (port ?? 5060) === set.port && sameHost(host, set.host)
  return placesOf(set).some((own) => isAt(own, host, port))
}

function placesOf({ listeners = [], replicas }: SetAddress): readonly Listener[] {
  return replicas === undefined ? listeners : [...listeners, ...replicas]
}

/** A name without a port is at whatever port DNS says. */
function isAt(own: Listener, host: string, port: number | null): boolean {
  if (!sameHost(host, own.host)) return false
  return (port ?? defaultPort(own.transport)) === own.port || (port === null && isName(own.host))
}

/** Whether the set speaks it: it sends by nothing that it can't be called back by. */
export function speaks(set: SetAddress, transport: Transport): boolean {
  if (set.listeners === undefined) return transport === 'udp' || transport === 'tcp'
  return set.listeners.some((own) => own.transport === transport)
}

/** Where somebody at `far` finds us by that transport: at an address of his family, if we have one. */
function listenerFor(set: SetAddress, transport: Transport, far: string): Pick<SetAddress, 'host' | 'port'> {
  const alike = set.listeners?.filter((own) => own.transport === transport) ?? []
  return alike.find(({ host }) => host.includes(':') === far.includes(':')) ?? alike[0] ?? set
}

/** The transport of the side that a Record-Route value of ours was written for. */
export function transportOfOwn(set: SetAddress, own: SipUri): Transport {
  const there = placesOf(set).filter((one) => isAt(one, own.host, own.port))
  const named = own.params.get('transport')?.toLowerCase()
  const wanted = own.secure ? 'tls' : named
  // A name stands for all that it has, and says by which.
  const said = isName(own.host) ? there.find(({ transport }) => transport === wanted) : undefined
  const { transport } = said ?? there[0] ?? { transport: 'udp' }
  if (transport !== 'udp' && transport !== 'tcp') return transport
  return named === 'tcp' ? 'tcp' : 'udp'
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

/** Our URI for the side that a flow leads to, without parameters but its transport. A name goes without its port, so that who follows
 * it looks for servers, and with its transport, so that it stays with that one (RFC 3263 4.1, 4.2). Of WebSocket DNS says nothing. */
export function ownUri(set: SetAddress, { transport, host }: Pick<Flow, 'transport' | 'host'>, isSips = false): string {
  const own = listenerFor(set, transport, host)
  const isFound = isName(own.host) && !isWebSocket(transport)
  const named = isFound ? transport : uriTransport(transport)
  const parameter = named === '' || (isSips && transport === 'tls') ? '' : `;transport=${named}`
  return `${isSips ? 'sips' : 'sip'}:${isFound ? own.host : hostPort(own.host, own.port)}${parameter}`
}

/** Our sent-by in a Via towards a flow. A name has a port where that isn't the transport's own: responses go to the port that stands
 * there, and servers are only looked for without one (RFC 3261 18.2.2, RFC 3263 5). */
export function sentByFor(set: SetAddress, { transport, host }: Pick<Flow, 'transport' | 'host'>): string {
  const own = listenerFor(set, transport, host)
  return isName(own.host) && own.port === defaultPort(transport) ? own.host : hostPort(own.host, own.port)
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
