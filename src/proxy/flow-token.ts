// The flow that a REGISTER came on, as our Path value carries it (RFC 3327, RFC 5626 5.2): `;hff=<generation><mac>~<transport>~<host>~
// <port>~<stream>`. It is all that any replica needs to send a request back there, so the set keeps nothing of a registration. Only we
// can make one: whoever could would have us send what he likes to whom he likes.

import { hashHex, sipHashText } from '../base/hash.ts'
import { must } from '../base/assert.ts'
import { TRANSPORTS } from '../sip/transport.ts'
import type { Flow } from '../wire/entry.ts'
import type { SetKeys } from './settings.ts'
import { streamToken } from './upstream.ts'

/** The parameter of our Path value that carries it. */
export const FLOW = 'hff'

const HEX_DIGITS = 16
const MOST_GENERATION_DIGITS = 6
/** Generations that are taken: a phone registers anew long before its Path's is older. */
const TAKEN = 2

export function makeFlowToken(keys: SetKeys, flow: Flow): string {
  const text = `${flow.transport}~${flow.host}~${flow.port}~${streamToken(flow.stream)}`
  return `${keys.current}${mac(keys, keys.current, text)}~${text}`
}

/** Null = not one that this set made. */
export function readFlowToken(keys: SetKeys, token: string): Flow | null {
  const [seal = '', transportName, host, port, ...stream] = token.split('~')
  const digits = seal.length - HEX_DIGITS
  if (digits < 1 || digits > MOST_GENERATION_DIGITS) return null
  const generation = Number(seal.slice(0, digits))
  if (!Number.isInteger(generation) || generation <= keys.current - TAKEN || keys.key(generation) === null) return null
  if (seal.slice(digits) !== mac(keys, generation, token.slice(seal.length + 1))) return null
  const transport = TRANSPORTS.find((one) => one === transportName)
  if (transport === undefined || host === undefined) return null
  return { transport, host, port: Number(port), stream: stream.join('/') }
}

/** Whether both are one connection, or one address of datagrams. */
export function isSameFlow(a: Flow, b: Flow): boolean {
  if (a.transport !== b.transport || a.stream !== b.stream) return false
  return a.stream !== '' || (a.host === b.host && a.port === b.port)
}

function mac(keys: SetKeys, generation: number, text: string): string {
  const key = must(keys.key(generation), 'a token of a generation that the set has not')
  return hashHex(sipHashText(key, `flow ${text}`))
}
