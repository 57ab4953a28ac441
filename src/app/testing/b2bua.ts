// A back-to-back user agent as an application: each request of one leg goes to the other, and each answer back (JSR 289 12).

import type { Op, SessionView, SipSessionView } from '../contract.ts'
import { body, cseq, header, parseMessage, to } from '../../sip/message.ts'
import type { SipMessage } from '../../sip/message.ts'
import type { Heard, Handler, Handlers } from './legs-scene.ts'

const NOTHING = { headers: [], body: '' }

function messageOf(event: Heard): SipMessage {
  const parsed = parseMessage(event.message?.text ?? '')
  if (!parsed.ok) throw new Error(parsed.error.code)
  return parsed.value
}

function partsOf(event: Heard): { readonly headers: readonly (readonly [string, string])[]; readonly body: string } {
  const message = messageOf(event)
  const type = header(message, 'Content-Type')
  return { headers: type === null ? [] : [['Content-Type', type]], body: body(message) }
}

function sessionOf(event: Heard, view: SessionView): SipSessionView | undefined {
  return view.sessions.find(({ id }) => id === event.message?.session)
}

function other(event: Heard, view: SessionView): SipSessionView | undefined {
  const linked = sessionOf(event, view)?.linked
  return view.sessions.find(({ id }) => id === linked)
}

/** The first INVITE: the other leg, linked, in the same turn. */
const begin: Handler = (event, view) => {
  const a = event.message?.session ?? ''
  const b = String(view.nextSession)
  const { uri } = to(messageOf(event))
  const from = sessionOf(event, view)?.remote ?? ''
  const linked = event.message?.request ?? ''
  const place = { method: 'INVITE', from, to: `<${uri}>`, requestUri: uri, routes: [], callId: `b-${view.group}` }
  return [
    { kind: 'create-session', id: b, first: { ...place, ...partsOf(event), linked } },
    { kind: 'link', a, b },
  ]
}

const relayRequest: Handler = (event, view) => {
  if (event.message?.isInitial === true) return begin(event, view)
  const { method } = cseq(messageOf(event))
  const session = other(event, view)?.id
  if (session === undefined) return []
  return [{ kind: 'request', session, method, parts: partsOf(event), linked: event.message?.request ?? '' }]
}

/** The answer goes to the request that ours was sent for, if that still waits. */
const relayResponse: Handler = (event, view) => {
  const message = messageOf(event)
  const { linked } = event.message ?? {}
  const waits = view.sessions.some(({ pending }) => pending.some(({ id }) => id === linked))
  if (linked === undefined || linked === '' || !waits || message.kind !== 'response') return []
  return [{ kind: 'respond', request: linked, response: { status: message.status, ...partsOf(event) } }]
}

/** A 2xx to an INVITE is acknowledged on the one leg when its own ACK comes on the other. */
const relayAck: Handler = (event, view) => {
  const session = other(event, view)?.id
  return session === undefined ? [] : [{ kind: 'ack', session, parts: partsOf(event) }]
}

const relayBye: Handler = (event, view) => {
  const leg = other(event, view)
  const ok: Op = { kind: 'respond', request: event.message?.request ?? '', response: { status: 200, ...NOTHING } }
  if (leg === undefined) return [ok]
  if (leg.state === 'CONFIRMED') return [ok, { kind: 'request', session: leg.id, method: 'BYE', parts: NOTHING }]
  return [ok, ...cancelled(leg)]
}

const relayCancel: Handler = (event, view) => {
  const leg = other(event, view)
  return leg === undefined ? [] : cancelled(leg)
}

function cancelled(leg: SipSessionView): readonly Op[] {
  const waits = leg.pending.some(({ direction, method }) => direction === 'out' && method === 'INVITE')
  return waits ? [{ kind: 'cancel', session: leg.id }] : []
}

/** Nobody acknowledged the one leg: the other one ends as well; ours is ended without being asked for. */
const noAck: Handler = (event, view) => {
  const session = view.sessions.find(({ id }) => id === event.subject)?.linked ?? ''
  const isUp = view.sessions.some(({ id, state }) => id === session && state === 'CONFIRMED')
  return isUp ? [{ kind: 'request', session, method: 'BYE', parts: NOTHING }] : []
}

export const b2bua: Handlers = {
  doInvite: relayRequest,
  doInfo: relayRequest,
  doUpdate: relayRequest,
  doAck: relayAck,
  doBye: relayBye,
  doCancel: relayCancel,
  doProvisionalResponse: relayResponse,
  doSuccessResponse: relayResponse,
  doRedirectResponse: relayResponse,
  doErrorResponse: relayResponse,
  noAckReceived: noAck,
}
