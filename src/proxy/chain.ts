// A chain of applications (JSR 289 15; decision 0037). Each of them has a group of its own. What one group sends into the set for the next
// application carries, as its topmost Route, a value of ours that names that group, and what the application router said:
//
//   <sip:SET;lr;hf=<token of the group>;hfc=<what the router said, packed, in hexadecimal digits><MAC>>
//
// The MAC covers group, Call-ID and content, so that nobody else can choose an application, or use what he saw for another call. The
// group key is a keyed hash of the group it comes from, the Call-ID and the Request-URI: what is sent again finds the same group, and each
// target of a fork one of its own.

import { groupKey } from '../base/brand.ts'
import type { GroupKey } from '../base/brand.ts'
import { must } from '../base/assert.ts'
import { hex } from '../base/bytes.ts'
import { hashHex, sipHashText } from '../base/hash.ts'
import { callId, routes } from '../sip/message.ts'
import type { SipRequest } from '../sip/message.ts'
import { parseUri } from '../sip/uri.ts'
import { pack, unpack } from '../wire/pack.ts'
import { hostPort, isSetUri } from './own.ts'
import type { SetAddress, SetKeys } from './settings.ts'
import { LEG, TOKEN, legMark, makeToken, readToken } from './token.ts'

/** Which part of a call's way an application serves (15.1): the caller's, the callee's, or neither's. */
export type Region = 'originating' | 'terminating' | 'neutral'

const REGIONS: readonly (Region | null)[] = [null, 'originating', 'terminating', 'neutral']

/** One of the applications of the default router's list for a method (appendix C). */
export interface RouterLink {
  readonly application: string
  readonly region: Region
  /** Whom it serves. */
  readonly subscriber: 'from' | 'to' | ''
}

/** By method; `*` is for those that aren't named. */
export type RouterTable = Readonly<Record<string, readonly RouterLink[]>>

/** What an application, or who asks for it, has from the application router. */
export interface Chain {
  /** From 1. */
  readonly position: number
  /** Whose turn it is; '' = the router is still to be asked, for this comes back from where it was sent to (ROUTE_BACK). */
  readonly application: string
  readonly region: Region | null
  /** Whether its Request-URI is where an application before proxied it to: that decides, and not the set's own route. */
  readonly isAimed: boolean
  /** URI of whom it serves; '' = nobody is named. */
  readonly subscriber: string
  /** The router's own, packed: it is given it back when it is asked for the next application. */
  readonly state: Uint8Array
}

const SHAPE = 1

export function packChain({ position, application, isAimed, region, subscriber, state }: Chain): Uint8Array {
  return pack([SHAPE, position, application, isAimed, REGIONS.indexOf(region), subscriber, state])
}

/** null = no router chose it. */
export function unpackChain(bytes: Uint8Array): Chain | null {
  const unpacked = unpack(bytes)
  if (!unpacked.ok || !Array.isArray(unpacked.value)) return null
  const [shape, position, application, isAimed, code, subscriber, state] = unpacked.value as readonly unknown[]
  const region = REGIONS[code as number]
  if (shape !== SHAPE || typeof position !== 'number' || typeof application !== 'string') return null
  if (region === undefined || typeof subscriber !== 'string' || !(state instanceof Uint8Array)) return null
  if (typeof isAimed !== 'boolean') return null
  return { position, application, isAimed, region, subscriber, state }
}

/** The parameter of a Route of ours that carries it. */
const CHAIN = 'hfc'
const MAC_DIGITS = 16

/** The group that the next application has for what this one sends. Under the first generation for ever, as the hash of a Call-ID. */
export function chainGroup(keys: SetKeys, from: GroupKey, id: string, requestUri: string): GroupKey {
  const key = must(keys.key(1), 'the set has no key yet')
  return groupKey(hashHex(sipHashText(key, `chain ${from} ${requestUri}\n${id}`)))
}

/** The URI of the Route that leads there. */
export function chainUri(
  keys: SetKeys,
  { host, port }: Pick<SetAddress, 'host' | 'port'>,
  group: GroupKey,
  id: string,
  chain: Chain,
): string {
  const content = hex(packChain(chain))
  const token = makeToken(keys, group, '')
  return `sip:${hostPort(host, port)};lr;${TOKEN}=${token};${CHAIN}=${content}${mac(keys, group, id, content)}`
}

/** What the topmost Route says, if this set wrote it for this call. */
export function chainOf(keys: SetKeys, set: SetAddress, request: SipRequest): Chain | null {
  const top = routes(request)[0]
  const uri = top === undefined ? null : parseUri(top.uri)
  if (uri === null || !isSetUri(set, uri)) return null
  const text = uri.params.get(CHAIN) ?? ''
  const group = readToken(keys, uri.params.get(TOKEN) ?? '', '')
  if (text.length <= MAC_DIGITS || group === null) return null
  const content = text.slice(0, -MAC_DIGITS)
  if (text.slice(-MAC_DIGITS) !== mac(keys, group, callId(request), content)) return null
  return unpackChain(bytesOf(content))
}

/** The Route that leads later requests of a dialog to the group that this one went to; null = it went to none. */
export function laterRoute(keys: SetKeys, set: SetAddress, sent: SipRequest): string | null {
  const uri = parseUri(routes(sent)[0]?.uri ?? '')
  if (uri === null || uri.kind !== 'sip' || chainOf(keys, set, sent) === null) return null
  const token = uri.params.get(TOKEN) ?? ''
  const group = must(readToken(keys, token, ''), 'a Route of a chain names a group')
  const mark = `${LEG}=${legMark(keys, group, callId(sent))}`
  return `<sip:${hostPort(set.host, set.port)};lr;${TOKEN}=${token};${mark}>`
}

function mac(keys: SetKeys, group: GroupKey, id: string, content: string): string {
  const key = must(keys.key(1), 'the set has no key yet')
  return hashHex(sipHashText(key, `chain of ${group} ${content}\n${id}`))
}

/** Of hexadecimal digits that we wrote. */
function bytesOf(digits: string): Uint8Array {
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}
