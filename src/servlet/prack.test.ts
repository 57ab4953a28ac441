import { expect, test } from 'vitest'
import { onRequest, onResponse, requestText, responseText } from './testing/turn.ts'

const RELIABLE = ['Require: precondition, 100rel', 'RSeq: 4711']

test('RFC 3262 7.2: createPrack() says which provisional response it is for', () => {
  const ops = onResponse((response) => response.createPrack().send(), responseText(183, 'INVITE', RELIABLE))
  expect(ops).toEqual([
    { kind: 'request', session: '2', method: 'PRACK', parts: { headers: [['RAck', '4711 1 INVITE']], body: '' } },
  ])
})

test.each([
  ['one that came without 100rel', responseText(183, 'INVITE', ['RSeq: 4711'])],
  ['one without RSeq', responseText(183, 'INVITE', ['Require: 100rel'])],
  ['a final one', responseText(200, 'INVITE', RELIABLE)],
])('%s gets none', (_, text) => {
  onResponse((response) => expect(() => response.createPrack()).toThrow('RFC 3262'), text)
})

test('[JSR 18] sendReliably() is one operation, where the caller supports it', () => {
  const text = requestText('INVITE', ['Supported: timer, 100rel'])
  expect(onRequest((request) => request.createResponse(183).sendReliably(), { text })).toMatchObject([
    { kind: 'respond', response: { status: 183, reliable: true } },
  ])
  onRequest((request) => expect(() => request.createResponse(183).sendReliably()).toThrow('no 100rel'))
  onRequest((request) => expect(() => request.createResponse(200).sendReliably()).toThrow('provisional'), { text })
})
