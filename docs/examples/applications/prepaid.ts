// Prepaid calls: the call is cut off when the caller's credit is used up, whichever replicas have died meanwhile.

import { attribute, defineApplication } from 'holdfast/servlet'

/** Seconds that a caller may talk; a real one asks its billing system, in an async handler. */
const credit = new Map([
  ['alice', 600],
  ['bob', 3],
])

const caller = attribute<string>('caller')
const answeredAt = attribute<number>('answeredAt')

export const prepaid = defineApplication({
  name: 'prepaid',

  doInvite(request) {
    const user = request.from.uri.user ?? ''
    if ((credit.get(user) ?? 0) <= 0) return request.createResponse(402, 'No Credit').send()
    const session = request.applicationSession
    session.setAttribute(caller, user)
    // Else it would expire after three minutes, and its timer with it.
    session.setExpires(0)
    request.getProxy().proxyTo()
  },

  doSuccessResponse(response, { timers, now }) {
    const session = response.applicationSession
    if (response.method !== 'INVITE' || session.getAttribute(answeredAt) !== undefined) return
    const seconds = credit.get(session.getAttribute(caller) ?? '') ?? 0
    session.setAttribute(answeredAt, now)
    timers.createTimer(session, seconds * 1_000, true, response.session.id)
  },

  timeout(timer) {
    const call = timer.applicationSession.getSipSession(String(timer.info))
    if (call?.state === 'CONFIRMED') call.endCall()
  },

  doBye({ applicationSession: session }, { now }) {
    for (const timer of session.timers) timer.cancel()
    const talked = (now - (session.getAttribute(answeredAt) ?? now)) / 1_000
    console.log(`${session.getAttribute(caller)} talked ${Math.round(talked)} s`)
  },
})
