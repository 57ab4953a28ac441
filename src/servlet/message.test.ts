import { expect, test } from 'vitest'
import {
  call,
  message,
  onRequest,
  onResponse,
  requestText,
  responseText,
  sessionView,
  turn,
  view,
} from './testing/turn.ts'
import { fromWire, toWire } from './utf8.ts'

test('a request that came in is read as it came', () => {
  const text = requestText(
    'INVITE',
    ['v: SIP/2.0/UDP 127.0.0.2', 'X-List: a', 'X-List: b', 'c: text/plain'],
    toWire('gr\u00fc\u00df'),
  )
  onRequest(
    (request) => {
      expect(request).toMatchObject({
        kind: 'request',
        method: 'INVITE',
        isInitial: true,
        isIncoming: true,
        callId: 'call-1',
      })
      expect(String(request.requestURI)).toBe('sip:bob@example.com')
      expect([request.from.displayName, request.from.uri.user, request.to.uri.host]).toEqual([
        'Alice',
        'alice',
        'example.com',
      ])
      expect(request.getHeader('subject')).toBe('lunch')
      expect(request.getHeader('s')).toBe('lunch')
      expect(request.getHeaders('x-list')).toEqual(['a', 'b'])
      expect(request.getHeader('X-Nothing')).toBeNull()
      expect(request.getAddressHeader('Contact')?.uri.port).toBe(5066)
      expect(request.headerNames).toContain('Contact')
      expect([request.content, request.contentType, request.maxForwards]).toEqual(['gr\u00fc\u00df', 'text/plain', 70])
      expect(request.isCommitted).toBe(false)
      expect(() => request.setContent('x', 'text/plain')).toThrow('stays as it is')
      expect(() => request.send()).toThrow('answered or proxied')
    },
    { text },
  )
})

test('a response is made, filled and sent, once', () => {
  const ops = onRequest((request) => {
    const ringing = request.createResponse(180)
    ringing.addHeader('X-Note', 'one')
    ringing.addHeader('X-Note', 'two')
    ringing.send()
    const answer = request.createResponse(200, 'Fine')
    answer.setContent('v=0', 'application/sdp')
    answer.send()
    expect(answer.isCommitted).toBe(true)
    expect(request.isCommitted).toBe(true)
    expect(() => answer.send()).toThrow('sent already')
    expect(() => answer.setHeader('X', 'y')).toThrow('before send()')
  })
  const headers = [
    ['X-Note', 'one'],
    ['X-Note', 'two'],
  ]
  expect(ops).toEqual([
    { kind: 'respond', request: 'r1', response: { status: 180, reason: 'Ringing', headers, body: '' } },
    {
      kind: 'respond',
      request: 'r1',
      response: { status: 200, reason: 'Fine', headers: [['Content-Type', 'application/sdp']], body: 'v=0' },
    },
  ])
})

test('a request has one final response, whichever object says it', () => {
  onRequest((request) => {
    const late = request.createResponse(486)
    request.createResponse(200).send()
    expect(() => late.send()).toThrow('answered with 200, which is final')
    expect(() => request.createResponse(180)).toThrow('answered with 200')
    expect(() => request.getProxy().proxyTo()).toThrow('answered with 200')
  })
  expect.assertions(3)
})

test.each([
  ['ACK', 'an ACK is not answered'],
  ['CANCEL', 'answered by the set'],
])('%s is not answered by an application', (method, complaint) => {
  const asked = call(method === 'ACK' ? 'doAck' : 'doCancel', {
    message: message({ text: requestText(method), request: '', isInitial: false }),
  })
  expect(() => turn({ doRequest: (request) => void request.createResponse(200) }, asked)).toThrow(complaint)
})

test.each([99, 700, 200.5])('%d is no status', (status) => {
  expect(() => onRequest((request) => void request.createResponse(status))).toThrow('100 to 699')
})

test("what a dialog makes can't be set, nor a header of two lines; the Contact of a redirection can", () => {
  const ops = onRequest((request) => {
    const response = request.createResponse(302)
    for (const name of ['Via', 'v', 'Call-ID', 'CSeq', 'Record-Route', 'To']) {
      expect(() => response.setHeader(name, 'x')).toThrow('makes itself')
    }
    expect(() => response.setHeader('X', 'a\r\nVia: b')).toThrow('one line')
    expect(() => response.setHeader('no name', 'a')).toThrow('no name of a header')
    expect(() => request.createResponse(200).setHeader('Contact', '<sip:a@b>')).toThrow('makes itself')
    expect(() => request.createResponse(200, 'a\r\nb')).toThrow('one line')
    response.addHeader('Contact', '<sip:elsewhere@example.com>')
    response.send()
  })
  expect(ops).toMatchObject([{ response: { headers: [['Contact', '<sip:elsewhere@example.com>']] } }])
})

test('a response that came in knows the request that it answers; a 2xx for an INVITE is acknowledged', () => {
  const ops = onResponse((response) => {
    expect(response).toMatchObject({ kind: 'response', status: 200, reasonPhrase: 'Because', method: 'INVITE' })
    expect(response.request.isIncoming).toBe(false)
    response.createAck().send()
    expect(() => response.request.createCancel()).toThrow('has its final response')
  }, responseText(200))
  expect(ops).toEqual([{ kind: 'ack', session: '2', parts: { headers: [], body: '' } }])
})

test.each([
  [486, 'INVITE'],
  [200, 'INFO'],
])('%d for %s is not acknowledged by an application', (status, method) => {
  expect(() => onResponse((response) => void response.createAck(), responseText(status, method))).toThrow('only a 2xx')
})

test('the ACK of a 2xx may come in a later turn, with a body that another leg gave', () => {
  const ops = onResponse((response) => {
    const ack = response.session.createAck()
    ack.setContent('v=0', 'application/sdp')
    ack.send()
    const caller = response.request.getB2buaHelper().getLinkedSession(response.session)
    expect(() => caller?.createAck()).toThrow('placed no call')
  }, responseText(180))
  const parts = { headers: [['Content-Type', 'application/sdp']], body: 'v=0' }
  expect(ops).toEqual([{ kind: 'ack', session: '2', parts }])
})

test('an answer to what is not kept any more has a request that only knows its method', () => {
  const asked = call('doSuccessResponse', {
    message: message({ kind: 'response', request: 'gone', text: responseText(200, 'BYE'), isInitial: false }),
    view: view({ sessions: [sessionView({ role: 'uac' })] }),
  })
  const seen: unknown[] = []
  turn(
    { doSuccessResponse: ({ request }) => void seen.push(request.method, request.isCommitted, String(request.to)) },
    asked,
  )
  expect(seen).toEqual(['BYE', true, '"Alice" <sip:alice@example.com>'])
})

test('text is UTF-8 on the wire; what is not UTF-8 there is read as it is', () => {
  for (const text of ['plain', 'gr\u00fc\u00df', '\u20ac', '\u{1f4de} calls']) expect(fromWire(toWire(text))).toBe(text)
  expect(toWire('\u00e9')).toBe('\u00c3\u00a9')
  for (const bytes of ['\u00e9', '\u00c3', '\u00c0\u00af', '\u00ed\u00a0\u0080', '\u00f5\u0080\u0080\u0080']) {
    expect(fromWire(bytes)).toBe(bytes)
  }
})
