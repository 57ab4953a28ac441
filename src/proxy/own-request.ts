// A request of the set's own in a dialog between two phones, written as if the other one had sent it (RFC 3261 12.2.1.1). Its
// only Via is ours, so what answers it ends here.
//
// The branch is a hash of all the rest: a request with other bytes is another transaction, whoever of the set writes it. A `nonce` tells
// requests apart that are alike in all else.

import { must } from '../base/assert.ts'
import { hashHex, sipHashText } from '../base/hash.ts'
import { buildRequest } from '../sip/build.ts'
import { edit } from '../sip/edit.ts'
import { parseMessage, recordRoutes, values } from '../sip/message.ts'
import type { SipMessage, SipRequest } from '../sip/message.ts'
import { parseUri } from '../sip/uri.ts'
import type { Flow } from '../wire/entry.ts'
import { COOKIE } from './branch.ts'
import { replaceRoutes } from './forward.ts'
import type { Forwarded, SetPlace } from './forward.ts'
import { isSetUri, sentByFor } from './own.ts'
import { TOKEN, makeToken, readToken } from './token.ts'

/** One end of the dialog: its URI and tag. */
export interface End {
  readonly uri: string
  readonly tag: string
}

export interface OwnParts {
  readonly method: string
  readonly cseq: number
  readonly callId: string
  readonly from: End
  readonly to: End
  /** The remote target and the route set. */
  readonly target: string
  readonly routes: readonly string[]
}

const MAX_FORWARDS = '70'
/** Of a draft, which goes nowhere. */
const DRAFT_VIA = `SIP/2.0/UDP draft.invalid;branch=${COOKIE}`

/** The request before it is known where it goes. null = the dialog's phones gave what can't be written. */
export function draftRequest({ method, cseq, callId, from, to, target, routes }: OwnParts): SipRequest | null {
  const text = buildRequest({
    method,
    requestUri: target,
    headers: [
      ['Via', DRAFT_VIA],
      ...routes.map((route) => ['Route', route] as const),
      ['Max-Forwards', MAX_FORWARDS],
      ['From', `<${from.uri}>;tag=${from.tag}`],
      ['To', `<${to.uri}>;tag=${to.tag}`],
      ['Call-ID', callId],
      ['CSeq', `${cseq} ${method}`],
    ],
  })
  const parsed = parseMessage(text)
  return parsed.ok && parsed.value.kind === 'request' ? parsed.value : null
}

/** The draft on its way to `hop`, with what 16.6 makes of Request-URI and routes; null = as they are. */
export function sendOwn(
  draft: SipRequest,
  way: { readonly requestUri: string | null; readonly routes: readonly string[] | null; readonly hop: Flow },
  place: SetPlace,
  nonce = '',
): Forwarded {
  const change = edit(draft).removeTopVia()
  if (way.requestUri !== null) change.requestUri(way.requestUri)
  if (way.routes !== null) replaceRoutes(draft, change, way.routes)
  const rest = change.print()
  const key = must(place.keys.key(1), 'the set has no key yet')
  const branch = `${COOKIE}1${hashHex(sipHashText(key, `own ${nonce} ${place.group} ${rest}`))}`
  const protocol = way.hop.transport.toUpperCase()
  const token = makeToken(place.keys, place.group, '')
  const via = `SIP/2.0/${protocol} ${sentByFor(place.set, way.hop)};branch=${branch};${TOKEN}=${token}`
  return { text: change.prependVia(via).print(), branch, hop: way.hop }
}

/** The same request with another CSeq number, as another transaction. */
export function sendAgainAs(sent: SipRequest, cseq: number, hop: Flow, place: SetPlace): Forwarded {
  const text = edit(sent).set('CSeq', `${cseq} ${sent.method}`).print()
  const parsed = parseMessage(text)
  const draft = must(parsed.ok && parsed.value.kind === 'request' ? parsed.value : null, 'our own request')
  return sendOwn(draft, { requestUri: null, routes: null, hop }, place)
}

/** The route sets of a dialog as the set has them, from where it stands in Record-Route (12.1.1, 12.1.2): towards the callee what
 * was added below us, the last first; towards the caller what was there above us. */
export function routeSets(
  invite: SipMessage,
  answer: SipMessage,
  { set, keys, group }: SetPlace,
): { readonly toCaller: readonly string[]; readonly toCallee: readonly string[] } {
  const [asked, answered] = [values(invite, 'Record-Route'), values(answer, 'Record-Route')]
  const isOwn = ({ uri }: { readonly uri: string }): boolean => {
    const parsed = parseUri(uri)
    if (parsed === null || !isSetUri(set, parsed)) return false
    // Those of other groups are the other applications' of a chain (chain.ts).
    const named = readToken(keys, parsed.params.get(TOKEN) ?? '', '')
    return named === null || named === group
  }
  const above = recordRoutes(invite).findLastIndex(isOwn)
  const below = recordRoutes(answer).findIndex(isOwn)
  return {
    toCaller: asked.slice(above + 1),
    toCallee: answered.slice(0, Math.max(0, below)).toReversed(),
  }
}
