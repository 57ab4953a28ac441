// The transports of SIP: their names in a Via and in a URI, and what is true of each (RFC 3261 18, 19.1.2; RFC 7118).

/** In the order of the codes that entities have for them: what is new goes to the end. */
export const TRANSPORTS = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const

export type Transport = (typeof TRANSPORTS)[number]

/** The transport of a Via's sent-protocol, whatever its case; null = none that we know. */
export function transportOfVia(name: string): Transport | null {
  const lower = name.toLowerCase()
  return TRANSPORTS.find((known) => known === lower) ?? null
}

/** 19.1.2, RFC 7118 5.1: the port of a sent-by, or of a URI, that names none. */
export function defaultPort(transport: Transport): number {
  switch (transport) {
    case 'udp':
    case 'tcp':
      return 5060
    case 'tls':
      return 5061
    case 'ws':
      return 80
    case 'wss':
      return 443
  }
}

/** What a sips URI may be sent by (26.2.2). */
export function isSecure(transport: Transport): boolean {
  return transport === 'tls' || transport === 'wss'
}

/** One SIP message a frame, and a client that nobody can call back: RFC 7118. */
export function isWebSocket(transport: Transport): boolean {
  return transport === 'ws' || transport === 'wss'
}

/** What a URI's `transport` parameter says (RFC 7118 5.2.1: `ws` is all there is of WebSocket); '' for UDP, which needs none. */
export function uriTransport(transport: Transport): string {
  if (transport === 'udp') return ''
  return transport === 'wss' ? 'ws' : transport
}
