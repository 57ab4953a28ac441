// The addresses that a set listens to, as people write them: HOST:PORT for UDP and TCP, or HOST:PORT;transport=tls for one
// transport (udp, tcp, tls, ws, wss); and what can be wrong with them together. In the config file the host may be a domain name: then
// each replica listens at an address of its own, and DNS has all of them (decision 0049).

import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { isName } from '../proxy/own.ts'
import type { Listener } from '../proxy/settings.ts'
import { isSecure } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'
import { parsePlace, printAddress } from './address.ts'
import type { Address } from './address.ts'
import type { TlsConfig } from './certificates.ts'

/** An address of the set's, or a name; null: UDP and TCP. */
export interface SipAddress extends Address {
  readonly transport: Transport | null
}

/** The part of a set's configuration that says where it listens. */
export interface SipPlaces {
  /** The set's name to the world: what is in its Via where nothing else is, and in its `ready`. An address, or a domain name. */
  readonly sip: Address
  /** Left out: UDP and TCP. */
  readonly sipTransport?: Transport
  /** More of them. */
  readonly listen?: readonly SipAddress[]
  /** Certificates, for TLS and secure WebSocket. */
  readonly tls?: TlsConfig
}

/** More is a mistake: each is a socket, or two, of each replica. */
const MOST_ADDRESSES = 16

/** Addresses with commas between. */
export function parseSipAddresses(text: string): Result<readonly SipAddress[], string> {
  const found: SipAddress[] = []
  for (const part of text.split(',')) {
    const place = parsePlace(part.trim())
    if (!place.ok) return place
    found.push(place.value)
  }
  return found.length <= MOST_ADDRESSES ? ok(found) : err(`more than ${MOST_ADDRESSES} addresses`)
}

export function listenersOf({ sip, sipTransport, listen = [] }: SipPlaces): readonly Listener[] {
  return [{ ...sip, transport: sipTransport ?? null }, ...listen].flatMap(({ host, port, transport }) =>
    transport === null
      ? [
          { transport: 'udp' as const, host, port },
          { transport: 'tcp' as const, host, port },
        ]
      : [{ transport, host, port }],
  )
}

/** What of a set's replicas is asked here: the address of its own that one has. */
type Located = readonly { readonly sip?: string }[]

/** Whether each of its replicas has an address of its own, which its domain name leads to. */
export function hasName(places: SipPlaces): boolean {
  return listenersOf(places).some(({ host }) => isName(host))
}

/** Where a replica listens: what has a name is at the replica's own address. */
export function boundBy(places: SipPlaces, { sip }: Located[number]): readonly Listener[] {
  return listenersOf(places).map((one) => (sip !== undefined && isName(one.host) ? { ...one, host: sip } : one))
}

/** All addresses that are listened to, each once; the one that is the set's name to the world first. */
export function addressesOf(places: SipPlaces & { readonly replicas: Located }): readonly Address[] {
  const byText = new Map<string, Address>()
  for (const replica of hasName(places) ? places.replicas : [{}]) {
    for (const { host, port } of boundBy(places, replica)) byText.set(printAddress({ host, port }), { host, port })
  }
  return [...byText.values()]
}

/** Why these can't be listened to, or a next hop not be reached from them; null if they can. `isShownElsewhere`: the certificates are for
 * another address too. */
export function listenTrouble(
  places: SipPlaces,
  hops: readonly { readonly transport: Transport | null }[],
  isShownElsewhere = false,
): string | null {
  const listeners = listenersOf(places)
  const streams = new Map<string, Transport>()
  for (const { transport, host, port } of listeners) {
    const text = printAddress({ host, port })
    const key = transport === 'udp' ? `udp ${text}` : text
    const other = streams.get(key)
    if (other === transport) return `the SIP address ${text} is named twice for ${transport}`
    if (other !== undefined) return `${text} can't be for both ${other} and ${transport}: give them different ports`
    streams.set(key, transport)
  }
  const secure = listeners.find(({ transport }) => isSecure(transport))
  if (secure !== undefined && places.tls === undefined) {
    const text = printAddress(secure)
    return `${text} is for ${secure.transport}, which needs a certificate: give --tls-cert FILE and --tls-key FILE, or "tls" in the config file`
  }
  if (secure === undefined && places.tls !== undefined && !isShownElsewhere) {
    return 'there is a certificate, and no address to show it at: add --listen HOST:PORT;transport=tls (or wss)'
  }
  for (const { transport: by } of hops) {
    if (by === null || listeners.some(({ transport }) => transport === by)) continue
    return `the next hop is reached by ${by}, by which the set can't be called back: add --listen HOST:PORT;transport=${by}`
  }
  return null
}

/** `UDP and TCP`, for a person. */
export function transportNames(listeners: readonly Listener[]): string {
  const names = [...new Set(listeners.map(({ transport }) => transport.toUpperCase()))]
  const last = names.pop() ?? ''
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`
}
