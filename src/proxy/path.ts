// RFC 3327, RFC 5626 5: a REGISTER that goes through us. The registrar learns that the phone is reached by way of us, and our value says on
// what flow: requests for the phone come back with it as their Route (route.ts).

import { edit } from '../sip/edit.ts'
import type { Edit } from '../sip/edit.ts'
import { contacts, cseq, header, parseMessage, values, vias } from '../sip/message.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import { parseNameAddr } from '../sip/name-addr.ts'
import { parseUri } from '../sip/uri.ts'
import type { Flow } from '../wire/entry.ts'
import { FLOW, makeFlowToken, readFlowToken } from './flow-token.ts'
import { ownUri } from './own.ts'
import type { SetAddress, SetKeys } from './settings.ts'

/** The parameter of a Path URI, and of a Contact, that has the flow be the only way to the phone (RFC 5626 5.1, 4.3). */
export const OUTBOUND = 'ob'

/** Seconds in which a phone is to say something on its flow, so that it learns when that is gone (RFC 5626 4.4). On datagrams whatever
 * translates addresses on the way is to be kept awake. */
const FLOW_TIMER = { stream: 120, datagrams: 25 } as const

export interface PathPlace {
  readonly set: SetAddress
  readonly keys: SetKeys
  /** Where the REGISTER came from. */
  readonly arrival: Flow
}

/** RFC 3327 5.2: our value above those before, if the phone knows what it is. Two where the sides find us differently, as Record-Route has
 * it: the phone's is the lower one, which a request on its way back comes to last. */
export function addPath(request: SipRequest, change: Edit, hop: Flow, { set, keys, arrival }: PathPlace): void {
  if (request.method !== 'REGISTER' || !lists(request, 'Supported', 'path')) return
  const ob = isOutbound(request) ? `;${OUTBOUND}` : ''
  const phones = ownUri(set, arrival)
  const registrars = ownUri(set, hop)
  const outer = registrars === phones ? [] : [`<${registrars};lr>`]
  const inner = `<${phones};lr;${FLOW}=${makeFlowToken(keys, arrival)}${ob}>`
  change.set('Path', [...outer, inner, ...values(request, 'Path')].join(', '))
}

/** RFC 5626 5.1: it comes from the phone itself, which wants to be reached on this flow. */
function isOutbound(request: SipRequest): boolean {
  const list = contacts(request)
  const hasFlow = list !== '*' && list.some(({ params }) => params.has('reg-id'))
  return hasFlow && vias(request).length === 1 && lists(request, 'Supported', 'outbound')
}

/** RFC 5626 5.4: the 2xx by which a phone's flow is bound says how often the phone is to show that it is there. `sent` is the REGISTER as
 * it left us; null = who sent it is gone, and the Path stands in the response (RFC 3327 5.3). `relayed`: the response as it goes on. */
export function withFlowTimer(sent: SipRequest | null, response: SipResponse, relayed: string, keys: SetKeys): string {
  const { status } = response
  if (cseq(response).method !== 'REGISTER' || status < 200 || status >= 300 || !lists(response, 'Require', 'outbound'))
    return relayed
  const flow = boundFlow(sent ?? response, keys)
  const parsed = parseMessage(relayed)
  if (flow === null || !parsed.ok || header(response, 'Flow-Timer') !== null) return relayed
  const seconds = flow.stream === '' ? FLOW_TIMER.datagrams : FLOW_TIMER.stream
  return edit(parsed.value).set('Flow-Timer', String(seconds)).print()
}

/** The flow that our own Path value in it binds. */
function boundFlow(message: SipRequest | SipResponse, keys: SetKeys): Flow | null {
  for (const value of values(message, 'Path')) {
    const uri = parseUri(parseNameAddr(value)?.uri ?? '')
    if (uri === null || uri.kind !== 'sip' || !uri.params.has(OUTBOUND)) continue
    const flow = readFlowToken(keys, uri.params.get(FLOW) ?? '')
    if (flow !== null) return flow
  }
  return null
}

function lists(message: SipRequest | SipResponse, name: string, option: string): boolean {
  return values(message, name).some((value) => value.toLowerCase() === option)
}
