// Click to dial (RFC 3725, flow I): a MESSAGE with two addresses, or a form on a web page, connects their phones. The first one is called
// without an offer; its offer goes to the second one, whose answer goes back in the ACK.

import { attribute, defineApplication } from 'holdfast/servlet'
import type { SipApplicationSession, SipFactory } from 'holdfast/servlet'

const callee = attribute<string>('callee')

export const clickToDial = defineApplication({
  name: 'click-to-dial',

  doMessage(request, { factory }) {
    const [first = '', second = ''] = request.content.trim().split(' ')
    if (second === '') return request.createResponse(400, 'Two Addresses').send()
    request.createResponse(202).send()
    dial(factory, request.applicationSession, first, second)
  },

  async doHttp(request, context) {
    const place = `${context.prefix}/`
    if (request.method === 'POST') {
      const form = new URLSearchParams(await request.text())
      const [first, second] = [form.get('first') ?? '', form.get('second') ?? '']
      if (first === '' || second === '') return new Response('two addresses, please', { status: 400 })
      // The browser has it by its cookie from now on, at each replica.
      dial(context.factory, context.getSession().applicationSession, first, second)
      return new Response(null, { status: 303, headers: { Location: place } })
    }
    const legs = context.getSession(false)?.applicationSession.sessions.map(({ state }) => state) ?? []
    const state = legs.length === 0 ? 'no call' : legs.join(', ')
    const inputs = '<input name="first" value="sip:"><input name="second" value="sip:"><button>Dial</button>'
    const html = `<!doctype html><title>Dial</title><p>${state}</p><form method="post" action="${place}">${inputs}</form>`
    return new Response(html, { headers: { 'Content-Type': 'text/html; charset=utf-8' } })
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

function dial(factory: SipFactory, session: SipApplicationSession, first: string, second: string): void {
  session.setExpires(0)
  const call = factory.createRequest(session, 'INVITE', 'sip:click-to-dial@example.com', first)
  call.session.setAttribute(callee, second)
  call.send()
}
