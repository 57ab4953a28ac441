// The bytes of a leg's messages: what a dialog makes of a request (RFC 3261 12.2.1.1) or a response (12.1.1), and the rest as the
// application gave it. What it gives is checked here: a header that can't be written would stop the replica.

import { flat } from '../base/bytes.ts'
import { boundStream } from '../call/bound.ts'
import { routeOf } from '../call/forward.ts'
import type { Way } from '../call/forward.ts'
import { contactOf } from '../call/invite-dialog.ts'
import type { Turn } from '../call/turn.ts'
import { COOKIE } from '../proxy/branch.ts'
import { ownUri, speaks } from '../proxy/own.ts'
import { isSips } from '../proxy/route.ts'
import { TOKEN, legParameter, makeToken } from '../proxy/token.ts'
import type { Dialog } from '../session/dialog.ts'
import type { Leg } from '../session/leg.ts'
import { buildRequest, buildResponse } from '../sip/build.ts'
import type { HeaderList } from '../sip/build.ts'
import { longName } from '../sip/header-name.ts'
import { sipLimits } from '../sip/limits.ts'
import { parseMessage, values, vias } from '../sip/message.ts'
import type { SipMessage, SipRequest } from '../sip/message.ts'
import { isToken } from '../sip/scan.ts'
import type { Transport } from '../sip/transport.ts'
import type { Flow } from '../wire/entry.ts'
import type { MessageParts } from './contract.ts'
import { DIALOG_HEADERS } from './dialog-headers.ts'
import type { OpFault } from './leg-find.ts'

/** The methods that set the targets of a dialog (12.2), or have one. */
const WITH_CONTACT: readonly string[] = ['INVITE', 'UPDATE', 'SUBSCRIBE', 'REFER', 'NOTIFY']

/** Of a draft, which goes nowhere. */
export const DRAFT_VIA = `SIP/2.0/UDP draft.invalid;branch=${COOKIE}`

export function partsFault({ headers, body, reason }: MessageParts): OpFault {
  const bad = headers.find(([name]) => !isToken(name))
  if (bad !== undefined) return `"${bad[0].slice(0, 40)}" is no header's name`
  const texts = [body, reason ?? '', ...headers.map(([, value]) => value)]
  if (texts.some((text) => [...text].some((character) => character.charCodeAt(0) > 255)))
    return 'text of a message is to be bytes, a character each (UTF-8 first)'
  const length = texts.reduce((sum, text) => sum + text.length, 0)
  return length > sipLimits.message / 2 ? `more than ${sipLimits.message / 2} bytes of headers and body` : null
}

/** Our URI in a leg: it names the group, so whatever comes there is its owner's. */
export function contactValue(turn: Turn, leg: Leg, flow: Flow, secure: boolean): string {
  const { settings, keys } = turn.ctx
  const token = makeToken(keys, turn.key, '')
  const mark = legParameter(keys, turn.key, leg.callId)
  return `<${ownUri(settings.sip, flow, secure)};${TOKEN}=${token}${mark}>`
}

/** An answer of ours in a leg. */
export function responseText(
  turn: Turn,
  request: SipRequest,
  leg: Leg,
  upstream: Flow,
  { status, reason, headers, body }: MessageParts & { readonly status: number },
): string {
  const isOfDialog = status < 300 && WITH_CONTACT.includes(request.method)
  // 12.1.1: all of them, in their order.
  const routes = isOfDialog ? values(request, 'Record-Route').map((value) => ['Record-Route', value] as const) : []
  const contact = isOfDialog
    ? [['Contact', contactValue(turn, leg, upstream, isSips(request.requestUri))] as const]
    : []
  const own = headers.filter(([name]) => !DIALOG_HEADERS.has(longName(name)) || (status >= 300 && isContact(name)))
  return buildResponse(request, status, reason, {
    toTag: leg.local.tag,
    headers: [...routes, ...contact, ...own],
    body,
  })
}

/** A refusal of ours, of which nothing is kept. */
export function refusalText(request: SipRequest, leg: Leg, status: number, headers: HeaderList = []): string {
  return buildResponse(request, status, undefined, { toTag: leg.local.tag, headers })
}

export interface LegRequest {
  readonly method: string
  readonly cseq: number
  readonly parts: MessageParts
  readonly maxForwards: number
}

/** The request before its hop is known; `contact` null = none. Null: it can't be written. */
export function legDraft(leg: Leg, request: LegRequest, contact: string | null): SipRequest | null {
  const { method, cseq, parts, maxForwards } = request
  const { local, remote } = leg
  const text = buildRequest({
    method,
    requestUri: remote.target,
    headers: [
      ['Via', DRAFT_VIA],
      ...leg.routes.map((route) => ['Route', route] as const),
      ['Max-Forwards', String(maxForwards)],
      ['From', `${local.party};tag=${local.tag}`],
      ['To', remote.tag === '' ? remote.party : `${remote.party};tag=${remote.tag}`],
      ['Call-ID', leg.callId],
      ['CSeq', `${cseq} ${method}`],
      ...(contact === null ? [] : [['Contact', contact] as const]),
      ...parts.headers.filter(([name]) => !DIALOG_HEADERS.has(longName(name))),
    ],
    body: parts.body,
  })
  const parsed = parseMessage(text)
  return parsed.ok && parsed.value.kind === 'request' ? parsed.value : null
}

export function hasContact(method: string): boolean {
  return WITH_CONTACT.includes(method)
}

/** Where a draft goes: by its Route values, and straight to a phone that can't be called back. */
export function wayOf(turn: Turn, leg: Leg, draft: SipRequest): Way {
  const { remote } = leg
  const flow = { transport: remote.transport, host: '', port: 0, stream: '' }
  return routeOf(turn, draft, flow, remote.tag === '' ? null : { value: asDialog(leg), sender: 'caller' })
}

/** The leg as a relayed dialog, of which we are the caller. */
function asDialog({ state, session, callId, local, remote }: Leg): Dialog {
  const { tag, target, transport, cseq, stream } = remote
  return {
    kind: 'dialog',
    state: state === 'early' ? 'early' : 'confirmed',
    session,
    transaction: '',
    callId,
    caller: { tag: local.tag, target: '', transport, cseq: local.cseq, refreshed: 0, stream: '', routes: [] },
    callee: { tag, target, transport, cseq, refreshed: 0, stream, routes: [] },
    watch: null,
  }
}

/** By what a request goes that comes from nowhere. */
export function firstTransport(turn: Turn): Transport {
  const { sip } = turn.ctx.settings
  if (speaks(sip, 'udp')) return 'udp'
  return sip.listeners?.[0]?.transport ?? 'udp'
}

/** The remote target that a message names, and the connection that it is reached by, if it can't be called back. */
export function farEnd(message: SipMessage, flow: Flow): { readonly target: string | null; readonly stream: string } {
  const target = contactOf(message)
  // By datagrams a proxy may stand between.
  const isPhones = flow.transport !== 'udp' || (message.kind === 'request' && vias(message).length === 1)
  return { target, stream: isPhones ? flat(boundStream(flow, target ?? '')) : '' }
}

function isContact(name: string): boolean {
  return longName(name) === 'contact'
}
