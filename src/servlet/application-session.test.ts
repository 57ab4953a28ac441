// Rows of sessions.md are in brackets: docs/SESSIONS.md is made from them.

import { expect, test } from 'vitest'
import { stamp } from '../base/instant.ts'
import { attribute } from './attribute.ts'
import { call, message, NOW, onRequest, onTimeout, sessionView, timerView, turn, view } from './testing/turn.ts'
import type { SipApplicationSession } from './api.ts'

test('[JSR 1] an application session tells its id and its application', () => {
  const seen: string[] = []
  onRequest(({ applicationSession: { id, applicationName } }) => void seen.push(id, applicationName))
  expect(seen).toEqual(['1-0123456789abcdef-mac', 'tested'])
})

test("[JSR 2] attributes are read, set, removed and listed, reads see the turn's own writes, and each change is one operation", () => {
  const ops = onRequest(
    ({ applicationSession: session, session: leg }) => {
      expect(session.getAttribute('old')).toBe(1)
      session.setAttribute('credit', { cents: 250, of: ['a'] })
      session.removeAttribute('old')
      session.removeAttribute('never there')
      expect(session.getAttribute('credit')).toEqual({ cents: 250, of: ['a'] })
      expect(session.getAttribute('old')).toBeUndefined()
      expect(session.attributeNames).toEqual(['credit'])
      leg.setAttribute('side', 'a')
      expect(leg.attributeNames).toEqual(['side'])
    },
    {},
    { attributes: [{ name: 'old', value: 1 }] },
  )
  expect(ops).toEqual([
    { kind: 'set-attribute', of: '', name: 'credit', value: { cents: 250, of: ['a'] } },
    { kind: 'remove-attribute', of: '', name: 'old' },
    { kind: 'set-attribute', of: '1', name: 'side', value: 'a' },
  ])
})

test('[JSR 2] an attribute is what was set: neither the value that was given nor the one that is read can change it afterwards', () => {
  const ops = onRequest(({ applicationSession: session }) => {
    const given = { list: [1] }
    session.setAttribute('a', given)
    given.list.push(2)
    const read = session.getAttribute(attribute<{ list: number[] }>('a'))
    expect(() => read?.list.push(3)).toThrow(TypeError)
    const bytes = new Uint8Array([1])
    session.setAttribute('b', bytes)
    bytes[0] = 9
    expect(session.getAttribute('b')).toEqual(new Uint8Array([1]))
  })
  expect(ops).toEqual([
    { kind: 'set-attribute', of: '', name: 'a', value: { list: [1] } },
    { kind: 'set-attribute', of: '', name: 'b', value: new Uint8Array([1]) },
  ])
})

test.each([
  ['a function', () => 1, 'the attribute x is a function'],
  ['undefined', undefined, "removeAttribute('x')"],
  ['not a number', Number.NaN, 'NaN'],
  ['a Map inside', { deep: [new Map()] }, 'the attribute x.deep[0] is a Map: keep its fields as a plain object'],
  ['a big integer', 1n, 'a bigint'],
])('[JSR 2] %s is refused as an attribute, where it is set', (_what, value, complaint) => {
  const refused = (): unknown =>
    onRequest(({ applicationSession }) => applicationSession.setAttribute('x', value as unknown as number))
  expect(refused).toThrow(complaint)
})

test('[JSR 2] a value that contains itself is refused', () => {
  const loop: { self?: unknown } = {}
  loop.self = loop
  const refused = (): unknown =>
    onRequest(({ applicationSession }) => applicationSession.setAttribute('x', loop as { a: 1 }))
  expect(refused).toThrow('contains itself')
})

test('[JSR 2] an attribute that is too large is refused, where it is set', () => {
  const large = 'x'.repeat(40_000)
  expect(() => onRequest(({ applicationSession }) => applicationSession.setAttribute('x', large))).toThrow(
    'keep what is large elsewhere',
  )
  expect(() => onRequest(({ applicationSession }) => applicationSession.setAttribute('', 1))).toThrow(
    '1 to 256 characters',
  )
})

test('[JSR 3] creation and last access are milliseconds of cluster time', () => {
  const seen: number[] = []
  onRequest(
    ({ applicationSession: { creationTime, lastAccessedTime } }) => void seen.push(creationTime, lastAccessedTime),
  )
  expect(seen).toEqual([NOW - 1_000, NOW - 500])
})

test('[JSR 4] setExpires takes minutes, 0 = never; [JSR 5] expirationTime shows it at once', () => {
  const ops = onRequest(({ applicationSession: session }) => {
    expect(session.expirationTime).toBe(NOW + 179_000)
    session.setExpires(10)
    expect(session.expirationTime).toBe(NOW + 600_000)
    session.setExpires(0)
    expect(session.expirationTime).toBeNull()
  })
  expect(ops).toEqual([
    { kind: 'set-expires', after: 600_000_000 },
    { kind: 'set-expires', after: null },
  ])
})

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('[JSR 4] setExpires(%d) is refused', (minutes) => {
  expect(() => onRequest(({ applicationSession }) => applicationSession.setExpires(minutes))).toThrow('minutes')
})

