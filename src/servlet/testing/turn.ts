// Turns of handlers without a replica: a view, a message, and what the handler did.

import { groupKey, index } from '../../base/brand.ts'
import { seconds, stamp } from '../../base/instant.ts'
import type {
  AppCall,
  AppMessage,
  HandlerName,
  Op,
  ServletTimerView,
  SessionView,
  SipSessionView,
} from '../../app/contract.ts'
import type { HandlerContext, SipServletRequest, SipServletResponse } from '../api.ts'
import { defineApplication } from '../application.ts'
import type { ApplicationDefinition } from '../application.ts'
import { runHandler } from '../run-handler.ts'

/** Cluster time of every call here: 2026-01-01, in milliseconds. */
export const NOW = 1_767_225_600_000

export const INVITE = requestText('INVITE')

export function requestText(method: string, more: readonly string[] = [], body = ''): string {
  return [
    `${method} sip:bob@example.com SIP/2.0`,
    'Via: SIP/2.0/UDP 127.0.0.1:5066;branch=z9hG4bK1',
    'From: "Alice" <sip:alice@example.com>;tag=a1',
    'To: <sip:bob@example.com>',
    'Call-ID: call-1',
    `CSeq: 1 ${method}`,
    'Contact: <sip:alice@127.0.0.1:5066>',
    'Max-Forwards: 70',
    'Subject: lunch',
    ...more,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

export function responseText(status: number, method = 'INVITE', more: readonly string[] = [], body = ''): string {
  return [
    `SIP/2.0 ${status} Because`,
    'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK2',
    'From: "Alice" <sip:alice@example.com>;tag=ours',
    'To: <sip:bob@example.com>;tag=b1',
    'Call-ID: call-2',
    `CSeq: 1 ${method}`,
    ...more,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

export function sessionView(given: Partial<SipSessionView> = {}): SipSessionView {
  return {
    id: '1',
    state: 'INITIAL',
    role: 'uas',
    isValid: true,
    invalidateWhenReady: true,
    callId: 'call-1',
    local: '<sip:bob@example.com>',
    remote: '"Alice" <sip:alice@example.com>',
    localTag: 'us',
    remoteTag: 'a1',
    linked: '',
    handler: '',
    attributes: [],
    pending: [],
    version: 1,
    ...given,
  }
}

export function timerView(given: Partial<ServletTimerView> = {}): ServletTimerView {
  const due = stamp((NOW + 5_000) * 1_000)
  return { id: 't1', due, period: null, isFixedDelay: false, isPersistent: true, info: null, ...given }
}

export function view(given: Partial<SessionView> = {}): SessionView {
  return {
    group: groupKey('0123456789abcdef'),
    id: '1-0123456789abcdef-mac',
    created: stamp((NOW - 1_000) * 1_000),
    lastAccessed: stamp((NOW - 500) * 1_000),
    expires: stamp((NOW + 179_000) * 1_000),
    isValid: true,
    invalidateWhenReady: true,
    key: null,
    stateInfo: null,
    attributes: [],
    sessions: [sessionView()],
    timers: [],
    version: 1,
    groupVersion: 1,
    index: index(10),
    nextSession: 2,
    nextTimer: 1,
    uriToken: 'token',
    ...given,
  }
}

export function message(given: Partial<AppMessage> = {}): AppMessage {
  return { kind: 'request', session: '1', request: 'r1', text: INVITE, isInitial: true, ...given }
}

export function call(handler: HandlerName, given: Partial<AppCall> = {}): AppCall {
  return {
    id: 1,
    application: 'tested',
    version: '1',
    handler,
    message: null,
    subject: '',
    due: null,
    http: null,
    now: stamp(NOW * 1_000),
    view: view(),
    ...given,
  }
}

/** What the handler did; throws what it threw. */
export function turn(handlers: Omit<ApplicationDefinition, 'name'>, asked: AppCall): readonly Op[] {
  const run = runHandler(defineApplication({ name: 'tested', ...handlers }), asked)
  if (run.kind === 'pending') throw new Error('the handler is async')
  if (run.answer.kind === 'failed') throw new Error(run.answer.reason)
  return run.answer.ops
}

/** A handler of a request, as `doInvite` unless the call names another. */
export function onRequest(
  handle: (request: SipServletRequest, context: HandlerContext) => void,
  given: Partial<AppMessage> = {},
  of: Partial<SessionView> = {},
): readonly Op[] {
  return turn({ doRequest: handle }, call('doInvite', { message: message(given), view: view(of) }))
}

/** A handler of a response to our own INVITE in session 2, which is linked with session 1 where the caller waits. */
export function onResponse(
  handle: (response: SipServletResponse, context: HandlerContext) => void,
  text: string,
  of: Partial<SessionView> = {},
): readonly Op[] {
  const caller = sessionView({
    linked: '2',
    pending: [{ id: 'r1', direction: 'in', method: 'INVITE', text: INVITE }],
  })
  const callee = sessionView({
    id: '2',
    role: 'uac',
    linked: '1',
    callId: 'call-2',
    local: '"Alice" <sip:alice@example.com>',
    remote: '<sip:bob@example.com>',
    pending: [{ id: 'r2', direction: 'out', method: 'INVITE', text: INVITE, linked: 'r1' }],
  })
  const asked = call('doResponse', {
    message: message({ kind: 'response', session: '2', request: 'r2', text, isInitial: false }),
    view: view({ sessions: [caller, callee], nextSession: 3, ...of }),
  })
  return turn({ doResponse: handle }, asked)
}

/** A turn of `timeout`. */
export function onTimeout(
  handlers: Pick<ApplicationDefinition, 'timeout'>,
  given: Partial<SessionView> = {},
): readonly Op[] {
  const late = seconds(1)
  const due = stamp(NOW * 1_000 - late)
  const timers = given.timers ?? [timerView({ due })]
  return turn(handlers, call('timeout', { subject: 't1', due, view: view({ timers, nextTimer: 2, ...given }) }))
}
