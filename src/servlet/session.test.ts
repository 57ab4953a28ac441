import { expect, test } from 'vitest'
import { call, INVITE, message, onRequest, requestText, sessionView, turn, view } from './testing/turn.ts'
import type { SipSession, SipSessionState } from './api.ts'
import type { Op, SipSessionView } from '../app/contract.ts'

/** A handler that is called for a session which isn't a message's own. */
function withSession(handle: (session: SipSession) => void, given: Partial<SipSessionView> = {}): readonly Op[] {
  const sessions = [sessionView({ state: 'CONFIRMED', ...given })]
  const timeout = ({ applicationSession }: { applicationSession: { sessions: readonly SipSession[] } }): void =>
    handle(applicationSession.sessions[0] as SipSession)
  return turn({ doInfo: timeout }, call('doInfo', { message: message({ isInitial: false }), view: view({ sessions }) }))
}

test('[JSR 13] a UAS is EARLY by a 1xx, CONFIRMED by a 2xx, TERMINATED by another final response; 100 changes nothing', () => {
  const after = (...statuses: number[]): SipSessionState => {
    let state: SipSessionState = 'INITIAL'
    onRequest((request) => {
      for (const status of statuses) request.createResponse(status).send()
      ;({ state } = request.session)
    })
    return state
  }
  expect([after(100), after(180), after(183, 200), after(180, 486), after(302)]).toEqual([
    'INITIAL',
    'EARLY',
    'CONFIRMED',
    'TERMINATED',
    'TERMINATED',
  ])
})

test('[JSR 14] requests in a dialog follow its state and method', () => {
  const may = (state: SipSessionState, method: string): boolean => {
    let allowed = true
    withSession(
      (session) => {
        try {
          session.createRequest(method)
        } catch {
          allowed = false
        }
      },
      { state },
    )
    return allowed
  }
  const methods = ['INFO', 'UPDATE', 'INVITE', 'BYE']
  expect(methods.map((method) => may('CONFIRMED', method))).toEqual([true, true, true, true])
  expect(methods.map((method) => may('EARLY', method))).toEqual([true, true, false, false])
  expect(methods.map((method) => may('INITIAL', method))).toEqual([false, false, false, false])
  expect(methods.map((method) => may('TERMINATED', method))).toEqual([false, false, false, false])
  expect(['ACK', 'CANCEL', 'PRACK', 'no token'].map((method) => may('CONFIRMED', method))).toEqual([
    false,
    false,
    false,
    false,
  ])
})

test('[JSR 13] [JSR 14] a UAC is INITIAL again once its first request was refused, and may send it once more', () => {
  const ops = withSession((session) => session.createRequest('INVITE').send(), { role: 'uac', state: 'INITIAL' })
  expect(ops).toMatchObject([{ kind: 'request', session: '1', method: 'INVITE' }])
})

test('[JSR 14] a request in a dialog says only what the application adds: the dialog makes the rest', () => {
  const ops = withSession((session) => {
    const info = session.createRequest('INFO')
    info.setHeader('Info-Package', 'dtmf')
    info.setContent('Signal=1', 'application/dtmf-relay')
    info.send()
  })
  expect(ops).toEqual([
    {
      kind: 'request',
      session: '1',
      method: 'INFO',
      parts: {
        headers: [
          ['Info-Package', 'dtmf'],
          ['Content-Type', 'application/dtmf-relay'],
        ],
        body: 'Signal=1',
      },
    },
  ])
})

test('[JSR 15] a session that is EARLY or CONFIRMED, or has an open request, is not invalidated, and says what to do', () => {
  const pending = [{ id: 'r1', direction: 'in', method: 'INVITE', text: INVITE }] as const
  const refused = { EARLY: 'EARLY', CONFIRMED: 'CONFIRMED' } as const
  for (const state of Object.values(refused)) {
    withSession(
      (session) => expect(() => session.invalidate()).toThrow(`${state} can't be invalidated: end it first`),
      { state },
    )
  }
  withSession((session) => expect(() => session.invalidate()).toThrow('open requests'), { state: 'INITIAL', pending })
  expect(withSession((session) => session.invalidate(), { state: 'TERMINATED' })).toEqual([
    { kind: 'invalidate', of: '1' },
  ])
  expect.assertions(4)
})

test('[JSR 15] after its final response in the same turn it can be', () => {
  const pending = [{ id: 'r1', direction: 'in', method: 'INVITE', text: INVITE }] as const
  const ops = onRequest(
    (request) => {
      request.createResponse(403).send()
      request.session.invalidate()
      expect(() => request.session.getAttribute('a')).toThrow('invalidated')
      expect(request.applicationSession.sessions).toEqual([])
    },
    {},
    { sessions: [sessionView({ pending })] },
  )
  expect(ops.map(({ kind }) => kind)).toEqual(['respond', 'invalidate'])
})

test('[JSR 17] Call-ID, parties and handler are told', () => {
  withSession((session) => {
    expect([session.callId, String(session.localParty), String(session.remoteParty)]).toEqual([
      'call-1',
      '<sip:bob@example.com>',
      '"Alice" <sip:alice@example.com>',
    ])
    expect(session.remoteParty.displayName).toBe('Alice')
    expect(session.remoteParty.uri.user).toBe('alice')
    expect(session.handler).toBe('')
  })
  expect.assertions(4)
})

test("[JSR 17] setHandler: the servlet that a session names gets its messages; one that isn't there is no handler", () => {
  const seen: string[] = []
  const application = {
    doInfo: () => void seen.push('main'),
    servlets: { voicemail: { doInfo: () => void seen.push('voicemail') } },
  }
  const asked = (handler: string) =>
    call('doInfo', {
      message: message({ text: requestText('INFO'), isInitial: false }),
      view: view({ sessions: [sessionView({ handler })] }),
    })
  turn(application, asked(''))
  turn(application, asked('voicemail'))
  expect(seen).toEqual(['main', 'voicemail'])
  const ops = turn({ ...application, doInfo: ({ session }) => void (session.handler = 'voicemail') }, asked(''))
  expect(ops).toEqual([{ kind: 'set-handler', session: '1', handler: 'voicemail' }])
  const wrong = {
    ...application,
    doInfo: ({ session }: { session: SipSession }) => void (session.handler = 'voicmail'),
  }
  expect(() => turn(wrong, asked(''))).toThrow('did you mean "voicemail"?')
  expect(() => turn(application, asked('gone'))).toThrow('no servlet of that name')
})

test('endCall ends a call that is proxied by one operation, and a dialog of ours by a BYE', () => {
  const ops = withSession(
    (session) => {
      expect(() => session.createRequest('INFO')).toThrow('proxied')
      session.endCall()
      expect(session.state).toBe('TERMINATED')
    },
    { role: 'proxy' },
  )
  expect(ops).toEqual([{ kind: 'end-call', session: '1' }])
  expect(withSession((session) => session.endCall())).toEqual([
    { kind: 'request', session: '1', method: 'BYE', parts: { headers: [], body: '' } },
  ])
  const early = (): unknown => withSession((session) => session.endCall(), { role: 'proxy', state: 'EARLY' })
  expect(early).toThrow('EARLY')
})
