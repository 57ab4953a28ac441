import { expect, test } from 'vitest'
import type { PendingRequest } from '../app/contract.ts'
import {
  call,
  INVITE,
  message,
  onRequest,
  onResponse,
  requestText,
  responseText,
  sessionView,
  turn,
  view,
} from './testing/turn.ts'

const waiting: PendingRequest = { id: 'r1', direction: 'in', method: 'INVITE', text: INVITE }
const ours: PendingRequest = { id: 'r2', direction: 'out', method: 'INVITE', text: INVITE }

test('[JSR 28] the other leg is a copy of the INVITE without what its dialog made, linked, in an order that can be applied', () => {
  const ops = onRequest((request) => {
    const helper = request.getB2buaHelper()
    const leg = helper.createRequest(request)
    expect(helper.getLinkedSession(request.session)).toBe(leg.session)
    expect(helper.getLinkedSession(leg.session)).toBe(request.session)
    expect(leg.session.state).toBe('INITIAL')
    leg.session.setAttribute('side', 'callee')
    leg.setRequestURI('sip:bob@127.0.0.1:5070')
    leg.setHeader('Subject', 'dinner')
    leg.pushRoute('sip:second.example.com;lr')
    leg.pushRoute('sip:first.example.com;lr')
    leg.send()
    expect(() => leg.setRequestURI('sip:x@y')).toThrow('before send()')
  })
  expect(ops).toEqual([
    {
      kind: 'create-session',
      id: '2',
      first: {
        method: 'INVITE',
        from: '"Alice" <sip:alice@example.com>',
        to: '<sip:bob@example.com>',
        requestUri: 'sip:bob@127.0.0.1:5070',
        routes: ['<sip:first.example.com;lr>', '<sip:second.example.com;lr>'],
        callId: '',
        linked: 'r1',
        headers: [['Subject', 'dinner']],
        body: '',
      },
    },
    { kind: 'link', a: '1', b: '2' },
    { kind: 'set-attribute', of: '2', name: 'side', value: 'callee' },
  ])
})

test('[JSR 28] headers given with the copy replace what is copied, From and To among them', () => {
  const ops = onRequest((request) =>
    request
      .getB2buaHelper()
      .createRequest(request, true, { From: '"Desk" <sip:desk@example.com>', Subject: 'hidden' })
      .send(),
  )
  expect(ops[0]).toMatchObject({ first: { from: '"Desk" <sip:desk@example.com>', headers: [['Subject', 'hidden']] } })
})

test('[JSR 28] a leg whose request is never sent has done nothing', () => {
  const ops = onRequest((request) => {
    request.getB2buaHelper().createRequest(request).session.setAttribute('a', 1)
    request.createResponse(486).send()
  })
  expect(ops.map(({ kind }) => kind)).toEqual(['respond'])
})

test('[JSR 28] the answer of one leg is the answer to the other: both in one turn', () => {
  const ops = onResponse(
    (response) => {
      const helper = response.request.getB2buaHelper()
      const caller = helper.getLinkedSession(response.session)
      expect(caller?.id).toBe('1')
      const original = helper.getLinkedSipServletRequest(response.request)
      expect(original?.session).toBe(caller)
      const answer = helper.createResponseToOriginalRequest(caller as NonNullable<typeof caller>, response.status)
      answer.setContent(response.rawContent, response.contentType ?? '')
      answer.send()
      response.createAck().send()
    },
    responseText(200, 'INVITE', ['Content-Type: application/sdp'], 'v=0'),
  )
  const headers = [['Content-Type', 'application/sdp']]
  expect(ops).toEqual([
    { kind: 'respond', request: 'r1', response: { status: 200, reason: 'OK', headers, body: 'v=0' } },
    { kind: 'ack', session: '2', parts: { headers: [], body: '' } },
  ])
})

