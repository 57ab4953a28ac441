// A back-to-back user agent: the callee sees a desk instead of the caller. Both legs change in one commit.

import { defineApplication } from 'holdfast/servlet'
import type { SipServletRequest, SipServletResponse } from 'holdfast/servlet'

export const privateNumber = defineApplication({
  name: 'private-number',

  doInvite(request) {
    if (!request.isInitial) return pass(request)
    request.applicationSession.setExpires(0)
    const call = request.getB2buaHelper().createRequest(request, true, { From: '"Desk" <sip:desk@example.com>' })
    call.send()
  },

  // Ringing, answers and refusals go to the other leg as they are; a 2xx for an INVITE also gets its ACK.
  doResponse(response) {
    answerOther(response)
    if (response.method === 'INVITE' && response.status >= 200 && response.status < 300) response.createAck().send()
  },

  doCancel(request) {
    const helper = request.getB2buaHelper()
    const other = helper.getLinkedSession(request.session)
    if (other !== null && helper.getPendingMessages(other, 'UAC').length > 0) helper.createCancel(other).send()
  },

  doBye(request) {
    request.createResponse(200).send()
    const other = request.getB2buaHelper().getLinkedSession(request.session)
    if (other?.state === 'CONFIRMED') other.endCall()
  },

  doInfo: pass,
  doUpdate: pass,
})

function pass(request: SipServletRequest): void {
  const helper = request.getB2buaHelper()
  const other = helper.getLinkedSession(request.session)
  if (other === null) request.createResponse(481).send()
  else helper.createRequest(other, request).send()
}

function answerOther(response: SipServletResponse): void {
  const original = response.request.getB2buaHelper().getLinkedSipServletRequest(response.request)
  if (original === null) return
  const answer = original.createResponse(response.status, response.reasonPhrase)
  if (response.contentType !== null) answer.setContent(response.rawContent, response.contentType)
  answer.send()
}
