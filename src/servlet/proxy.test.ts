import { expect, test } from 'vitest'
import { onRequest, requestText } from './testing/turn.ts'

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
