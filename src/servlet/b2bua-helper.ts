// B2buaHelper (JSR 289 12): two legs that know each other.

import { longName } from '../sip/header-name.ts'
import { addressOf } from './address.ts'
import type { B2buaHelper, SipServletRequest, SipSession } from './api.ts'
import type { HandlerTurn } from './handler-turn.ts'
import { illegal } from './illegal-state.ts'
import { newLeg } from './new-leg.ts'
import { Request } from './request.ts'
import { Session } from './session.ts'

type Headers = Readonly<Record<string, string>>

export function b2buaHelper(turn: HandlerTurn): B2buaHelper {
  function linkSipSessions(a: SipSession, b: SipSession): void {
    const [one, other] = [own(turn, a), own(turn, b)]
    if (one === other) illegal('a SipSession can not be linked to itself')
    for (const session of [one, other]) {
      if (session.linked !== '')
        illegal('this SipSession is linked already: unlinkSipSessions(session) frees both first')
      if (session.isProxied)
        illegal('a call that is proxied is one SipSession for both sides: there is nothing to link')
    }
    turn.record({ kind: 'link', a: one.id, b: other.id })
    one.linked = other.id
    other.linked = one.id
  }

  function createRequest(
    first: SipServletRequest | SipSession,
    second?: boolean | SipServletRequest,
    headers: Headers = {},
  ): Request {
    if (first.kind === 'sip') return inLeg(own(turn, first), ownRequest(second), headers)
    const original = ownRequest(first)
    if (!original.isInitial) {
      illegal(
        `this ${original.method} is of a dialog: createRequest(session, request) copies it into the other leg, getLinkedSession finds that`,
      )
    }
    const copy = copyOf(turn, original, headers)
    if (second !== false) linkSipSessions(original.session, copy.session)
    return copy
  }

  return {
    createRequest,
    createResponseToOriginalRequest(session, status, reasonPhrase) {
      const opening = own(turn, session).pendingRequests.find((request) => request.isIncoming)
      if (opening === undefined)
        illegal('this SipSession has no request that waits for an answer: it has got its final one')
      return opening.createResponse(status, reasonPhrase)
    },
    createCancel(session) {
      const invite = own(turn, session).pendingRequests.find((one) => !one.isIncoming && one.method === 'INVITE')
      if (invite === undefined)
        illegal('this SipSession has no INVITE without a final response: endCall() ends one that is up')
      return invite.createCancel()
    },
    linkSipSessions,
    unlinkSipSessions(session) {
      const one = own(turn, session)
      if (one.linked === '') illegal('this SipSession is not linked')
      turn.record({ kind: 'unlink', session: one.id })
      const other = turn.applicationSession.find(one.linked)
      one.linked = ''
      if (other !== null) other.linked = ''
    },
    getLinkedSession(session) {
      return turn.applicationSession.getSipSession(own(turn, session).linked)
    },
    getLinkedSipServletRequest(request) {
      const { id, linked } = ownRequest(request)
      const waiting = turn.applicationSession.sessions.flatMap((session) => session.pendingRequests)
      const isOther = (one: Request): boolean => (linked === '' ? one.linked === id && id !== '' : one.id === linked)
      return waiting.find(isOther) ?? null
    },
    getPendingMessages(session, mode) {
      return own(turn, session).pendingRequests.filter((request) => request.isIncoming === (mode === 'UAS'))
    },
  }
}

function copyOf(turn: HandlerTurn, original: Request, headers: Headers): Request {
  const given = new Map(Object.entries(headers).map(([name, value]) => [longName(name), value]))
  const from = given.get('from')
  const to = given.get('to')
  const copy = newLeg(turn, {
    method: original.method,
    from: from === undefined ? original.from : addressOf(from),
    to: to === undefined ? original.to : addressOf(to),
    linked: original,
  })
  copy.copyFrom(original)
  copy.setRequestURI(original.requestURI)
  setAll(copy, headers)
  return copy
}

function inLeg(session: Session, original: Request, headers: Headers): Request {
  const copy = session.requestFor(original.method, original)
  copy.copyFrom(original)
  setAll(copy, headers)
  return copy
}

function setAll(request: Request, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) {
    if (longName(name) !== 'from' && longName(name) !== 'to') request.setHeader(name, value)
  }
}

function own(turn: HandlerTurn, session: SipSession): Session {
  if (!(session instanceof Session) || turn.applicationSession.find(session.id) !== session) {
    throw new TypeError('take the SipSession from this turn: from a message, or from applicationSession.sessions')
  }
  session.check()
  return session
}

function ownRequest(request: unknown): Request {
  if (request instanceof Request) return request
  throw new TypeError('createRequest takes (request, linked?, headers?) or (session, request, headers?)')
}
