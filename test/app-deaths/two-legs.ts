// A back-to-back user agent whose replica dies in its turns: each of them changes both legs.

import { defineApplication } from 'holdfast/servlet'
import type { SipApplicationSession } from 'holdfast/servlet'
import { PATIENCE_MS, TICK_MS, atGate, call, isDone, note, onHttp } from './at-gate.ts'

/** Both legs know of the turn. */
function noteBoth(session: SipApplicationSession, turn: string): void {
  note(session, turn)
  for (const leg of session.sessions) leg.setAttribute('turn', turn)
}

export const twoLegs = defineApplication({
  name: 'two-legs',

  doInvite(request, { timers }) {
    const { applicationSession: session } = request
    session.setExpires(0)
    session.setAttribute(call, request.from.uri.user ?? '')
    timers.createTimer(session, PATIENCE_MS, true, 'patience')
    request.getB2buaHelper().createRequest(request).send()
    noteBoth(session, 'doInvite')
    return atGate(session, 'doInvite')
  },

  doSuccessResponse(response, { timers }) {
    const { applicationSession: session } = response
    if (response.method !== 'INVITE' || isDone(session, 'doSuccessResponse')) return undefined
    response.createAck().send()
    response.request.getB2buaHelper().getLinkedSipServletRequest(response.request)?.createResponse(200).send()
    noteBoth(session, 'doSuccessResponse')
    timers.createTimer(session, TICK_MS, true, 'tick')
    return atGate(session, 'doSuccessResponse')
  },

  timeout(timer, { timers }) {
    const { applicationSession: session } = timer
    const legs = session.sessions.filter(({ state }) => state === 'CONFIRMED')
    const what = String(timer.info)
    noteBoth(session, what)
    if (what === 'tick') {
      for (const leg of legs) leg.createRequest('INFO').send()
      if (legs[0]?.localParty.uri.user === 'cutoff') timers.createTimer(session, TICK_MS, true, 'cutoff')
    } else if (what === 'cutoff') {
      for (const one of session.timers) one.cancel()
      for (const leg of legs) leg.endCall()
    }
    return atGate(session, what)
  },

  doHttp: (request, context) => onHttp(request, context, noteBoth),

  doBye(request) {
    const { applicationSession: session } = request
    for (const timer of session.timers) timer.cancel()
    request.createResponse(200).send()
    request.getB2buaHelper().getLinkedSession(request.session)?.endCall()
  },
})
