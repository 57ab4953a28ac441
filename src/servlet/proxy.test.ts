import { expect, test } from 'vitest'
import { call, message, onRequest, requestText, responseText, sessionView, turn, view } from './testing/turn.ts'

test('[JSR 29] proxyTo without a target goes where the set sends new calls', () => {
  expect(onRequest((request) => request.getProxy().proxyTo())).toEqual([
    { kind: 'proxy', request: 'r1', plan: { targets: [], recurse: true, timeout: null } },
  ])
})

test('[JSR 29] several targets ring at once, or one after another, with a time for each', () => {
  const both = ['sip:a@example.com', 'sip:b@example.com']
  const plan = (isParallel: boolean): unknown =>
    onRequest((request, { factory }) => {
      const proxy = request.getProxy()
      proxy.parallel = isParallel
      proxy.recurse = false
      proxy.proxyTimeout = 20
      proxy.proxyTo(factory.createURI('sip:a@example.com'))
      proxy.proxyTo(['sip:b@example.com'])
      expect(request.getProxy()).toBe(proxy)
      expect(proxy.originalRequest).toBe(request)
    })
  const settings = { recurse: false, timeout: 20_000_000 }
  expect(plan(true)).toEqual([{ kind: 'proxy', request: 'r1', plan: { targets: [both], ...settings } }])
  expect(plan(false)).toEqual([
    { kind: 'proxy', request: 'r1', plan: { targets: [[both[0]], [both[1]]], ...settings } },
  ])
})

test('what is proxied is not answered, and only what opens a dialog is proxied', () => {
  onRequest((request) => {
    request.getProxy().proxyTo()
    expect(() => request.createResponse(200)).toThrow('proxied')
  })
  const inDialog = { text: requestText('INVITE'), isInitial: false }
  expect(() => onRequest((request) => request.getProxy().proxyTo(), inDialog)).toThrow('only an initial request')
  expect(() => onRequest((request) => request.getProxy().proxyTo('bob'))).toThrow('"bob" is no URI')
  expect(() => onRequest((request) => void (request.getProxy().proxyTimeout = 0))).toThrow('more than 0')
})

test('[JSR 29] headers are set and routes pushed before it is proxied, and not after', () => {
  const ops = onRequest((request) => {
    request.setHeader('X-Account', '17')
    request.addHeader('Subject', 'more')
    request.removeHeader('Contact-Info')
    request.pushRoute('sip:media.example.com;lr')
    expect(request.getHeader('x-account')).toBe('17')
    expect(() => request.setHeader('Via', 'x')).toThrow('the set makes itself')
    request.getProxy().proxyTo()
    expect(() => request.setHeader('X-Late', 'y')).toThrow('before it is proxied')
    expect(() => request.pushRoute('sip:late.example.com')).toThrow('initial request')
  })
  expect(ops).toMatchObject([
    {
      plan: {
        headers: expect.arrayContaining([
          ['X-Account', '17'],
          ['Subject', 'more'],
          ['contact-info', null],
        ]) as unknown,
        routes: ['sip:media.example.com;lr'],
      },
    },
  ])
})

const failed = (isInitial: boolean): Parameters<typeof turn>[1] =>
  call('doErrorResponse', {
    message: message({ kind: 'response', request: '', text: responseText(486), isInitial }),
    view: view({ sessions: [sessionView({ role: 'proxy' })] }),
  })

test('[JSR 29] in doErrorResponse more targets are named in the place of the answer, unless that is on its way', () => {
  const ops = turn(
    {
      doErrorResponse({ request, status }) {
        expect(status).toBe(486)
        const proxy = request.getProxy()
        expect(() => proxy.proxyTo()).toThrow('name the targets')
        proxy.proxyTo('sip:voicemail@example.com')
      },
    },
    failed(true),
  )
  const plan = { targets: [['sip:voicemail@example.com']], recurse: true, timeout: null }
  expect(ops).toEqual([{ kind: 'proxy', request: '', plan }])
  turn(
    {
      doErrorResponse({ request }) {
        expect(() => request.getProxy().proxyTo('sip:b@example.com')).toThrow('on its way to the caller')
      },
    },
    failed(false),
  )
})

test('[JSR 29] a call that is proxied is taken back, from a timer too, while it has no answer', () => {
  const states = (state: 'EARLY' | 'CONFIRMED'): Parameters<typeof turn>[1] =>
    call('sessionExpired', { view: view({ sessions: [sessionView({ role: 'proxy', state })] }) })
  const ops = turn({ sessionExpired: ({ sessions }) => sessions[0]?.getProxy()?.cancel() }, states('EARLY'))
  expect(ops).toEqual([{ kind: 'cancel-proxy', session: '1' }])
  turn({ sessionExpired: ({ sessions }) => expect(sessions[0]?.getProxy()).toBeNull() }, states('CONFIRMED'))
})
