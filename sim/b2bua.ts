// A back-to-back user agent as an application of simulated sets: each request of one leg goes to the other, and each answer back (JSR 289
// 12). What it does follows from what it is asked alone.

import { body, callId, cseq, header, parseMessage, to } from '../src/sip/message.ts'
import type { SipMessage } from '../src/sip/message.ts'
import type { AppCall, AppMessage, MessageParts, Op, SipSessionView } from '../src/app/contract.ts'

const NOTHING: MessageParts = { headers: [], body: '' }

/** The second leg's Call-ID is the first one's with this before it. */
export const OTHER_LEG = 'b-'

export function b2buaOps(call: AppCall): readonly Op[] {
  const { handler, message } = call
  if (handler === 'noAckReceived') return noAck(call)
  const sip = message === null ? null : read(message)
  if (message === null || sip === null) return []
  if (sip.kind === 'response') return answered(call, message, sip)
  switch (handler) {
    case 'doInvite':
      return message.isInitial ? begun(call, message, sip) : asked(call, message, sip)
    case 'doAck':
      return acknowledged(call, message)
    case 'doBye':
      return ended(call, message)
    case 'doCancel':
      return cancelled(other(call, message))
    default:
      return asked(call, message, sip)
  }
}

function read({ text }: AppMessage): SipMessage | null {
  const parsed = parseMessage(text)
  return parsed.ok ? parsed.value : null
}

/** The other leg is begun, and linked, in the turn that takes the first one. */
function begun({ view }: AppCall, message: AppMessage, sip: SipMessage): readonly Op[] {
  const id = String(view.nextSession)
  const mine = view.sessions.find((one) => one.id === message.session)
  const requestUri = sip.kind === 'request' ? sip.requestUri : ''
  const place = {
    method: 'INVITE',
    from: mine?.remote ?? '',
    to: `<${to(sip).uri}>`,
    requestUri,
    routes: [],
    callId: OTHER_LEG + callId(sip),
  }
  return [
    { kind: 'create-session', id, first: { ...place, ...partsOf(sip), linked: message.request } },
    { kind: 'link', a: message.session, b: id },
  ]
}

function asked(call: AppCall, message: AppMessage, sip: SipMessage): readonly Op[] {
  const leg = other(call, message)
  const { method } = cseq(sip)
  if (leg === undefined) return [refusal(message, 481)]
  // One of its own waits there (14.1): the other end is to try again.
  const isGlare = method === 'INVITE' && leg.pending.some((one) => one.method === 'INVITE')
  if (isGlare || leg.state !== 'CONFIRMED') return [refusal(message, isGlare ? 491 : 481)]
  return [{ kind: 'request', session: leg.id, method, parts: partsOf(sip), linked: message.request }]
}

/** To the request that ours was sent for, if that still waits. */
function answered({ view }: AppCall, { linked = '' }: AppMessage, sip: SipMessage): readonly Op[] {
  const waits = view.sessions.some(({ pending }) => pending.some(({ id }) => id === linked))
  if (linked === '' || !waits || sip.kind !== 'response') return []
  return [{ kind: 'respond', request: linked, response: { status: sip.status, ...partsOf(sip) } }]
}

/** The 2xx of the one leg is acknowledged when its own ACK comes on the other. */
function acknowledged(call: AppCall, message: AppMessage): readonly Op[] {
  const leg = other(call, message)
  return leg?.state === 'CONFIRMED' ? [{ kind: 'ack', session: leg.id, parts: NOTHING }] : []
}

function ended(call: AppCall, message: AppMessage): readonly Op[] {
  const leg = other(call, message)
  return [refusal(message, 200), ...(leg?.state === 'CONFIRMED' ? [bye(leg.id)] : cancelled(leg))]
}

function cancelled(leg: SipSessionView | undefined): readonly Op[] {
  const waits = leg?.pending.some(({ direction, method }) => direction === 'out' && method === 'INVITE') === true
  return leg !== undefined && waits ? [{ kind: 'cancel', session: leg.id }] : []
}

function noAck({ view, subject }: AppCall): readonly Op[] {
  const leg = view.sessions.find(({ linked }) => linked === subject)
  return leg?.state === 'CONFIRMED' ? [bye(leg.id)] : []
}

function bye(session: string): Op {
  return { kind: 'request', session, method: 'BYE', parts: NOTHING }
}

function refusal({ request }: AppMessage, status: number): Op {
  return { kind: 'respond', request, response: { status, ...NOTHING } }
}

function other({ view }: AppCall, { session }: AppMessage): SipSessionView | undefined {
  const linked = view.sessions.find(({ id }) => id === session)?.linked
  return view.sessions.find(({ id }) => id === linked)
}

function partsOf(sip: SipMessage): MessageParts {
  const type = header(sip, 'Content-Type')
  return { headers: type === null ? [] : [['Content-Type', type]], body: body(sip) }
}
