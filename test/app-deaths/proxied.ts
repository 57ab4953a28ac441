// A proxy application whose replica dies in its turns.

import { defineApplication } from 'holdfast/servlet'
import { PATIENCE_MS, TICK_MS, atGate, call, isDone, note, onHttp } from './at-gate.ts'

export const proxied = defineApplication({
  name: 'proxied',

  doInvite(request, { timers }) {
    const { applicationSession: session } = request
    session.setExpires(0)
    session.setAttribute(call, request.from.uri.user ?? '')
    note(session, 'doInvite')
    timers.createTimer(session, PATIENCE_MS, true, 'patience')
    request.getProxy().proxyTo()
    return atGate(session, 'doInvite')
  },

  doSuccessResponse(response, { timers }) {
    const { applicationSession: session } = response
    if (response.method !== 'INVITE' || isDone(session, 'doSuccessResponse')) return undefined
    note(session, 'doSuccessResponse')
    timers.createTimer(session, TICK_MS, true, 'tick')
    return atGate(session, 'doSuccessResponse')
  },

  timeout(timer, { timers }) {
    const { applicationSession: session } = timer
    const [sip] = session.sessions
    const what = String(timer.info)
    note(session, what)
    if (what === 'tick' && sip?.remoteParty.uri.user === 'cutoff') timers.createTimer(session, TICK_MS, true, 'cutoff')
    if (what === 'cutoff') {
      for (const one of session.timers) one.cancel()
      sip?.endCall()
    }
    return atGate(session, what)
  },

  doHttp: (request, context) => onHttp(request, context, note),

  doBye(request) {
    for (const timer of request.applicationSession.timers) timer.cancel()
  },
})
