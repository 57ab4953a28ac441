// One Via value (RFC 3261 20.42, 18.2.1; RFC 3581 rport; RFC 5118 for IPv6).

import { type Params, paramsText, readParams } from './params.ts'
import {
  COLON,
  SLASH,
  hostEnd,
  hostReference,
  hostText,
  isSpaceCode,
  portNumber,
  skipSpace,
  tokenEnd,
  trimEnd,
} from './scan.ts'

export interface Via {
  /** Upper-case: `UDP`, `TCP`, `TLS`, `WS`, or whatever the sender wrote. */
  readonly transport: string
  /** sent-by's host; an IPv6 address is without brackets. */
  readonly host: string
  readonly port: number | null
  readonly params: Params
  readonly branch: string | null
  /** The source address, as the next hop saw it; an IPv6 address is without brackets, even if it came with them. */
  readonly received: string | null
  /** RFC 3581: null = not there, '' = asked for, a number = the source port, as the next hop saw it. */
  readonly rport: number | '' | null
}

/** The one Via value that [start, end) holds, or null. */
export function parseVia(text: string, start = 0, end = text.length): Via | null {
  const read = readVia(text, start, end)
  return read === null || read.isBad ? null : read.via
}

/** The Via of a request that is refused for it: as far as it can be read, if it says who sent it (RFC 4475 3.1.2.1). */
export function parseBadVia(text: string, start = 0, end = text.length): Via | null {
  return readVia(text, start, end)?.via ?? null
}

function readVia(text: string, start: number, end: number): { readonly via: Via; readonly isBad: boolean } | null {
  // sent-protocol = protocol-name SLASH protocol-version SLASH transport, with white space around the slashes.
  const version = afterSlash(text, skipSpace(text, start, end), end)
  const transportStart = version < 0 ? -1 : afterSlash(text, version, end)
  if (transportStart < 0) return null
  const transportEnd = tokenEnd(text, transportStart, end)
  if (transportEnd === transportStart || transportEnd === end || !isSpaceCode(text.charCodeAt(transportEnd)))
    return null

  const hostStart = skipSpace(text, transportEnd, end)
  const hostStop = hostEnd(text, hostStart, end)
  if (hostStop < 0) return null
  let at = skipSpace(text, hostStop, end)
  let port: number | null = null
  if (at < end && text.charCodeAt(at) === COLON) {
    const portStart = skipSpace(text, at + 1, end)
    at = tokenEnd(text, portStart, end)
    port = portNumber(text, portStart, at)
    if (port < 0) return null
  }

  const params = new Map<string, string | null>()
  const areRead = readParams(text, at, end, params)
  const received = params.get('received') ?? null
  const rport = rportOf(params)
  const via: Via = {
    transport: text.slice(transportStart, transportEnd).toUpperCase(),
    host: hostText(text, hostStart, hostStop),
    port,
    params,
    branch: params.get('branch') ?? null,
    received: received === null ? null : hostText(received, 0, received.length),
    rport: rport ?? null,
  }
  // A branch without a value, or a port that is none, can't be what the sender meant.
  const isBad = !areRead || rport === undefined || params.get('branch') === null || params.get('received') === null
  return { via, isBad }
}

/** Where the text after `token SLASH` begins, or -1. */
function afterSlash(text: string, at: number, end: number): number {
  const stop = tokenEnd(text, at, end)
  const slash = skipSpace(text, stop, end)
  if (stop === at || slash >= end || text.charCodeAt(slash) !== SLASH) return -1
  return skipSpace(text, slash + 1, end)
}

function rportOf(params: Params): number | '' | null | undefined {
  const value = params.get('rport')
  if (value === undefined) return null
  if (value === null) return ''
  const port = portNumber(value, 0, trimEnd(value, 0, value.length))
  return port < 0 ? undefined : port
}

/** The value as it is printed: what `parseVia` reads back. */
export function viaText(via: Pick<Via, 'transport' | 'host' | 'port' | 'params'>): string {
  const port = via.port === null ? '' : `:${via.port}`
  return `SIP/2.0/${via.transport} ${hostReference(via.host)}${port}${paramsText(via.params)}`
}