test('[JSR 4] sessionExpired may extend the session; [JSR 6] the listeners are given what they are about', () => {
  const seen: string[] = []
  const ops = turn(
    { sessionExpired: (session) => session.setExpires(3) },
    call('sessionExpired', { view: view({ expires: stamp((NOW - 1) * 1_000) }) }),
  )
  expect(ops).toEqual([{ kind: 'set-expires', after: 180_000_000 }])
  const handlers = { sessionDestroyed: ({ kind, id }: { kind: string; id: string }) => void seen.push(kind, id) }
  turn(handlers, call('sessionDestroyed'))
  turn(handlers, call('sessionDestroyed', { subject: '1' }))
  expect(seen).toEqual(['application', '1-0123456789abcdef-mac', 'sip', '1'])
})

test('[JSR 7] after invalidate() every use of the session, of its SipSessions and of its timers is an IllegalState', () => {
  const uses: ((session: SipApplicationSession) => unknown)[] = [
    (session) => session.getAttribute('a'),
    (session) => session.setAttribute('a', 1),
    (session) => session.setExpires(1),
    (session) => session.sessions,
    (session) => session.timers,
    (session) => session.invalidate(),
    (session) => session.expectVersion(1),
  ]
  const ops = onRequest(
    (request, { timers, factory }) => {
      const { applicationSession: session, session: leg } = request
      const timer = session.getTimer('t1')
      session.invalidate()
      expect(session.isValid).toBe(false)
      expect(leg.isValid).toBe(false)
      for (const use of uses) expect(() => use(session)).toThrow('invalidated')
      expect(() => leg.setAttribute('a', 1)).toThrow('invalidated')
      expect(() => leg.state).toThrow('invalidated')
      expect(() => timer?.cancel()).toThrow('invalidated')
      expect(() => timers.createTimer(session, 1, true)).toThrow('invalidated')
      expect(() => factory.createRequest(session, 'INVITE', 'sip:a@b', 'sip:c@d')).toThrow('invalidated')
      expect(() => request.createResponse(200)).toThrow('invalidated')
      expect(() => request.getProxy().proxyTo()).toThrow('invalidated')
    },
    {},
    { timers: [timerView()] },
  )
  expect(ops).toEqual([{ kind: 'invalidate', of: '' }])
})

test('[JSR 8] it is ready once every SipSession is TERMINATED and no timer is active; [JSR 24] an active timer keeps it', () => {
  const isReady = (state: 'CONFIRMED' | 'TERMINATED', timers = [timerView()]): boolean => {
    let ready = false
    const sessions = [sessionView({ state })]
    const asked = call('doBye', { message: message({ isInitial: false }), view: view({ sessions, timers }) })
    turn({ doBye: ({ applicationSession }) => void (ready = applicationSession.isReadyToInvalidate) }, asked)
    return ready
  }
  expect(isReady('CONFIRMED', [])).toBe(false)
  expect(isReady('TERMINATED')).toBe(false)
  expect(isReady('TERMINATED', [])).toBe(true)
})

test('[JSR 8] [JSR 24] a timer that fires for the last time, or is cancelled, keeps nothing', () => {
  const sessions = [sessionView({ state: 'TERMINATED' })]
  const seen: boolean[] = []
  onTimeout(
    { timeout: ({ applicationSession }) => void seen.push(applicationSession.isReadyToInvalidate) },
    { sessions },
  )
  const timers = [timerView({ period: 1_000_000 as never })]
  onTimeout(
    {
      timeout(timer) {
        seen.push(timer.applicationSession.isReadyToInvalidate)
        timer.cancel()
        seen.push(timer.applicationSession.isReadyToInvalidate)
      },
    },
    { sessions, timers },
  )
  expect(seen).toEqual([true, false, true])
})

test('[JSR 8] invalidateWhenReady is true unless the application says otherwise', () => {
  const ops = onRequest(({ applicationSession: session, session: leg }) => {
    expect(session.invalidateWhenReady).toBe(true)
    session.invalidateWhenReady = false
    expect(session.invalidateWhenReady).toBe(false)
    leg.invalidateWhenReady = false
  })
  expect(ops).toEqual([
    { kind: 'set-invalidate-when-ready', of: '', value: false },
    { kind: 'set-invalidate-when-ready', of: '1', value: false },
  ])
})

test('[JSR 10] its SipSessions are listed and found by id, with those of this turn', () => {
  onRequest(
    ({ applicationSession: session }, { factory }) => {
      expect(session.sessions.map(({ id }) => id)).toEqual(['1', '4'])
      expect(session.getSipSession('4')?.callId).toBe('other')
      expect(session.getSipSession('7')).toBeNull()
      const leg = factory.createRequest(session, 'INVITE', 'sip:a@example.com', 'sip:b@example.com').session
      expect(session.sessions).toContain(leg)
    },
    {},
    { sessions: [sessionView(), sessionView({ id: '4', callId: 'other' })], nextSession: 5 },
  )
})

test('compare and put: the version that the turn rests on is an operation of its own', () => {
  const ops = onRequest(
    ({ applicationSession: session, session: leg }) => {
      expect([session.version, leg.version]).toEqual([7, 3])
      session.expectVersion(session.version)
      leg.expectVersion(3)
    },
    {},
    { version: 7, sessions: [sessionView({ version: 3 })] },
  )
  expect(ops).toEqual([
    { kind: 'expect-version', of: '', version: 7 },
    { kind: 'expect-version', of: '1', version: 3 },
  ])
})
