// URIs and name-addrs as handlers see them.

import { nameAddrText, parseNameAddr } from '../sip/name-addr.ts'
import { paramsText, withParam } from '../sip/params.ts'
import type { Params } from '../sip/params.ts'
import { parseUri } from '../sip/uri.ts'
import type { Uri } from '../sip/uri.ts'
import type { Address, URI } from './api.ts'
import { fromWire, toWire } from './utf8.ts'

class ServletUri implements URI {
  readonly #text: string
  readonly #uri: Uri

  constructor(text: string, uri: Uri) {
    this.#text = text
    this.#uri = uri
  }

  get scheme(): string {
    if (this.#uri.kind === 'other') return this.#uri.scheme
    return this.#uri.secure ? 'sips' : 'sip'
  }

  get isSipURI(): boolean {
    return this.#uri.kind === 'sip'
  }

  get user(): string | null {
    if (this.#uri.kind === 'sip') return this.#uri.user
    return this.#text.slice(this.#uri.scheme.length + 1).split(';', 1)[0] ?? null
  }

  get host(): string {
    return this.#uri.kind === 'sip' ? this.#uri.host : ''
  }

  get port(): number | null {
    return this.#uri.kind === 'sip' ? this.#uri.port : null
  }

  getParameter(name: string): string | null {
    return this.#uri.kind === 'sip' ? parameterOf(this.#uri.params, name) : null
  }

  toString(): string {
    return fromWire(this.#text)
  }
}

class ServletAddress implements Address {
  readonly displayName: string
  readonly uri: URI
  readonly #params: Params

  constructor(displayName: string, uri: URI, params: Params) {
    this.displayName = displayName
    this.uri = uri
    this.#params = params
  }

  getParameter(name: string): string | null {
    return parameterOf(this.#params, name)
  }

  toString(): string {
    return nameAddrText({ display: this.displayName, uri: String(this.uri) }, paramsText(this.#params))
  }
}

function parameterOf(params: Params, name: string): string | null {
  const value = params.get(name.toLowerCase())
  return value === undefined ? null : (value ?? '')
}

/** Throws a TypeError for what is none. */
export function uriOf(uri: URI | string): URI {
  if (typeof uri !== 'string') return uri
  const text = toWire(uri.trim())
  const parsed = parseUri(text)
  if (parsed === null) throw new TypeError(`"${uri}" is no URI: write it as sip:alice@example.com or tel:+15551234`)
  return new ServletUri(text, parsed)
}

/** The same SIP URI with a parameter, in the place of one of that name. */
export function withUriParameter(uri: URI, name: string, value: string): URI {
  const text = String(uri)
  if (!uri.isSipURI)
    throw new TypeError(`"${text}" is no SIP URI: only sip: and sips: have parameters that lead to a session`)
  // A user may have semicolons and question marks.
  const at = text.lastIndexOf('@') + 1
  const mark = text.indexOf('?', at)
  const end = mark < 0 ? text.length : mark
  return uriOf(text.slice(0, at) + withParam(text.slice(at, end), name, value) + text.slice(end))
}

/** Of a value of the wire's; null for what is none. */
export function readAddress(value: string): Address | null {
  const parsed = parseNameAddr(value)
  const uri = parsed === null ? null : parseUri(parsed.uri)
  if (parsed === null || uri === null) return null
  return new ServletAddress(fromWire(parsed.display), new ServletUri(parsed.uri, uri), parsed.params)
}

/** Throws a TypeError for what is none. A URI stands for an address without a name. */
export function addressOf(address: Address | URI | string, displayName?: string): Address {
  if (displayName !== undefined || (typeof address !== 'string' && !('uri' in address))) {
    return new ServletAddress(displayName ?? '', uriOf(address as URI | string), new Map())
  }
  if (typeof address !== 'string') return address
  const read = readAddress(toWire(address))
  if (read === null) {
    throw new TypeError(`"${address}" is no address: write it as "Alice" <sip:alice@example.com>, or as a URI alone`)
  }
  return read
}

/** As From and To of a new dialog have it: without the header's parameters, tags among them. */
export function partyText({ displayName, uri }: Address): string {
  return nameAddrText({ display: toWire(displayName), uri: toWire(String(uri)) })
}

/** A value of the wire's that the core has checked already. */
export function partyOf(value: string): Address {
  const read = readAddress(value)
  if (read !== null) return read
  const parsed = parseNameAddr(value)
  const text = parsed?.uri ?? value
  return new ServletAddress(parsed?.display ?? '', new ServletUri(text, { kind: 'other', scheme: '', text }), new Map())
}
