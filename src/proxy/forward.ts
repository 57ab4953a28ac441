// RFC 3261 16.6: the request as it leaves us. What it doesn't name stays byte for byte as it came.

import type { GroupKey } from '../base/brand.ts'
import { must } from '../base/assert.ts'
import { callId, maxForwards, parseMessage, toTag, values } from '../sip/message.ts'
import type { SipRequest, SipResponse } from '../sip/message.ts'
import { edit } from '../sip/edit.ts'
import type { Edit } from '../sip/edit.ts'
import { viaText } from '../sip/via.ts'
import type { Flow } from '../wire/entry.ts'
import { makeBranch, nextBranch } from './branch.ts'
import type { BranchPlace } from './branch.ts'
import { ownUri, sentByFor } from './own.ts'
import { addPath } from './path.ts'
import type { RouteAnswer } from './route.ts'
import type { SetAddress, SetKeys } from './settings.ts'
import { STREAM, TOKEN, legParameter, makeToken } from './token.ts'
import { streamToken, viaOf } from './upstream.ts'

/** What our own values in a request are made of. */
export interface SetPlace {
  readonly group: GroupKey
  readonly set: SetAddress
  readonly keys: SetKeys
}

/** ...in one that we relay. */
export interface RelayPlace extends SetPlace {
  /** Where the request came from. */
  readonly arrival: Flow
}

export interface ForwardPlace extends BranchPlace, RelayPlace {
  /** RFC 5393: the Max-Breadth it leaves with; absent = as it is, for a request that doesn't fork. */
  readonly breadth?: number
  /** Whether the target has further places (RFC 3263 4.3), for a request that the log has nothing of. */
  readonly isFollowed?: boolean
  /** 18.1.1: what is longer, in bytes, goes by TCP instead of UDP. */
  readonly datagramMost: number
}

export interface Forwarded {
  readonly text: string
  readonly branch: string
  readonly hop: Flow
}

/** Of a route, with its hop found. */
type ForwardAnswer = Pick<Extract<RouteAnswer, { kind: 'forward' }>, 'requestUri' | 'routes'> & { readonly hop: Flow }

/** The methods that form a dialog: their requests are record-routed. */
const DIALOG_METHODS: readonly string[] = ['INVITE', 'SUBSCRIBE', 'REFER']

const DEFAULT_MAX_FORWARDS = 70

/** The parameter of our Via in a request that went by TCP for its size alone. */
const MOVED = 'hfu'

/** The parameter of our Via in a request that goes on to another place, should this one answer 503. */
const FOLLOWED = 'hfn'

/** The request for one target. Its Max-Forwards is not 0 (validate.ts). */
export function forwardRequest(request: SipRequest, answer: ForwardAnswer, place: ForwardPlace): Forwarded {
  const branch = makeBranch(place.keys, place.group, request, place)
  const { hop } = answer
  const text = forwardText(request, answer, place, ourVia(hop, branch, request, place), hop)
  if (hop.transport !== 'udp' || text.length <= place.datagramMost) return { text, branch, hop }
  // 18.1.1: near the MTU or above it a request MUST go by a transport that bears it. Record-Route stays as the route has it:
  // what is said of this request's size is not said of the dialog's.
  const byTcp: Flow = { ...hop, transport: 'tcp' }
  const via = `${ourVia(byTcp, branch, request, place)};${MOVED}`
  return { text: forwardText(request, answer, place, via, byTcp), branch, hop: byTcp }
}

function forwardText(request: SipRequest, answer: ForwardAnswer, place: ForwardPlace, via: string, by: Flow): string {
  const change = edit(request)
  if (answer.requestUri !== null) change.requestUri(answer.requestUri)
  if (answer.routes !== null) replaceRoutes(request, change, answer.routes)
  const hops = maxForwards(request)
  change.maxForwards(hops === null ? DEFAULT_MAX_FORWARDS : hops - 1)
  if (place.breadth !== undefined) change.set('Max-Breadth', String(place.breadth))
  if (DIALOG_METHODS.includes(request.method) && toTag(request) === null) {
    const isSips = (answer.requestUri ?? request.requestUri).toLowerCase().startsWith('sips:')
    for (const value of recordRoutes(answer.hop, place, isSips, callId(request))) change.prependRecordRoute(value)
  }
  addPath(request, change, answer.hop, place)
  if (by.transport !== 'udp') change.contentLength()
  return change.prependVia(via).print()
}