test('[JSR 28] a request in one dialog is copied into the other, and pending messages are those without a final answer', () => {
  const [caller, callee] = [
    sessionView({ state: 'CONFIRMED', linked: '2', pending: [{ ...waiting, id: 'r7', method: 'INFO' }] }),
    sessionView({ id: '2', role: 'uac', state: 'CONFIRMED', linked: '1' }),
  ]
  const asked = call('doInfo', {
    message: message({ text: requestText('INFO', [], 'x=1'), request: 'r7', isInitial: false }),
    view: view({ sessions: [caller, callee], nextSession: 3 }),
  })
  const ops = turn(
    {
      doInfo(request) {
        const helper = request.getB2buaHelper()
        expect(helper.getPendingMessages(request.session, 'UAS')).toEqual([request])
        expect(helper.getPendingMessages(request.session, 'UAC')).toEqual([])
        const other = helper.getLinkedSession(request.session)
        helper.createRequest(other as NonNullable<typeof other>, request).send()
        request.createResponse(200).send()
        expect(helper.getPendingMessages(request.session, 'UAS')).toEqual([])
      },
    },
    asked,
  )
  expect(ops).toEqual([
    {
      kind: 'request',
      session: '2',
      method: 'INFO',
      parts: { headers: [['Subject', 'lunch']], body: 'x=1' },
      linked: 'r7',
    },
    { kind: 'respond', request: 'r7', response: { status: 200, reason: 'OK', headers: [], body: '' } },
  ])
})

test('[JSR 28] createCancel takes back the INVITE of a leg that has no final response', () => {
  const sessions = [
    sessionView({ state: 'EARLY', linked: '2' }),
    sessionView({ id: '2', role: 'uac', state: 'EARLY', linked: '1', pending: [ours] }),
  ]
  const asked = (over = sessions) =>
    call('doCancel', {
      message: message({ text: requestText('CANCEL'), request: '', isInitial: false }),
      view: view({ sessions: over, nextSession: 3 }),
    })
  const handlers = {
    doCancel(request: Parameters<NonNullable<Parameters<typeof turn>[0]['doCancel']>>[0]) {
      const helper = request.getB2buaHelper()
      const other = helper.getLinkedSession(request.session)
      helper.createCancel(other as NonNullable<typeof other>).send()
    },
  }
  expect(turn(handlers, asked())).toEqual([{ kind: 'cancel', session: '2' }])
  const answered = [sessions[0], { ...sessions[1], state: 'CONFIRMED', pending: [] }] as typeof sessions
  expect(() => turn(handlers, asked(answered))).toThrow('endCall()')
})

test('[JSR 28] in doCancel the INVITE that waits is the INVITE, also if the CANCEL names it', () => {
  const asked = call('doCancel', {
    message: message({ text: requestText('CANCEL'), request: 'r1', isInitial: false }),
    view: view({ sessions: [sessionView({ state: 'EARLY', pending: [waiting] })] }),
  })
  const seen: string[] = []
  const doCancel = (request: Parameters<NonNullable<Parameters<typeof turn>[0]['doCancel']>>[0]): void => {
    const pending = request.getB2buaHelper().getPendingMessages(request.session, 'UAS')
    seen.push(request.method, ...pending.map(({ method }) => method))
  }
  turn({ doCancel }, asked)
  expect(seen).toEqual(['CANCEL', 'INVITE'])
})

test('[JSR 28] links are made once and undone for both', () => {
  const sessions = [sessionView(), sessionView({ id: '2', role: 'uac' }), sessionView({ id: '3', role: 'proxy' })]
  const ops = onRequest(
    (request) => {
      const helper = request.getB2buaHelper()
      const [a, b, c] = request.applicationSession.sessions
      if (a === undefined || b === undefined || c === undefined) throw new Error('three sessions')
      expect(() => helper.linkSipSessions(a, a)).toThrow('itself')
      expect(() => helper.linkSipSessions(a, c)).toThrow('proxied')
      expect(() => helper.unlinkSipSessions(a)).toThrow('not linked')
      helper.linkSipSessions(a, b)
      expect(() => helper.linkSipSessions(b, a)).toThrow('linked already')
      helper.unlinkSipSessions(b)
      expect(helper.getLinkedSession(a)).toBeNull()
    },
    {},
    { sessions, nextSession: 4 },
  )
  expect(ops).toEqual([
    { kind: 'link', a: '1', b: '2' },
    { kind: 'unlink', session: '2' },
  ])
})

test('a request of a dialog does not open a leg, and an answered one is not answered by its session', () => {
  const inDialog = { text: requestText('INFO'), isInitial: false }
  expect(() => onRequest((request) => void request.getB2buaHelper().createRequest(request), inDialog)).toThrow(
    'getLinkedSession',
  )
  expect(() =>
    onRequest((request) => void request.getB2buaHelper().createResponseToOriginalRequest(request.session, 200)),
  ).toThrow('no request that waits')
})
