// Click to dial (RFC 3725, flow I): a MESSAGE with two addresses connects their phones. The first one is called without an
// offer; its offer goes to the second one, whose answer goes back in the ACK.

import { attribute, defineApplication } from 'holdfast/servlet'

const callee = attribute<string>('callee')

export const clickToDial = defineApplication({
  name: 'click-to-dial',

  doMessage(request, { factory }) {
    const [first = '', second = ''] = request.content.trim().split(' ')
    if (second === '') return request.createResponse(400, 'Two Addresses').send()
    request.createResponse(202).send()
    const session = request.applicationSession
    session.setExpires(0)
    const call = factory.createRequest(session, 'INVITE', 'sip:click-to-dial@example.com', first)
    call.session.setAttribute(callee, second)
    call.send()
  },

  doSuccessResponse(response, { factory }) {
    if (response.method !== 'INVITE') return
    const helper = response.request.getB2buaHelper()
    const next = response.session.getAttribute(callee)
    const other = helper.getLinkedSession(response.session)
    if (next !== undefined && other === null) {
      const call = factory.createRequest(response.applicationSession, 'INVITE', response.to, next)
      call.setContent(response.rawContent, response.contentType ?? 'application/sdp')
      helper.linkSipSessions(response.session, call.session)
      call.send()
    } else if (next === undefined && other !== null) {
      response.createAck().send()
      const ack = other.createAck()
      ack.setContent(response.rawContent, response.contentType ?? 'application/sdp')
      ack.send()
    }
  },

  doErrorResponse(response) {
    const other = response.request.getB2buaHelper().getLinkedSession(response.session)
    if (other?.state === 'CONFIRMED') other.endCall()
  },

  doBye(request) {
    request.createResponse(200).send()
    const other = request.getB2buaHelper().getLinkedSession(request.session)
    if (other?.state === 'CONFIRMED') other.endCall()
  },
})