/** Whether this request of ours went by TCP for its size alone: else it had gone by UDP. */
export function isMoved(sent: SipRequest): boolean {
  return viaOf(sent).params.has(MOVED)
}

/** Whether what this answers went to a place that others come after. */
export function isOfFollowed(response: SipResponse): boolean {
  return viaOf(response).params.has(FOLLOWED)
}

/** 18.1.1: the same request by UDP, if it went by TCP for its size alone, and nobody takes TCP there. It is another attempt, so
 * it has another branch. */
export function movedBack(
  sent: SipRequest,
  hop: Flow,
  branch: string,
  place: { readonly keys: SetKeys; readonly attempt: number },
): Forwarded | null {
  const via = viaOf(sent)
  if (!isMoved(sent)) return null
  const again = nextBranch(place.keys, branch, place.attempt)
  const params = new Map([...via.params].filter(([name]) => name !== MOVED)).set('branch', again)
  const text = edit(sent)
    .removeTopVia()
    .prependVia(viaText({ ...via, transport: 'UDP', params }))
    .print()
  return { text, branch: again, hop: { ...hop, transport: 'udp', stream: '' } }
}

/** The request as it came to us, of what `forwardRequest` made of it: without what we put on it. `place` is the one that it went by. */
export function asReceived(sent: SipRequest, hop: Flow, place: RelayPlace): SipRequest {
  const change = edit(sent).removeTopVia()
  const went: Flow = isMoved(sent) ? { ...hop, transport: 'udp' } : hop
  const isSips = sent.requestUri.toLowerCase().startsWith('sips:')
  if (DIALOG_METHODS.includes(sent.method) && toTag(sent) === null) {
    const { length } = recordRoutes(went, place, isSips, callId(sent))
    for (let left = length; left > 0; left--) change.removeTopRecordRoute()
  }
  const parsed = parseMessage(change.maxForwards((maxForwards(sent) ?? DEFAULT_MAX_FORWARDS) + 1).print())
  return must(parsed.ok && parsed.value.kind === 'request' ? parsed.value : null, 'a request of ours can be parsed')
}

/** Nearly always the topmost values just go, and the others stay as they are. */
export function replaceRoutes(request: SipRequest, change: Edit, routes: readonly string[]): void {
  const before = values(request, 'Route')
  const gone = before.length - routes.length
  if (gone < 0 || routes.some((text, i) => text !== before[gone + i])) {
    change.set('Route', routes.join(', '))
    return
  }
  for (let i = 0; i < gone; i++) change.removeTopRoute()
}

/** 16.6 step 4, RFC 5658: one value where both sides find us alike, else one for each side, so that each finds us by its own
 * transport and its own kind of address. In the order in which they are put on top: the upstream side's first. */
function recordRoutes(hop: Flow, place: RelayPlace, isSips: boolean, id: string): readonly string[] {
  const mark = legParameter(place.keys, place.group, id)
  const upstream = recordRoute(place.arrival, place, isSips, mark)
  const downstream = recordRoute(hop, place, isSips, mark)
  return upstream === downstream ? [upstream] : [upstream, downstream]
}

/** For the side that `flow` leads to. A sips URI stays one on the way back. */
function recordRoute(flow: Flow, place: SetPlace, isSips: boolean, mark: string): string {
  const token = makeToken(place.keys, place.group, '')
  return `<${ownUri(place.set, flow, isSips)};lr;${TOKEN}=${token}${mark}>`
}

/** 16.6 step 8. */
function ourVia(hop: Flow, branch: string, request: SipRequest, place: ForwardPlace): string {
  // An ACK gets no answer: the same ACK on another connection is the same bytes.
  const stream = request.method === 'ACK' ? '' : place.arrival.stream
  const named = stream === '' ? '' : `;${STREAM}=${streamToken(stream)}`
  const token = makeToken(place.keys, place.group, stream)
  const followed = place.isFollowed === true ? `;${FOLLOWED}` : ''
  return `SIP/2.0/${hop.transport.toUpperCase()} ${sentByFor(place.set, hop)};branch=${branch};${TOKEN}=${token}${named}${followed}`
}
