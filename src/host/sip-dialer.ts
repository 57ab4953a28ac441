// The connections that a replica makes: by the transport that the next hop asks for (RFC 3261 18.1.1). By TLS only to who shows a
// certificate that our authorities vouch for, and that is made out to the address, or to the name that the configuration gives it
// (RFC 3261 26.3.1). By WebSocket as any client does, with the subprotocol `sip` (RFC 7118 4.1).

import { createConnection } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'
import { sipLimits } from '../sip/limits.ts'
import { isSecure } from '../sip/transport.ts'
import type { Flow } from '../wire/entry.ts'
import type { Certificates } from './certificates.ts'
import { printAddress } from './address.ts'
import { hostLimits } from './limits.ts'
import type { SparseLog } from './log.ts'
import { socketLink, webSocketLink } from './stream-link.ts'
import type { LinkEvents, StreamLink } from './stream-link.ts'
import type { WebSockets } from './web-sockets.ts'

export interface DialEvents extends LinkEvents {
  opened(): void
}

export interface DialParts {
  readonly certificates: Certificates | null
  readonly webSockets: WebSockets | null
  readonly log: SparseLog
  /** The address that it comes from; null = the system's choice. */
  readonly from: string | null
}

/** `flow.host` is an IP address. Null: this set doesn't speak that transport. */
export function dial(
  { transport, host, port }: Flow,
  { certificates, webSockets, log, from }: DialParts,
  events: DialEvents,
): StreamLink | null {
  const secure = isSecure(transport) ? certificates : null
  if (isSecure(transport) && secure === null) return null
  const tls = secure === null ? {} : tlsOptions(secure, host)
  const source = from === null ? {} : { localAddress: from }
  const failed = (error: Error): void => {
    if (secure !== null) log.warn('tls-connect-failed', `no TLS connection: ${error.message}`, { host, port })
  }
  switch (transport) {
    case 'udp':
      return null
    case 'tcp':
    case 'tls': {
      const place = { ...source, host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: hostLimits.probeMs }
      const socket = transport === 'tcp' ? createConnection(place) : connectTls({ ...place, ...tls })
      socket.once(transport === 'tcp' ? 'connect' : 'secureConnect', () => events.opened())
      socket.on('error', failed)
      return socketLink(socket, events)
    }
    case 'ws':
    case 'wss': {
      if (webSockets === null) return null
      const socket = new webSockets.WebSocket(`${transport}://${printAddress({ host, port })}/`, 'sip', {
        ...tls,
        ...source,
        handshakeTimeout: hostLimits.connectMs,
        maxPayload: sipLimits.message,
        perMessageDeflate: false,
      })
      socket.once('open', () => events.opened())
      socket.on('error', failed)
      return webSocketLink(socket, events)
    }
  }
}

function tlsOptions({ tls, loaded }: Certificates, host: string): ConnectionOptions {
  const name = tls.names[host]
  const { ca, cert, key } = loaded
  return { ca: [...ca], cert, key, minVersion: tls.minVersion, ...(name === undefined ? {} : { servername: name }) }
}
