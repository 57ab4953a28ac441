import { expect, test } from 'vitest'
import { defineApplication, isApplication } from './application.ts'
import { runHandler } from './run-handler.ts'
import { call, message, onRequest } from './testing/turn.ts'
import type { SipServletRequest } from './api.ts'

test('an application says which handlers it has, those of its servlets with them', () => {
  const application = defineApplication({
    name: 'screening',
    version: '1.2',
    doInvite() {},
    timeout() {},
    servlets: { voicemail: { doBye() {} } },
  })
  expect(application).toMatchObject({ name: 'screening', version: '1.2', handlers: ['doInvite', 'doBye', 'timeout'] })
  expect(isApplication(application)).toBe(true)
  expect([null, {}, 'x', { kind: 'holdfast-application' }].map(isApplication)).toEqual([false, false, false, false])
})

test.each([
  [{ name: 'a', doInvit() {} }, 'application a: "doInvit" is no handler; did you mean doInvite?'],
  [{ name: 'a', whenever() {} }, 'handlers are doInvite'],
  [{ name: 'a', Timeout() {} }, 'did you mean timeout?'],
  [{ name: 'a', doInvite: 'yes' }, 'doInvite should be a function, not "yes"'],
  [{ name: '' }, 'name: "" should be'],
  [{ name: 'a b' }, 'name: "a b" should be'],
  [{}, 'name: undefined should be'],
  [{ name: 'proxy' }, "the set's own"],
  [{ name: 'a', version: '1 2' }, 'version: "1 2"'],
  [{ name: 'a', servlets: { b: { timeout() {} } } }, 'servlet b: "timeout" is no handler'],
])('a definition that is wrong says what is right: %j', (definition, complaint) => {
  expect(() => defineApplication(definition as { name: string })).toThrow(complaint)
})

test('a handler that throws is an answer that changes nothing', () => {
  const application = defineApplication({
    name: 'tested',
    doInvite(request) {
      request.applicationSession.setAttribute('a', 1)
      throw new RangeError('no such credit')
    },
  })
  expect(runHandler(application, call('doInvite', { message: message() }))).toEqual({
    kind: 'answered',
    answer: { kind: 'failed', reason: 'RangeError: no such credit' },
  })
})

test("an async handler's turn ends when its promise does; later changes are refused", async () => {
  let kept: SipServletRequest | null = null
  const application = defineApplication({
    name: 'tested',
    async doInvite(request) {
      kept = request
      await Promise.resolve()
      request.applicationSession.setAttribute('late', true)
    },
  })
  const run = runHandler(application, call('doInvite', { message: message() }))
  if (run.kind !== 'pending') throw new Error('it should be pending')
  await run.pending.result
  expect(run.pending.finish()).toEqual([{ kind: 'set-attribute', of: '', name: 'late', value: true }])
  const request = kept as unknown as SipServletRequest
  expect(() => request.applicationSession.setAttribute('a', 1)).toThrow('turn of the handler is over')
  expect(() => request.createResponse(200)).toThrow('turn of the handler is over')
})

test("a specific handler goes before doRequest and doResponse, and an event that nobody wants is nobody's", () => {
  const seen: string[] = []
  const application = defineApplication({
    name: 'tested',
    doRequest: () => void seen.push('request'),
    doInvite: () => void seen.push('invite'),
  })
  const done = { kind: 'answered', answer: { kind: 'done', ops: [], result: undefined } }
  runHandler(application, call('doInvite', { message: message() }))
  runHandler(application, call('doMessage', { message: message() }))
  expect(runHandler(application, call('sessionDestroyed'))).toEqual(done)
  expect(runHandler(application, call('noAckReceived', { subject: '1' }))).toEqual(done)
  expect(seen).toEqual(['invite', 'request'])
})

test('[JSR 18] noAckReceived is told the session, and the INVITE if it is kept', () => {
  const seen: unknown[] = []
  const application = defineApplication({
    name: 'tested',
    noAckReceived: ({ session, request }) => void seen.push(session.id, request?.method ?? null),
  })
  runHandler(application, call('noAckReceived', { subject: '1' }))
  runHandler(application, call('noAckReceived', { message: message() }))
  expect(seen).toEqual(['1', null, '1', 'INVITE'])
})

test('a turn is bounded: in operations and in bytes', () => {
  expect(() =>
    onRequest(({ applicationSession }) => {
      for (let i = 0; ; i++) applicationSession.setAttribute('a', i)
    }),
  ).toThrow('at most 1000 things')
  expect(() =>
    onRequest((request) => {
      const response = request.createResponse(200)
      response.setContent('x'.repeat(1_000_001), 'text/plain')
      response.send()
    }),
  ).toThrow('one turn has room for 1000000')
})

test('[JSR 28] SipFactory begins legs of its own, and refuses what is no address', () => {
  const ops = onRequest((request, { factory }) => {
    const { applicationSession: session } = request
    const from = factory.createAddress('sip:desk@example.com', 'Desk')
    const leg = factory.createRequest(session, 'INVITE', from, 'tel:+15551234')
    leg.send()
    expect(() => factory.createRequest(session, 'ACK', from, from)).toThrow('does not begin a session')
    expect(() => factory.createRequest(session, 'INVITE', 'nobody', from)).toThrow('"nobody" is no address')
    expect(() => factory.createURI('nobody')).toThrow('no URI')
    expect(() => factory.createRequest({} as typeof session, 'INVITE', from, from)).toThrow(
      'the application session that it was called for',
    )
    expect(factory.createURI('tel:+15551234')).toMatchObject({ scheme: 'tel', isSipURI: false, user: '+15551234' })
  })
  expect(ops).toMatchObject([
    {
      kind: 'create-session',
      first: { from: '"Desk" <sip:desk@example.com>', to: '<tel:+15551234>', requestUri: 'tel:+15551234' },
    },
  ])
})
