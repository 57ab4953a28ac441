// The way back: what a request's top Via must learn from where it came (RFC 3261 18.2.1, RFC 3581), and where its
// responses go (18.2.2). Our own Via names the stream that its request came on, so that any replica can answer on it.

import { must } from '../base/assert.ts'
import { topVia } from '../sip/message.ts'
import type { SipMessage } from '../sip/message.ts'
import { sameHost, withoutBrackets } from '../sip/host.ts'
import { defaultPort, transportOfVia } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'
import type { Via } from '../sip/via.ts'
import type { Flow } from '../wire/entry.ts'
import { isNumeric } from './own.ts'
import { STREAM } from './token.ts'

/** The top Via of a message that was parsed without a fault: it has one. */
export function viaOf(message: SipMessage): Via {
  return must(topVia(message), 'a message without Via')
}

export interface SourceParams {
  readonly received: string | null
  readonly rport: number | null
}

/** What the top Via of a request that came on `flow` must get; nulls where nothing. */
export function sourceParams(via: Via, flow: Flow): SourceParams {
  // RFC 3581 4: rport is filled in, and `received` then goes with it even where it equals sent-by.
  if (via.rport !== null) return { received: flow.host, rport: flow.port }
  // 18.2.1: `received` if sent-by is not the source address; whoever wrote one himself can't send its answers elsewhere.
  const isPlain = sameHost(via.host, flow.host) && (via.received === null || sameHost(via.received, flow.host))
  return { received: isPlain ? null : flow.host, rport: null }
}

/** Where our own answers go to a request with this top Via that came on `flow`. */
export function answerFlow(via: Via, flow: Flow): Flow {
  const { received, rport } = sourceParams(via, flow)
  const back = responseFlow({ ...via, received: received ?? via.received, rport: rport ?? via.rport }, flow.stream)
  // 18.2.2: on the connection that it came on, whatever its Via calls that.
  return flow.stream === '' ? back : { ...back, transport: flow.transport }
}

/** Where responses go whose top Via this is. `stream`: the connection its request came on, empty if none is known. */
export function responseFlow(via: Via, stream: string): Flow {
  const transport = transportBack(via, stream)
  const host = via.received ?? via.host
  const sentByPort = via.port ?? defaultPort(transport)
  // 18.2.2: on the request's own connection; `host` and `port` say where to go when it is gone: never the source port.
  if (transport !== 'udp') return { transport, host, port: sentByPort, stream }
  const maddr = withoutBrackets(via.params.get('maddr') ?? '')
  if (isNumeric(maddr)) return { transport, host: maddr, port: sentByPort, stream: '' }
  const rport = typeof via.rport === 'number' ? via.rport : null
  return { transport, host, port: rport ?? sentByPort, stream: '' }
}

/** Whoever writes UDP into a Via and sends it on a stream is answered there. */
function transportBack(via: Via, stream: string): Transport {
  const named = transportOfVia(via.transport) ?? 'udp'
  return named === 'udp' && stream !== '' ? 'tcp' : named
}

/** The name of a stream as a Via parameter's value, which can't hold a slash. */
export function streamToken(stream: string): string {
  return stream.replaceAll('/', '~')
}

/** The stream that our own Via names; empty for a datagram. */
export function streamOf(via: Via): string {
  return (via.params.get(STREAM) ?? '').replaceAll('~', '/')
}
